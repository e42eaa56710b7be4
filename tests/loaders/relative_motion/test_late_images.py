"""From simulated exposures to the motion of a lens: what is stored is what was put in, or says why not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.astrometry.place import CatalogAstrometry
from loaders.astrometry.stars import catalog_pixels
from loaders.relative_motion import load
from loaders.relative_motion.load import summary_of_motions
from loaders.relative_motion.tasks import ELONGATION
from loaders.season.tasks import SEASON, SURVEY, arguments
from loaders.wfi.level2 import read_level2
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.query.audit import chosen, run_audits
from tests.faults.command_line import succeed
from tests.loaders.refined_photometry.conftest import copied
from tests.loaders.refined_photometry.stored import store_curves, store_event
from tests.loaders.relative_motion.separating import MOTION, SEASONS, separating, store_library_psf
from tests.processes import in_processes
from tests.roman_db.conftest import made_once, upgraded

LATE = SEASONS[3][2]
ROWS = """
SELECT * FROM roman.relative_proper_motion WHERE superseded_at IS NULL AND method = 'elongation'
ORDER BY event_id, season
"""
FILES = """
UPDATE ops.input_file SET path = {} WHERE file_id IN (
    SELECT file_id FROM roman.exposure WHERE day_mjd > 61800 ORDER BY midpoint_mjd_tdb LIMIT {})
"""


@pytest.fixture(scope="session")
def simulated(tmp_path_factory, pytestconfig):
    """The simulated exposures; its files are not to be changed."""
    base = tmp_path_factory.getbasetemp()
    return separating(base.parent if hasattr(pytestconfig, "workerinput") else base)


def _fill(made):
    succeed("load", "exposure", made.folder)
    succeed("load", "catalog", made.catalog)
    store_curves(made)
    store_event(made)
    change("UPDATE roman.event_model_flux SET flux_err = 0.01 * flux")
    store_library_psf()


@pytest.fixture
def stored(cluster_url, simulated, monkeypatch):
    """A database of the test's own with exposures, catalog, light curves, PSF and the event."""
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    template = made_once(cluster_url, "separating", lambda: _fill(simulated), upgraded(cluster_url))
    with copied(cluster_url, template, monkeypatch):
        yield simulated


def change(query, **values):
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text(query), values)


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


def run(season=3, **more):
    given = {"survey": "gbtds", "season": season, "photometry_kind": "psf", "redo": False} | more
    report = run_mode(Mode("late", "Late images alone", (ELONGATION,)), given, lambda *_: None)
    assert not report.failed, report.failed
    return report


def refused(report):
    query = "SELECT code FROM ops.load_rejection WHERE load_run_id = :run"
    return [row.code for row in ask(query, run=report.load_run_id)]


def off(row):
    """How far a motion is off, in errors; of one whose sign is not known, the nearer side."""
    error = np.array([row.pm_rel_ra_err, row.pm_rel_dec_err])
    both = row.pm_rel_corr * error.prod()
    inverse = np.linalg.inv(np.diag(error**2) + np.array([[0, both], [both, 0]]))
    found = np.array([row.pm_rel_ra, row.pm_rel_dec])
    sides = [found - MOTION] if row.sign_known else [found - MOTION, -found - MOTION]
    return min(float(np.sqrt(one @ inverse @ one)) for one in sides)


@pytest.mark.heavy
def test_it_is_done_between_refined_photometry_and_physics():
    for mode in (SEASON, SURVEY):
        names = [task.name for task in mode.tasks]
        assert names.index("refined_photometry") < names.index("elongation") < names.index("lens_physics")
    without = arguments("gbtds", 3, "psf", images=False)
    assert [task.units(without) for task in SEASON.tasks if task.name == "elongation"] == [[]]


@pytest.mark.heavy
def test_the_motion_that_was_put_in_comes_out(stored):
    run()
    (row,) = ask(ROWS)
    assert (row.season, row.method, row.status, row.optical_elements) == (3, "elongation", "measured", "F146")
    # Seasons 1 and 2 are the first of their orientations.
    assert (row.n_season, row.n_exposure) == (1, LATE)
    assert off(row) < 3.5
    assert max(row.pm_rel_ra_err, row.pm_rel_dec_err) < 2
    assert row.share == pytest.approx(stored.shares[1], rel=1e-3)
    assert 0.8 < row.reduced_chi2 < 1.3
    assert run().succeeded == []
    assert list(summary_of_motions(3, "psf")) == ["Relative motions: 1 measured (elongation)."]
    assert [one.name for one in run_audits(chosen(["relative_motion"]), 0) if not one.passed] == []


