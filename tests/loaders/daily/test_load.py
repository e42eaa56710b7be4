"""The daily mode on a small simulated survey: what comes out agrees with the truth, and is written once."""

from __future__ import annotations

import math

import numpy as np
import pytest
import roman_datamodels.datamodels as rdm

from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.load import psf_for
from loaders.psf.optics import optical_psf
from roman_db import session
from tests.faults.command_line import roman_db, succeed
from tests.faults.killed import run
from tests.faults.rows import assert_same, stored_rows
from tests.faults.survey import DAYS, DETECTOR
from tests.roman_db.conftest import execute

#: 3631 Jy in nJy, the flux of AB magnitude 0.
AB_ZERO = 3631e9

FIELD = "SELECT DISTINCT name FROM roman.exposure JOIN roman.field USING (field_id)"
CURVES = """
SELECT a.source_id::int - 1000, l.exposure_id, l.flux::float8, l.flux_err::float8, l.flags
FROM roman.light_curve l JOIN roman.object_alias a USING (object_id)
WHERE l.optical_element = '{}' ORDER BY 1, 2
"""
BLOCKS = """
SELECT optical_element, start_mjd, n_epoch FROM roman.light_curve_block
WHERE superseded_at IS NULL ORDER BY start_mjd, optical_element DESC, n_epoch DESC
"""
ALL_BLOCKS = [("F146", DAYS[0], 4), ("F087", DAYS[0], 1), ("F146", DAYS[1], 4)]


def curves(url, element):
    """Star, flux, error and flags of every point, as arrays."""
    star, _, flux, error, flags = np.array(execute(url, CURVES.format(element)), dtype=float).T
    return star.astype(int), flux, error, flags.astype(int)


def truth(survey, element, star):
    """True fluxes (nJy): all stars are constant."""
    return AB_ZERO * 10 ** (-0.4 * survey.scene.star_magnitude[element][star])


def task_units(url):
    """Units that the latest run worked on."""
    latest = "(SELECT max(load_run_id) FROM ops.load_run)"
    query = f"SELECT task, unit, state FROM ops.task_run WHERE load_run_id = {latest} ORDER BY task_run_id"
    return execute(url, query)


@pytest.mark.parametrize("element", ["F146", "F087"])
def test_light_curves_are_the_truth(photometered, survey, element):
    star, flux, error, flags = curves(photometered, element)
    true = truth(survey, element, star)
    good = (flags & ~PhotometryFlag.CROWDED) == 0
    assert good.sum() > 150
    middling = good & (true > 3 * error) & (true < 50 * error)
    pull = (flux - true)[middling] / error[middling]
    spread = 1.4826 * np.median(np.abs(pull - np.median(pull)))
    # A window of 72 by 64 pixels knows its PSF to a few per cent, in which neighbours share.
    assert abs(np.median(pull)) < 0.4
    assert 0.8 < spread < 1.7
    bright = good & (true > 50 * error)
    ratio = flux[bright] / true[bright]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.01)


def test_every_star_on_the_detector_has_every_epoch(photometered, survey):
    """A star in the middle of the window is there in each of the nine exposures, once."""
    with rdm.open(survey.exposures()[0]) as model:
        middle = model.meta.wcs(36.0, 32.0)
    at = survey.scene.stars.astrometry
    near = np.hypot((at.ra - middle[0]) * np.cos(np.radians(middle[1])), at.dec - middle[1]) < 2.0 / 3600
    for element, n_epoch in (("F146", 8), ("F087", 1)):
        star = curves(photometered, element)[0]
        assert near.sum() > 10
        assert [np.sum(star == one) for one in np.flatnonzero(near)] == [n_epoch] * near.sum()


def test_times_are_those_of_the_exposures(photometered):
    query = """
        SELECT DISTINCT l.midpoint_mjd_tdb = e.midpoint_mjd_tdb AND l.midpoint_bjd_tdb = e.midpoint_bjd_tdb
            AND l.start_mjd = e.day_mjd AND l.detector = e.detector AND l.field_id = e.field_id
        FROM roman.light_curve l JOIN roman.exposure e USING (exposure_id)"""
    assert execute(photometered, query) == [(True,)]


