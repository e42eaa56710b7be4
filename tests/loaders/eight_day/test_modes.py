"""From Level-2 files alone to references, a catalog, differences and light curves, against the truth."""

from pathlib import Path
from unittest import mock

import galsim
import numpy as np
import pytest
import roman_datamodels
from click.testing import CliRunner
from scipy.spatial import cKDTree

from loaders.eight_day.tasks import (
    CATALOG,
    DIFFERENCE,
    DIFFERENCE_PHOTOMETRY,
    PHOTOMETER,
    REFERENCE,
    arguments,
)
from loaders.report.commands import report as report_group
from loaders.simulation.external_catalog import CatalogErrors, external_catalog
from loaders.wfi.level2 import read_level2
from roman_db.jobs import Mode, run_mode
from roman_db.settings import settings
from tests.faults.command_line import roman_db, succeed
from tests.loaders.eight_day import two_spans
from tests.roman_db.conftest import execute

MODE = Mode(
    "first-30-days",
    "Without the PSFs, which take a minute each: that of the optics is the true one here",
    (REFERENCE, CATALOG, DIFFERENCE, PHOTOMETER, DIFFERENCE_PHOTOMETRY),
)
NJY_AB = 3631e9


@pytest.fixture(scope="session")
def spans(tmp_path_factory, pytestconfig):
    base = tmp_path_factory.getbasetemp()
    return two_spans.simulated(base.parent if hasattr(pytestconfig, "workerinput") else base)


def run(**chosen):
    return run_mode(MODE, arguments(unfinished=True, **chosen), lambda *_: None)


@pytest.fixture
def done(new_database, spans, tmp_path, monkeypatch):
    """A database in which the mode has run once, and its report."""
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "products"))
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    settings.cache_clear()
    succeed("load", "exposure", spans.folder)
    report = run()
    yield new_database, report
    settings.cache_clear()


def truth(spans, number):
    """Right ascensions, declinations and fluxes (nJy) of the stars in the middle of the window."""
    scene = spans.scenes[number]
    place = scene.stars.astrometry
    flux = NJY_AB * 10 ** (-0.4 * scene.star_magnitude["F146"])
    image = read_level2(spans.files[two_spans.N_EXPOSURE * number]).projection
    x, y = image.to_pixel(place.ra, place.dec)
    inside = (np.abs(x - 35.5) < 28) & (np.abs(y - 31.5) < 24)
    return place.ra, place.dec, flux, inside


def nearest(spans, ra, dec, rows):
    """Distance in mas of the nearest of some rows (ra, dec) to each position, and which it is."""
    scale = np.array([np.cos(np.radians(-29.2)), 1.0]) * 3.6e6
    tree = cKDTree(np.array([row[:2] for row in rows], dtype=float) * scale)
    return tree.query(np.column_stack([ra, dec]) * scale)


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_two_spans_from_exposures_alone(done, spans, tmp_path):
    url, report = done
    assert not report.failed
    _references(url, spans)
    _psfs(url)
    _astrometry(url, spans)
    _catalog(url, spans)
    _difference(url, spans)
    _light_curves(url, spans)
    _report(url, report.load_run_id)
    succeed("audit")
    again = run()
    assert (again.succeeded, again.failed) == ([], {})
    _frames_on_a_catalog(url, spans, tmp_path)


def _references(url, spans):
    """One a span, of all exposures but the one that lies elsewhere; files that RAD knows."""
    rows = execute(
        url,
        "SELECT start_mjd, n_exposure, n_refused, path, limiting_mag FROM roman.reference_image "
        "WHERE superseded_at IS NULL ORDER BY 1",
    )
    assert [row[:3] for row in rows] == [
        (two_spans.DAYS[0], two_spans.N_EXPOSURE - 1, 1),
        (two_spans.DAYS[1], two_spans.N_EXPOSURE, 0),
    ]
    for row in rows:
        with roman_datamodels.open(row[3]) as model:
            assert type(model).__name__ == "MsosStackModel"
            assert model.validate() is None
            assert len(model.meta.image_list.split(",")) == row[1]
    ((name, code),) = execute(url, "SELECT source, code FROM ops.load_rejection")
    assert code == "misfit"
    assert name.endswith(spans.files[two_spans.LOST].name)