@pytest.mark.heavy
def test_a_newer_model_counts_and_the_old_row_stays(stored):
    run()
    (first,) = ask(ROWS)
    change("UPDATE roman.event_model SET load_run_id = (SELECT max(load_run_id) FROM ops.load_run)")
    change("UPDATE roman.relative_proper_motion SET load_run_id = load_run_id - 1")
    run()
    (second,) = ask(ROWS)
    assert second.pm_rel == first.pm_rel
    (old,) = ask("SELECT * FROM roman.relative_proper_motion WHERE superseded_at IS NOT NULL")
    assert old.relative_proper_motion_id == first.relative_proper_motion_id
    change("UPDATE roman.event SET is_event = false, classification = 'shared'")
    run()
    assert ask(ROWS) == []
    assert run().succeeded == []


@pytest.mark.heavy
def test_the_first_season_of_an_orientation_says_nothing(stored):
    run(season=2)
    assert [(row.season, row.status, row.pm_rel) for row in ask(ROWS)] == [(2, "first_season", None)]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        ("UPDATE roman.event SET delta_chi2 = 200", "not_robust"),
        ("DELETE FROM roman.event_model_parameter", "not_robust"),
        ("UPDATE roman.event_model_flux SET flux_err = 0.5 * flux", "faint_lens"),
        ("DELETE FROM roman.event_model_flux", "few_epochs"),
        ("DELETE FROM roman.light_curve_segment", "few_epochs"),
        ("UPDATE roman.psf_model SET superseded_at = now()", "no_psf"),
        (FILES.format("'/nowhere/' || filename", LATE - 5), "no_image"),
    ],
)
def test_why_there_is_none(stored, spoil, status):
    change(spoil)
    report = run()
    (row,) = ask(ROWS)
    assert (row.status, row.pm_rel, row.pm_rel_ra_err) == (status, None, None)
    assert refused(report) == ["missing_file"] * (LATE - 5 if status == "no_image" else 0)
    assert run().succeeded == []


@pytest.mark.heavy
def test_files_that_are_gone_or_cut_short_are_refused_and_the_others_count(stored, tmp_path, monkeypatch):
    in_processes(monkeypatch, load)
    change(FILES.format("'/nowhere/' || filename", 3))
    (path,) = ask(
        "SELECT f.path, f.file_id FROM roman.exposure JOIN ops.input_file AS f USING (file_id)"
        " ORDER BY midpoint_mjd_tdb DESC LIMIT 1"
    )
    whole = Path(path.path).read_bytes()
    cut = tmp_path / "cut.asdf"
    cut.write_bytes(whole[: len(whole) // 2])
    change(
        "UPDATE ops.input_file SET path = :path, size_bytes = :size, sha256 = :sum WHERE file_id = :file",
        path=str(cut), size=cut.stat().st_size, file=path.file_id,
        sum=hashlib.sha256(cut.read_bytes()).hexdigest(),
    )  # fmt: skip
    report = run()
    assert len(refused(report)) == 4
    assert refused(report).count("missing_file") == 3
    (row,) = ask(ROWS)
    assert (row.status, row.n_exposure) == ("measured", LATE - 4)
    assert off(row) < 3.5


@pytest.mark.heavy
def test_an_event_at_the_edge_of_the_detector(stored):
    """It is on the detector, but of most dithers half the pixels around it are beyond the edge."""
    (path,) = ask("SELECT path FROM ops.input_file JOIN roman.exposure USING (file_id) LIMIT 1")
    image = read_level2(Path(path.path))
    stars = ask("SELECT object_id, ra, dec, ref_epoch, pm_ra, pm_dec, parallax FROM roman.object")
    columns = np.array([tuple(star)[1:] for star in stars], dtype=np.float64).T
    x, y = catalog_pixels(image, CatalogAstrometry(*columns))
    inside = np.minimum(np.minimum(x, image.shape[1] - 1 - x), np.minimum(y, image.shape[0] - 1 - y))
    edge = stars[int(np.argmin(np.where(inside >= 0, inside, np.inf)))].object_id
    assert 0 <= np.min(inside[inside >= 0]) < 1
    change("UPDATE roman.event SET object_id = :one", one=edge)
    change("UPDATE roman.light_curve_segment SET object_id = :one", one=edge)
    run()
    (row,) = ask(ROWS)
    assert row.status == "few_epochs"
    assert row.n_exposure < 10