def test_flags_are_registered_and_tell_of_what_is_missing(photometered):
    ((known,),) = execute(photometered, "SELECT sum(1 << bit) FROM roman.photometry_flag")
    for element in ("F146", "F087"):
        _, flux, error, flags = curves(photometered, element)
        assert not np.any(flags & ~known)
        assert np.all(flags[np.isnan(flux)] & (PhotometryFlag.FIT_FAILED | PhotometryFlag.NO_PIXELS))
        assert np.all(np.isnan(flux) == np.isnan(error))
        assert np.any(flags & PhotometryFlag.EDGE)
        assert not np.any(flags & PhotometryFlag.OUTSIDE)


def test_blocks_and_metrics(photometered):
    assert execute(photometered, BLOCKS) == ALL_BLOCKS
    measured = "SELECT DISTINCT metric FROM ops.quality_metric WHERE {} IS NOT NULL ORDER BY 1"
    of_exposures = {metric for (metric,) in execute(photometered, measured.format("exposure_id"))}
    assert of_exposures >= {
        "astrometric_residual", "astrometric_shift", "zero_point_drift", "fraction_flagged",
        "fraction_failed", "fraction_usable", "reduced_chi2", "median_background",
    }  # fmt: skip
    assert ("scatter_ratio",) in execute(photometered, measured.format("block_id"))
    each = "SELECT DISTINCT count(*) FROM ops.quality_metric WHERE exposure_id IS NOT NULL GROUP BY metric"
    assert execute(photometered, each) == [(9,)]


def test_verdicts_follow_the_limits(photometered):
    rows = execute(
        photometered,
        "SELECT m.value, m.verdict, q.lower, q.upper, q.severity FROM ops.quality_metric m "
        "LEFT JOIN ops.quality_limit q USING (metric)",
    )
    for value, verdict, lower, upper, severity in rows:
        if severity is None:
            assert verdict == "unlimited"
        else:
            above = lower is None or (value is not None and value >= lower)
            below = upper is None or (value is not None and value <= upper)
            assert verdict == ("good" if above and below and value is not None else severity)
    assert {verdict for _, verdict, *_ in rows} >= {"good", "warning", "unlimited"}


def test_again_does_nothing(photometered):
    before = stored_rows(photometered)
    outcome = succeed("run", "daily")
    assert "0 units done, 0 failed; 0 blocks" in outcome.out
    assert task_units(photometered) == []
    assert_same(stored_rows(photometered), before)


@pytest.mark.heavy
@pytest.mark.parametrize("workers", ["1", "2"])
def test_redo_gives_the_same_rows_whatever_the_number_of_processes(photometered, workers):
    before = stored_rows(photometered)
    outcome = run(("run", "daily", "--redo"), ROMAN_DB_WORKERS=workers)
    assert outcome.code == 0, outcome
    assert_same(stored_rows(photometered), before)
    blocks = "SELECT superseded_at IS NULL, count(*) FROM roman.light_curve_block GROUP BY 1 ORDER BY 1"
    assert execute(photometered, blocks) == [(False, 3), (True, 3)]


@pytest.mark.heavy
def test_selections_leave_the_rest_alone(loaded):
    succeed("run", "daily", "--optical-element", "F087")
    assert execute(loaded, BLOCKS) == ALL_BLOCKS[1:2]
    assert "0 units done" in succeed("run", "daily", "--detector", "WFI01").out
    assert "0 units done" in succeed("run", "daily", "--day", DAYS[1] + 1).out
    succeed("run", "daily", "--day", DAYS[1])
    assert execute(loaded, BLOCKS) == ALL_BLOCKS[1:]