def _psfs(url):
    """Moments as GalSim measures them in the files; both are the PSF of the optics, which does not change."""
    rows = execute(
        url,
        "SELECT r.path, r.pixel_scale, count(*), max(m.psf_flags), min(m.fwhm), max(m.fwhm), avg(m.sigma), "
        "avg(m.e1), avg(m.e2), avg(m.m40 + 2 * m.m22 + m.m04), r.psf_fwhm, r.psf_n_star, "
        "r.psf_fraction_optics "
        "FROM roman.reference_image r JOIN roman.reference_psf_moment m USING (reference_image_id) "
        "GROUP BY r.reference_image_id",
    )
    assert len(rows) == 2
    for path, scale, count, flags, narrow, wide, sigma, *shape, fwhm, n_star, optics in rows:
        assert (count, flags, narrow, n_star, optics) == (25, 0, wide, 0, 1.0)
        assert narrow == pytest.approx(fwhm)
        with roman_datamodels.open(path) as model:
            step, stamp = scale / model["psf_nodes"]["oversampling"], np.array(model["psf"], dtype=float)
        theirs = galsim.hsm.FindAdaptiveMom(galsim.Image(stamp, scale=step))
        assert sigma == pytest.approx(theirs.moments_sigma * step, rel=1e-3)
        assert shape == pytest.approx([theirs.observed_e1, theirs.observed_e2, theirs.moments_rho4], abs=2e-3)
    metrics = execute(
        url,
        "SELECT metric, value, verdict FROM ops.quality_metric "
        "JOIN roman.reference_image r USING (reference_image_id) ORDER BY r.start_mjd, metric",
    )
    assert {verdict for _, _, verdict in metrics} == {"good"}
    # Only the later image has one before it.
    change = [value for name, value, _ in metrics if name.endswith("_change")]
    assert len(metrics) == 14
    assert change == pytest.approx([0.0, 0.0], abs=2e-3)


def _astrometry(url, spans):
    """The pointing errors that the simulation made, to a quarter of a milliarcsecond in so small a window."""
    measured = execute(
        url,
        "SELECT e.day_mjd, m.shift_ra, m.shift_dec, m.shift_ra_err FROM roman.reference_image_exposure m "
        "JOIN roman.exposure e USING (exposure_id) WHERE m.is_used ORDER BY e.midpoint_mjd_tdb",
    )
    for number, day in enumerate(two_spans.DAYS):
        survey = spans.scenes[number].parameters.survey
        index = [k for k in range(two_spans.N_EXPOSURE) if number or k != two_spans.LOST]
        made = np.array([np.random.default_rng([survey.seed, k, 1]).normal(0, 1, 2) for k in index])
        made *= survey.alignment_error_mas
        got = np.array([row[1:3] for row in measured if row[0] == day])
        assert np.std(made[:, 0]) > 0.3
        for axis in (0, 1):
            expected = made[:, axis] - made[:, axis].mean()
            assert np.std(got[:, axis] - expected) < 0.25


def _paired(ra, dec, flux):
    """Stars with another of a third of their light within a pixel: two may be found as one."""
    x, y = 3600 * np.cos(np.radians(dec)) * (ra - ra.mean()), 3600 * (dec - dec.mean())
    near = np.hypot(x[:, None] - x, y[:, None] - y) < 0.11
    return (near & (flux > flux[:, None] / 3)).sum(axis=1) > 1


