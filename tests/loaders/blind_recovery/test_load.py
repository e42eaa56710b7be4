"""``roman-db injection detect``: what our own detection finds of artificial sources, against their truth."""

from __future__ import annotations

import numpy as np
import pytest

from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

_FOUND = """
SELECT r.image_number, s.true_flux, r.is_detected, r.measured_flux, r.measured_flux_err, r.distance, r.density
FROM roman.injection_recovery r JOIN roman.injected_source s USING (injection_run_id, injected_source_id)
WHERE r.product = '{}' ORDER BY 1, s.injected_source_id
"""


#: What searches, and the field in which it does: sparse or crowded.
SEARCHES = ("static_catalog", "crowded_search")


@pytest.fixture
def inject(new_database, tmp_path):
    """Put stars from bright to far too faint on a grid into an image; the URL of the database."""

    def injected(path, *options):
        grid = ("--grid", 12, "--magnitudes", 18, 27, "--seed", 3, "--name", "trial", *options)
        succeed("inject", path, *grid, "--output", tmp_path / "out")
        return new_database

    return injected


def found(url, product):
    rows = execute(url, _FOUND.format(product))
    return np.array(rows, dtype=float).T


@pytest.mark.heavy
@pytest.mark.parametrize("product", SEARCHES)
def test_bright_stars_are_found_and_faint_ones_are_not(inject, product, sparse_field, survey):
    image = sorted(sparse_field.folder.glob("*_cal.asdf"))[0]
    url = inject(survey.exposures()[0], "--grid", 9) if product == SEARCHES[1] else inject(image)
    outcome = succeed("injection", "detect", "trial", "--with", product)
    assert "1 images read: 1 loaded" in outcome.out
    _, flux, detected, measured, _, distance, density = found(url, product)
    detected = detected.astype(bool)
    bright, faint = flux > 3000, flux < 160
    assert min(bright.sum(), faint.sum()) >= 5
    assert detected[bright].mean() > 0.7
    assert detected[faint].mean() < 0.2
    assert detected[bright].mean() > detected[(flux > 100) & (flux < 1000)].mean()
    np.testing.assert_allclose(np.median(measured[bright & detected] / flux[bright & detected]), 1, atol=0.05)
    assert np.median(distance[bright & detected]) < 15
    assert np.isnan(measured[~detected]).all()
    assert (density > 0).any()
    check_efficiency(url, product, flux, detected)
    again = succeed("injection", "detect", "trial", "--with", product)
    assert "1 images read: 1 loaded" in again.out
    assert found(url, product).shape[1] == flux.size
    assert len(succeed("injection", "report", "trial", "--product", product).out.splitlines()) > 5
    assert roman_db("audit").code == 0


def check_efficiency(url, product, flux, detected):
    """Completeness by magnitude from SQL is what numpy counts."""
    rows = execute(
        url,
        "SELECT magnitude_lower, sum(tp_count)::int, sum(fn_count)::int, sum(fp_count)::int "
        f"FROM roman.detection_efficiency WHERE product = '{product}' GROUP BY 1 ORDER BY 1",
    )
    cell = np.floor((31.400066 - 2.5 * np.log10(flux)) / 0.5) * 0.5
    for lower, true, missed, _ in rows:
        here = cell == lower
        assert (true, missed) == ((here & detected).sum(), (here & ~detected).sum())
    assert sum(row[1] + row[2] for row in rows) == flux.size
    spurious = execute(url, f"SELECT count(*) FROM roman.spurious_detection WHERE product = '{product}'")
    assert sum(row[3] for row in rows) == spurious[0][0]


def test_mosaics_are_searched_and_crowded_fields_are_exposures(inject, sparse_field):
    url = inject(sparse_field.mosaics["F158"], "--grid", 40, "--magnitudes", 19, 22)
    assert "1 images read: 1 loaded" in succeed("injection", "detect", "trial").out
    _, flux, detected, measured, *_ = found(url, "static_catalog")
    detected = detected.astype(bool)
    assert flux.size >= 60
    assert detected.mean() > 0.8
    # The stars were drawn with the PSF of one exposure, without the drops of drizzling.
    np.testing.assert_allclose(np.median(measured[detected] / flux[detected]), 1, atol=0.06)
    outcome = roman_db("injection", "detect", "trial", "--with", "crowded_search")
    assert outcome.code == 1
    assert "1 images read: 0 loaded" in outcome.out
    assert execute(url, "SELECT code FROM ops.load_rejection") == [("not_level2",)]


@pytest.mark.heavy
def test_a_crowded_image_is_no_matter_of_static_catalogs(inject, survey):
    url = inject(survey.exposures()[0])
    assert roman_db("injection", "detect", "trial").code == 1
    assert execute(url, "SELECT code FROM ops.load_rejection") == [("no_background",)]


def test_an_injection_that_there_is_not_is_refused(new_database):
    outcome = roman_db("injection", "detect", "nobody")
    assert outcome.code != 0
    assert "there is none of that name" in outcome.err