@pytest.mark.heavy
def test_positions_fitted_make_light_curves_of_their_own(photometered, survey):
    """Beside those with positions held, which stay; the fluxes of both are of the same stars."""
    before, blocks = execute(photometered, CURVES.format("F146")), "SELECT photometry_kind, count(*) FROM "
    succeed("run", "daily", "--fit-positions", "--optical-element", "F146")
    blocks += "roman.light_curve_block WHERE superseded_at IS NULL GROUP BY 1 ORDER BY 1"
    assert execute(photometered, blocks) == [("psf", 3), ("psf_free", 2)]
    both = """
        SELECT h.flux::float8, f.flux::float8, h.flux_err::float8, f.flux_err::float8,
               a.offset_ra::float8, a.offset_ra_err::float8
        FROM roman.light_curve h JOIN roman.light_curve f USING (object_id, exposure_id)
        LEFT JOIN roman.astrometry_curve a ON a.object_id = f.object_id AND a.exposure_id = f.exposure_id
            AND a.photometry_kind = f.photometry_kind
        WHERE (h.photometry_kind, f.photometry_kind) = ('psf', 'psf_free') AND h.flags = 0 AND f.flags = 0"""
    held, free, held_err, free_err, offset, offset_err = np.array(execute(photometered, both), dtype=float).T
    assert held.size > 0.4 * len(before)
    bright = held > 50 * held_err
    assert np.median(np.abs(free - held)[bright] / held_err[bright]) < 1
    # What is fitted besides can only make a flux less certain.
    assert np.median(free_err[bright] / held_err[bright]) > 1
    assert np.nanmedian(np.abs(offset[bright]) / offset_err[bright]) < 3
    assert "0 units done" in succeed("run", "daily", "--fit-positions", "--optical-element", "F146").out
    assert "0 units done" in succeed("run", "daily").out
    after = {row for row in execute(photometered, CURVES.format("F146")) if not math.isnan(row[2])}
    assert {row for row in before if not math.isnan(row[2])} < after


@pytest.mark.heavy
def test_late_exposure_is_a_further_block_of_its_day(new_database, survey):
    first, late = survey.exposures(day=DAYS[0])[:2], survey.exposures(day=DAYS[0])[2]
    succeed("load", "exposure", *first)
    succeed("load", "catalog", survey.catalog)
    succeed("run", "daily")
    before = execute(new_database, CURVES.format("F146"))
    succeed("load", "exposure", late)
    succeed("run", "daily")
    assert execute(new_database, BLOCKS) == [("F146", DAYS[0], 2), ("F146", DAYS[0], 1)]
    after = execute(new_database, CURVES.format("F146"))
    assert set(before) < set(after)
    assert len({row[1] for row in after}) == 3


@pytest.mark.heavy
def test_replaced_file_is_photometered_again_with_its_block(photometered, survey, tmp_path):
    """The new version of one exposure has 10 percent more of everything: its points alone move."""
    before = execute(photometered, CURVES.format("F146"))
    path = survey.exposures(day=DAYS[1])[1]
    with rdm.open(path) as model:
        model.data *= 1.1
        model.save(tmp_path / path.name)
    succeed("load", "exposure", tmp_path / path.name, "--replace")
    outcome = succeed("run", "daily")
    ((task, unit, state),) = task_units(photometered)
    assert (task, state) == ("photometer", "succeeded")
    ((field,),) = execute(photometered, FIELD)
    assert unit.startswith(f"{field} {DETECTOR} F146 {DAYS[1]} block ")
    assert "1 blocks of 4 exposures" in outcome.out
    ((changed,),) = execute(
        photometered, f"SELECT exposure_id FROM roman.exposure WHERE filename = '{path.name}'"
    )
    after = execute(photometered, CURVES.format("F146"))
    others = [row for row in before if row[1] != changed]
    assert [row for row in after if row[1] != changed] == others
    old, new = (np.array([row[2] for row in rows if row[1] == changed]) for rows in (before, after))
    bright = old > 5000
    assert np.median(new[bright] / old[bright]) == pytest.approx(1.1, abs=0.01)
    assert execute(photometered, BLOCKS) == ALL_BLOCKS


@pytest.mark.heavy
@pytest.mark.parametrize("harm", ["delete", "damage"])
def test_file_that_is_lost_after_it_was_loaded(new_database, survey, tmp_path, harm):
    """The others are photometered; when the file is back, the next run does the rest."""
    own = survey.copy(tmp_path / "own", survey.exposures(day=DAYS[0])[:3])
    lost = own.exposures()[1]
    content = lost.read_bytes()
    succeed("load", "exposure", own.folder)
    succeed("load", "catalog", own.catalog)
    if harm == "delete":
        lost.unlink()
    else:
        lost.write_bytes(content[:-40_000])
    outcome = roman_db("run", "daily")
    assert outcome.code == 1
    assert "1 exposure rejected" in outcome.out
    assert execute(new_database, BLOCKS) == [("F146", DAYS[0], 2)]
    ((source, code),) = execute(new_database, "SELECT DISTINCT source, code FROM ops.load_rejection")
    assert source.startswith(str(lost))
    assert code == {"delete": "missing_file", "damage": "changed_file"}[harm]
    counts = "SELECT n_read, n_loaded, n_rejected FROM ops.load_run WHERE task = 'run daily'"
    assert execute(new_database, counts) == [(3, 2, 1)]
    # The PSF of the day is that of the others.
    assert execute(new_database, "SELECT cardinality(exposure_id) FROM roman.psf_model") == [(2,)]

    lost.write_bytes(content)
    succeed("run", "daily")
    assert execute(new_database, BLOCKS) == [("F146", DAYS[0], 2), ("F146", DAYS[0], 1)]