def _catalog(url, spans):
    """Bright stars are found where they are and as bright as they are; the one that appeared is new."""
    for number, day in enumerate(two_spans.DAYS):
        rows = execute(
            url,
            "SELECT s.ra, s.dec, s.psf_flux, s.psf_flux_err, s.state FROM roman.reference_source s "
            "JOIN roman.reference_image r USING (reference_image_id) "
            f"WHERE r.superseded_at IS NULL AND r.start_mjd = {day} AND s.ra IS NOT NULL",
        )
        ra, dec, flux, inside = truth(spans, number)
        bright = np.flatnonzero(inside & (flux > NJY_AB * 10 ** (-0.4 * 22)))
        distance, row = nearest(spans, ra[bright], dec[bright], rows)
        assert np.mean(distance < 20) > 0.9
        assert (distance[~_paired(ra, dec, flux)[bright]] < 20).all()
        found = distance < 20
        ratio = np.array([rows[k][2] for k in row[found]]) / flux[bright][found]
        assert abs(np.median(ratio) - 1) < 0.005
    _, row = nearest(spans, ra[[spans.appeared]], dec[[spans.appeared]], rows)
    assert rows[row[0]][4] == "new"
    states = [row[4] for row in rows]
    assert states.count("new") < 0.15 * states.count("known")


def _difference(url, spans):
    """What changed is found with the change that was made, and hardly anything else."""
    rows = execute(
        url,
        "SELECT d.ra, d.dec, d.psf_flux, d.psf_flux_err, d.kind FROM roman.dia_source d "
        "JOIN roman.difference_image i USING (difference_image_id) WHERE i.superseded_at IS NULL",
    )
    changed = [spans.brightened, spans.appeared]
    before, after = (NJY_AB * 10 ** (-0.4 * scene.star_magnitude["F146"][changed]) for scene in spans.scenes)
    ra, dec, _, _ = truth(spans, 1)
    distance, row = nearest(spans, ra[changed], dec[changed], rows)
    assert (distance < 30).all()
    np.testing.assert_allclose([rows[k][2] for k in row], after - before, rtol=0.03)
    real = [row for row in rows if row[4] in ("new", "variable")]
    assert len(real) <= len(changed) + 2


def _light_curves(url, spans):
    """Changes against the reference are what they are, with smaller errors than the joint fit has."""
    rows = execute(
        url,
        "SELECT o.ra, o.dec, avg(c.flux), avg(c.flux_err), count(*), stddev(c.flux) "
        "FROM roman.light_curve c JOIN roman.object o USING (object_id) JOIN roman.light_curve_block b "
        f"USING (block_id) WHERE b.photometry_kind = 'dia' AND b.start_mjd = {two_spans.DAYS[1]} "
        "AND c.flux <> 'NaN' GROUP BY o.object_id HAVING count(*) >= 10",
    )
    ra, dec, flux, _ = truth(spans, 1)
    distance, row = nearest(spans, ra[[spans.brightened]], dec[[spans.brightened]], rows)
    assert distance[0] < 30
    assert rows[row[0]][2] == pytest.approx(flux[spans.brightened], rel=0.02)
    ratio = np.array([scatter / error for _, _, _, error, _, scatter in rows])
    assert np.median(ratio) == pytest.approx(1.0, abs=0.15)
    ((joint, alone),) = execute(
        url,
        "SELECT (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY c.flux_err) FROM roman.light_curve c "
        "JOIN roman.light_curve_block b USING (block_id) WHERE b.photometry_kind = 'psf'), "
        "(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY c.flux_err) FROM roman.light_curve c "
        "JOIN roman.light_curve_block b USING (block_id) WHERE b.photometry_kind = 'dia')",
    )
    assert alone < joint


