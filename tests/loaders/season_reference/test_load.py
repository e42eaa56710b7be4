"""The image of a season in the database: made, searched, made again when an image of a span is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import roman_datamodels
from scipy.spatial import cKDTree

from loaders.eight_day.tasks import CATALOG, DIFFERENCE, REFERENCE, arguments
from loaders.photometry.load import with_reference_fluxes
from loaders.reference.product import read_reference
from loaders.season_reference.tasks import SEASON_REFERENCE
from roman_db.jobs import Mode, run_mode
from roman_db.query.audit import chosen, run_audits
from roman_db.settings import settings
from tests.faults.command_line import succeed
from tests.loaders.eight_day import two_spans
from tests.loaders.eight_day.test_modes import truth
from tests.roman_db.conftest import execute

#: Days of the first season.
SEASON = {"survey": "gbtds", "first_day": 61448, "last_day": 61519}

_CURRENT = """
SELECT reference_image_id, limiting_mag, n_exposure, start_mjd, end_mjd, path FROM roman.reference_image
WHERE superseded_at IS NULL AND reference_kind = '{}' ORDER BY start_mjd
"""


@pytest.fixture(scope="module")
def spans(tmp_path_factory, pytestconfig):
    base = tmp_path_factory.getbasetemp()
    return two_spans.simulated(base.parent if hasattr(pytestconfig, "workerinput") else base)


@pytest.fixture
def referenced(new_database, spans, tmp_path, monkeypatch):
    """A database with images of two spans of the first season, searched."""
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "products"))
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    settings.cache_clear()
    succeed("load", "exposure", spans.folder)
    assert not run(REFERENCE, CATALOG).failed
    yield new_database
    settings.cache_clear()


def run(*tasks, **more):
    given = arguments(unfinished=True) | SEASON | more
    return run_mode(Mode("test", "Images of a season", tasks), given, lambda *_: None)


def recall(url, image, spans, mags):
    """Share of the true stars of some magnitudes that have a source within 30 mas on an image."""
    ra, dec, flux, inside = truth(spans, 1)
    rows = execute(
        url,
        f"SELECT ra, dec FROM roman.reference_source WHERE reference_image_id = {image} AND ra IS NOT NULL",
    )
    scale = np.array([np.cos(np.radians(-29.2)), 1.0]) * 3.6e6
    faint = inside & (31.4 - 2.5 * np.log10(flux) > mags[0]) & (31.4 - 2.5 * np.log10(flux) < mags[1])
    distance, _ = cKDTree(np.array(rows, float) * scale).query(np.column_stack([ra, dec])[faint] * scale)
    return float(np.mean(distance < 30)), int(faint.sum())


@dataclass
class Stars:
    """What `with_reference_fluxes` needs of catalogued stars."""

    object_id: np.ndarray
    flux: np.ndarray


def _reference_fluxes(url, season, span):
    """Changes count against the image of the span; of what only that of the season shows, against that."""
    fluxes = [
        dict(
            execute(
                url,
                "SELECT object_id, psf_flux::float8 FROM roman.reference_source "
                f"WHERE psf_flux IS NOT NULL AND reference_image_id = {image}",
            )
        )
        for image in (season, span)
    ]
    assert set(fluxes[0]) - set(fluxes[1])
    both = np.array(sorted(set(fluxes[0]) | set(fluxes[1])))
    ((field,),) = execute(
        url, f"SELECT field_id FROM roman.reference_image WHERE reference_image_id = {span}"
    )
    given = {"field_id": field, "detector": "WFI07", "optical_element": "F146"}
    found = with_reference_fluxes(Stars(both, np.zeros(both.size)), given, two_spans.DAYS[1])
    expected = fluxes[0] | fluxes[1]
    np.testing.assert_array_equal(found.flux, [expected[one] for one in both.tolist()])


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_a_season_of_two_spans(referenced, spans):
    url = referenced
    report = run(SEASON_REFERENCE, CATALOG)
    assert not report.failed
    assert [name.split()[0] for name in report.succeeded] == ["season_reference", "catalog"]
    parts = execute(url, _CURRENT.format("span"))
    ((season, limit, n_exposure, start, end, path),) = execute(url, _CURRENT.format("season"))
    assert (start, end) == (61448, 61520)
    assert n_exposure == sum(row[2] for row in parts)
    # Twice the exposures: 0.38 mag deeper.
    assert limit - np.mean([row[1] for row in parts]) == pytest.approx(1.25 * np.log10(2), abs=0.03)
    exposures = execute(
        url,
        "SELECT exposure_id FROM roman.reference_image_exposure m JOIN roman.reference_image r "
        "USING (reference_image_id) WHERE is_used AND superseded_at IS NULL AND reference_kind = 'span' "
        "ORDER BY 1",
    )
    assert exposures == execute(
        url,
        "SELECT exposure_id FROM roman.reference_image_exposure "
        f"WHERE reference_image_id = {season} ORDER BY 1",
    )
    weights = execute(url, "SELECT weight, is_used FROM roman.reference_image_part")
    assert sum(row[0] for row in weights) == pytest.approx(1)
    assert all(row[1] for row in weights)

    with roman_datamodels.open(path) as model:
        assert model.validate() is None
        assert model.meta.msos_reference_frame["season"] == "s01"
        assert len(model.meta.image_list.split(",")) == n_exposure
    assert read_reference(Path(path)).image.usable.mean() > 0.5
    # Fainter ones are too crowded here for depth to help; see test_build.
    share, count = recall(url, season, spans, (20.0, 23.0))
    assert count > 20
    assert share > 0.9
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []

    _reference_fluxes(url, season, parts[1][0])

    # It is none of the spans: nothing is made or compared because of it.
    assert run(REFERENCE, CATALOG, SEASON_REFERENCE).succeeded == []
    assert [name.split()[0] for name in run(DIFFERENCE).succeeded] == ["difference"]
    ((of, template),) = execute(
        url, "SELECT minuend_reference_image_id, reference_image_id FROM roman.difference_image"
    )
    assert (template, of) == (parts[0][0], parts[1][0])

    again = run(REFERENCE, SEASON_REFERENCE, redo=True)
    assert not again.failed
    ((other, *_, new_path),) = execute(url, _CURRENT.format("season"))
    assert other > season
    assert not Path(path).exists()
    assert Path(new_path).exists()
    # All that the search of the earlier image found stands until the new one is searched.
    assert run(SEASON_REFERENCE).succeeded == []