@pytest.mark.heavy
def test_block_is_kept_when_one_of_its_files_is_lost(photometered, survey, tmp_path):
    """Doing it again without that exposure would lose points: the block stays, and it is said why."""
    before = stored_rows(photometered)
    name = survey.exposures()[0].name
    execute(
        photometered, f"UPDATE ops.input_file SET path = '/nowhere/lost_cal.asdf' WHERE filename = '{name}'"
    )
    outcome = roman_db("run", "daily", "--redo", "--day", DAYS[0], "--optical-element", "F146")
    assert outcome.code == 1
    assert "/nowhere/lost_cal.asdf" in outcome.err
    after = stored_rows(photometered)
    for name in ("light_curve", "block", "summary"):
        assert after[name] == before[name]


@pytest.mark.heavy
def test_without_a_catalog(new_database, survey):
    succeed("load", "exposure", *survey.exposures("F087"))
    outcome = roman_db("run", "daily")
    assert outcome.code == 1
    failed = [line for line in outcome.out.splitlines() if line.startswith("failed photometer")]
    assert len(failed) == 1
    assert "no catalogued object" in failed[0]
    assert "roman-db load catalog" in failed[0]
    assert "Traceback" not in outcome.err
    assert "Rejected" not in outcome.err + outcome.out
    assert len(outcome.lines("no catalogued object")) == 1
    assert "1 exposure rejected" in outcome.out
    assert execute(new_database, BLOCKS) == []
    # Without stars there is no PSF to build, which needs no second complaint.
    assert [(task, state) for task, _, state in task_units(new_database)] == [("photometer", "failed")]
    rejected = "SELECT source, code, row_number FROM ops.load_rejection"
    (path,) = survey.exposures("F087")
    assert execute(new_database, rejected) == [(str(path), "no_catalog", None)]
    counts = "SELECT n_read, n_loaded, n_rejected, state FROM ops.load_run WHERE task = 'run daily'"
    assert execute(new_database, counts) == [(1, 0, 1, "failed")]
    succeed("load", "catalog", survey.catalog)
    succeed("run", "daily")
    assert execute(new_database, BLOCKS) == ALL_BLOCKS[1:2]


@pytest.mark.heavy
def test_every_exposure_without_a_catalog_is_a_rejection(new_database, survey):
    succeed("load", "exposure", *survey.exposures())
    assert roman_db("run", "daily").code == 1
    codes = "SELECT code, count(*), count(DISTINCT source) FROM ops.load_rejection GROUP BY 1"
    n = len(survey.exposures())
    assert execute(new_database, codes) == [("no_catalog", n, n)]
    counts = "SELECT n_read, n_loaded, n_rejected FROM ops.load_run WHERE task = 'run daily'"
    assert execute(new_database, counts) == [(n, 0, n)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--detector", "WFI99"), ("'WFI99'", "WFI01", "WFI18")),
        (("--optical-element", "X"), ("'X'", "F087", "F146")),
        (("--optical-element", "GRISM"), ("'GRISM'", "F146")),
        (("--day", "999999999999"), ("999999999999", "MJD", str(DAYS[0]), str(DAYS[1]))),
        (("--day", "-5"), ("-5", "MJD", str(DAYS[0]))),
    ],
)
def test_selections_that_are_none(loaded, options, words):
    outcome = roman_db("run", "daily", *options)
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    said = " ".join(outcome.err.split())
    assert options[0] in said
    assert [word for word in words if word not in said] == []
    assert execute(loaded, "SELECT count(*) FROM ops.load_run WHERE task = 'run daily'") == [(0,)]


def test_without_an_exposure(new_database):
    outcome = roman_db("run", "daily")
    assert outcome.code == 1
    assert "No exposure is loaded" in outcome.err
    assert "roman-db load exposure" in outcome.err