def _frames_on_a_catalog(url, spans, folder):
    """With a catalog of known motions images lie where it has the stars: here it is put off on purpose."""
    ((none,),) = execute(url, "SELECT sum(n_anchor) FROM roman.reference_image WHERE superseded_at IS NULL")
    assert none == 0
    off = np.array([7.0, -4.0])
    # A catalog whose proper motions are good, without the star that has not appeared yet.
    catalog = external_catalog(spans.scenes[0], CatalogErrors(position=0.5, proper_motion=0.1))
    catalog["ra"] += off[0] / 3.6e6 / np.cos(np.radians(catalog["dec"]))
    catalog["dec"] += off[1] / 3.6e6
    catalog.write(folder / "moving.ecsv")
    succeed("load", "catalog", folder / "moving.ecsv", "--match-radius", "0.02")
    only = Mode("eight-day", "References alone", (REFERENCE,))
    report = run_mode(only, arguments(unfinished=True, redo=True), lambda *_: None)
    assert not report.failed
    rows = execute(
        url,
        "SELECT n_anchor, anchor_shift_ra, anchor_shift_dec, anchor_shift_ra_err, anchor_shift_dec_err, "
        "anchor_residual FROM roman.reference_image WHERE superseded_at IS NULL",
    )
    assert len(rows) == 2
    for count, *shift, east_err, north_err, residual in rows:
        assert count >= 5
        error = np.hypot([east_err, north_err], 0.2)
        assert (np.abs(np.array(shift) - off) < 4 * error).all()
        assert residual < 5


def _report(url, load_run_id):
    """Pages of the run and of both images with all pictures; without the file of an image they say so."""
    page = Path(told("run").output.strip())
    assert page == settings().product_folder / "report" / f"run{load_run_id}" / "index.html"
    ids = [row[0] for row in execute(url, "SELECT reference_image_id FROM roman.reference_image ORDER BY 1")]
    text = page.read_text()
    assert "1 input was refused: misfit" in text
    pages = [page.parent / f"reference_{one}.html" for one in ids]
    assert all(f'href="{one.name}"' in text for one in pages)
    first, second = (one.read_text() for one in pages)
    for name in ("image", "coverage", "psf", "shifts", "levels", "magnitudes", "places", "thumbnail"):
        assert (page.parent / f"reference_{ids[0]}_{name}.png").is_file()
    assert f"reference_{ids[1]}_significance.png" in second
    assert second.count("roman-db lightcurve --id") >= 2
    assert "There is none before it" in first
    ((path,),) = execute(url, f"SELECT path FROM roman.reference_image WHERE reference_image_id = {ids[0]}")
    hidden = Path(path).rename(f"{path}.away")
    assert told("reference", str(ids[0])).output.strip() == str(pages[0])
    assert told("reference", str(ids[1])).output.strip() == str(pages[1])
    hidden.rename(path)
    assert "the file of the image cannot be read" in pages[0].read_text()
    assert "its difference is not shown" in pages[1].read_text()
    _errors_of_reports(url)


def _errors_of_reports(url):
    """A run of another mode, or none, is told; a report that fails does not fail the run."""
    ((other,),) = execute(url, "SELECT min(load_run_id) FROM ops.load_run")
    assert "reports are of the modes eight-day or first-30-days" in str(told("run", str(other), code=1))
    assert "there is no such run" in str(told("run", "999999", code=1))
    assert "no such image" in str(told("reference", "999999", code=1))
    quick = ("run", "eight-day", "--detector", "WFI01")
    assert "Report: " in succeed(*quick).out
    with mock.patch("loaders.report.load.run_page", side_effect=ValueError("no ink")):
        outcome = succeed(*quick)
    assert "Warning: no report was written: no ink" in outcome.err
    assert "roman-db report run" in outcome.err


def told(*words, code=0):
    """What ``roman-db report`` prints, or what it raises."""
    result = CliRunner().invoke(report_group, words)
    assert result.exit_code == code, result
    return result if code == 0 else result.exception


def test_a_mode_without_exposures_says_so(new_database):
    outcome = roman_db("run", "first-30-days")
    assert outcome.code != 0
    assert "No exposure is loaded" in outcome.err
    outcome = roman_db("run", "eight-day", "--detector", "WFI99")
    assert "WFI99" in outcome.err