@pytest.mark.heavy
@pytest.mark.parametrize("width", ["80", "60"])
def test_names_of_metrics_are_whole_and_say_where_no_limit_is(photometered, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    out = succeed("run", "daily", "--redo", "--optical-element", "F146", "--day", DAYS[0]).out
    lines = [line for line in out.splitlines() if line.startswith("│ ")]
    cells = {line.split("│")[1].strip(): line.split("│")[-2].strip() for line in lines}
    verdicts = "SELECT metric, array_agg(DISTINCT verdict) FROM ops.quality_metric GROUP BY 1 ORDER BY 1"
    stored = dict(execute(photometered, verdicts))
    assert set(cells) - {""} == set(stored)
    without = {metric for metric, found in stored.items() if found == ["unlimited"]}
    assert without & {"scatter_17", "scatter_24"}
    if width == "80":
        assert {metric for metric, verdict in cells.items() if verdict == "unlimited"} == without


def test_filter_in_which_no_star_has_a_flux(new_database, survey):
    """Nothing is known of the brightness in F087: it is measured all the same."""
    succeed("load", "exposure", *survey.exposures("F087"))
    succeed("load", "catalog", survey.catalog)
    execute(new_database, "DELETE FROM roman.object_flux WHERE optical_element = 'F087'")
    roman_db("run", "daily")
    assert execute(new_database, BLOCKS) == ALL_BLOCKS[1:2]
    star, flux, error, flags = curves(new_database, "F087")
    good = (flags & ~PhotometryFlag.CROWDED) == 0
    bright = good & (flux > 100 * error)
    assert np.median(flux[bright] / truth(survey, "F087", star[bright])) == pytest.approx(1.0, abs=0.02)


@pytest.mark.heavy
def test_limits_are_rows(photometered):
    """A narrower limit for the element beats that for any; the next measurement is judged by it."""
    verdicts = (
        "SELECT DISTINCT verdict FROM ops.quality_metric WHERE metric = 'reduced_chi2' AND load_run_id = {}"
    )
    ((latest,),) = execute(photometered, "SELECT max(load_run_id) FROM ops.load_run")
    assert ("failure",) not in execute(photometered, verdicts.format(latest))
    execute(
        photometered,
        "INSERT INTO ops.quality_limit (metric, optical_element, upper, severity, description, unit) "
        "VALUES ('reduced_chi2', 'F087', 0.001, 'failure', 'nothing is good enough', '')",
    )
    outcome = succeed("run", "daily", "--redo", "--optical-element", "F087")
    assert execute(photometered, verdicts.format(latest + 1)) == [("failure",)]
    (line,) = [line for line in outcome.out.splitlines() if "reduced_chi2" in line]
    assert "failure" in line


def test_psf_of_the_nearest_epoch_or_of_the_optics(photometered):
    day = "SELECT epoch_mjd_tdb FROM roman.psf_model WHERE optical_element = 'F146' ORDER BY 1"
    (early,), (late,) = execute(photometered, day)
    with session.reading() as connection:
        served = [psf_for(connection, DETECTOR, "F146", epoch) for epoch in (early - 9, late + 9)]
        none = psf_for(connection, "WFI12", "F146", early)
    stamps, optics = [one.psf.stamps for one in served], none.psf.stamps
    assert [one.epoch_mjd_tdb for one in served] == [early, late]
    assert none.psf_model_id is None
    assert math.isnan(none.epoch_mjd_tdb)
    assert not np.array_equal(*stamps)
    stored = execute(
        photometered,
        "SELECT stamp FROM roman.psf_model WHERE optical_element = 'F146' ORDER BY epoch_mjd_tdb",
    )
    for found, (stamp,) in zip(stamps, stored, strict=True):
        core = np.frombuffer(stamp, "<f4")
        size = math.isqrt(core.size)
        np.testing.assert_array_equal(_centre(core.reshape(size, size)), _centre(found[0, 0]))
    assert _centre(optics[0, 0]) == pytest.approx(_centre(optical_psf("WFI12", "F146").stamps[0, 0]))


def _centre(stamp):
    """The inner 21 by 21 points of a stamp, where no wings are added."""
    middle = stamp.shape[0] // 2
    return stamp[middle - 10 : middle + 11, middle - 10 : middle + 11]
