"""Every exposure that the daily mode lists is accounted for, whatever goes wrong with it or with its unit."""

from __future__ import annotations

import pytest

from loaders.daily import tasks
from loaders.photometry import load as photometry
from loaders.psf import load as psf
from tests.faults.command_line import roman_db, succeed
from tests.faults.survey import DAYS, DETECTOR
from tests.roman_db.conftest import execute

RUN = "SELECT state, n_expected, n_read, n_loaded, n_rejected FROM ops.load_run WHERE task = 'run daily'"
BLOCKS = """
SELECT optical_element, start_mjd, n_epoch FROM roman.light_curve_block
WHERE superseded_at IS NULL ORDER BY start_mjd, optical_element DESC, n_epoch DESC
"""
REASONS = "SELECT source, code, reason FROM ops.load_rejection ORDER BY source"


@pytest.fixture
def psf_of_the_optics(monkeypatch):
    """No PSF is built, which takes long: the photometry has that of the optics."""
    monkeypatch.setattr(tasks, "has_stars", lambda *given: False)


def fail_on(monkeypatch, module, name, is_hit):
    """Make a function raise a KeyError where told."""
    function = getattr(module, name)

    def fails(*given, **named):
        if is_hit(*given):
            raise KeyError("not foreseen")
        return function(*given, **named)

    monkeypatch.setattr(module, name, fails)


@pytest.mark.heavy
@pytest.mark.usefixtures("psf_of_the_optics")
def test_an_exposure_on_which_our_code_fails_costs_its_block_nothing_else(loaded, survey, monkeypatch):
    bad = survey.exposures(day=DAYS[0])[1]
    with monkeypatch.context() as patch:
        fail_on(patch, photometry, "measure_exposure", lambda path, *others: path.name == bad.name)
        outcome = roman_db("run", "daily", "--day", DAYS[0], "--optical-element", "F146")
    assert outcome.code == 1
    assert "1 units done, 0 failed; 1 blocks of 3 exposures" in outcome.out
    assert "1 exposure rejected" in outcome.out
    assert "Traceback (most recent call last)" in outcome.err
    reason = "the loader failed on it with KeyError: 'not foreseen'"
    assert execute(loaded, REASONS) == [(str(bad), "unexpected_error", reason)]
    assert execute(loaded, RUN) == [("succeeded", 4, 4, 3, 1)]
    succeed("run", "daily", "--day", DAYS[0], "--optical-element", "F146")
    assert execute(loaded, BLOCKS) == [("F146", DAYS[0], 3), ("F146", DAYS[0], 1)]


@pytest.mark.heavy
@pytest.mark.usefixtures("psf_of_the_optics")
def test_a_unit_that_raises_has_its_exposures_rejected(loaded, survey, monkeypatch):
    fail_on(
        monkeypatch, photometry, "write_blocks", lambda _, blocks, *others: blocks[0].key.start_mjd == DAYS[1]
    )
    outcome = roman_db("run", "daily", "--optical-element", "F146")
    assert outcome.code == 1
    assert "1 units done, 1 failed; 1 blocks of 4 exposures" in outcome.out
    ((field,),) = execute(
        loaded, "SELECT DISTINCT name FROM roman.field JOIN roman.exposure USING (field_id)"
    )
    unit = f"photometer {field} {DETECTOR} F146 {DAYS[1]}"
    assert f"failed {unit}: KeyError: 'not foreseen'" in outcome.out
    reason = f"{unit} failed: KeyError: 'not foreseen'"
    files = survey.exposures(day=DAYS[1])
    assert execute(loaded, REASONS) == [(str(path), "unit_failed", reason) for path in files]
    assert execute(loaded, RUN) == [("partly_failed", 8, 8, 4, 4)]
    ((n_failed, message),) = execute(
        loaded, "SELECT n_failed_unit, message FROM ops.run_overview WHERE task = 'run daily'"
    )
    assert (n_failed, message) == (1, f"1 of 2 units failed: {unit}: KeyError: 'not foreseen'")
    status = succeed("status").out
    assert "partly_failed" in status
    assert message in status
    assert "of all runs: 1 partly_failed" in status
    assert "passed  run_not_reconciled" in succeed("audit", "run_not_reconciled").out


def test_a_psf_that_cannot_be_built_is_a_failed_unit_and_no_lost_exposure(loaded, monkeypatch):
    fail_on(monkeypatch, psf, "build_detector_psf", lambda *given: True)
    outcome = roman_db("run", "daily", "--optical-element", "F087")
    assert outcome.code == 1
    assert execute(loaded, RUN) == [("partly_failed", 2, 2, 1, 1)]
    assert execute(loaded, BLOCKS) == [("F087", DAYS[0], 1)]
    ((source, code, _),) = execute(loaded, REASONS)
    assert (source, code) == (f"psf {DETECTOR} F087 {DAYS[0]}", "unit_failed")
    assert "1 image or unit rejected" in outcome.out


def test_stars_that_are_too_faint_for_a_psf_are_said(loaded):
    """The exposures show them and the catalog has their fluxes: nothing is left out silently."""
    execute(loaded, "UPDATE roman.object_flux SET psf_flux = 1e-3 WHERE optical_element = 'F087'")
    outcome = roman_db("run", "daily", "--optical-element", "F087")
    assert outcome.code == 1
    ((source, code, reason),) = execute(loaded, REASONS)
    assert (source, code) == (f"psf {DETECTOR} F087 {DAYS[0]}", "no_star")
    assert "no star" in reason
    assert execute(loaded, RUN) == [("partly_failed", 2, 2, 1, 1)]
    assert execute(loaded, BLOCKS) == [("F087", DAYS[0], 1)]
    succeed("audit", "run_not_reconciled")


def test_no_psf_is_tried_of_an_element_in_which_no_star_has_a_flux(loaded):
    """It would fail until the first image was searched; the photometry is made with that of the optics."""
    execute(loaded, "UPDATE roman.object_flux SET psf_flux = 'NaN' WHERE optical_element = 'F087'")
    succeed("run", "daily", "--optical-element", "F087")
    assert execute(loaded, "SELECT DISTINCT task FROM ops.task_run") == [("photometer",)]
    assert execute(loaded, BLOCKS) == [("F087", DAYS[0], 1)]


@pytest.mark.heavy
@pytest.mark.usefixtures("psf_of_the_optics")
def test_photometry_that_drops_an_exposure_is_caught(loaded, monkeypatch):
    measure_all = photometry._measure_all
    monkeypatch.setattr(photometry, "_measure_all", lambda *given: list(measure_all(*given))[:-1])
    outcome = roman_db("run", "daily", "--day", DAYS[1])
    assert outcome.code == 1
    assert "1 of the inputs that it was given are neither loaded nor rejected" in " ".join(
        outcome.out.split()
    )
    assert execute(loaded, RUN) == [("failed", 4, 4, 3, 1)]


@pytest.mark.usefixtures("psf_of_the_optics")
def test_an_exposure_that_the_database_lost_is_expected_all_the_same(loaded, monkeypatch):
    """The unit names it, though reading the exposures does not find it."""
    read = photometry.read_exposures
    monkeypatch.setattr(photometry, "read_exposures", lambda *given: read(*given)[1:])
    assert roman_db("run", "daily", "--day", DAYS[1]).code == 1
    assert execute(loaded, RUN) == [("failed", 4, 4, 3, 1)]


def test_files_of_the_exposures_are_on_the_run(photometered, survey):
    query = """
        SELECT i.role, i.path, i.sha256 = f.sha256 AND i.size_bytes = f.size_bytes
        FROM ops.load_run_input i
        JOIN ops.load_run r USING (load_run_id) JOIN ops.input_file f USING (file_id)
        WHERE r.task = 'run daily' ORDER BY i.path"""
    files = sorted(map(str, [*survey.exposures(), *survey.exposures("F087")]))
    assert execute(photometered, query) == [("exposure", path, True) for path in files]


@pytest.mark.parametrize("known", [True, False])
def test_names_of_exposures(photometered, known):
    ((number, path),) = execute(
        photometered,
        "SELECT exposure_id, path FROM roman.exposure JOIN ops.input_file USING (file_id) LIMIT 1",
    )
    number = number if known else 5
    unit = tasks.Unit("u", {"exposure_id": [number]})
    assert tasks.exposure_names(unit) == [path if known else "exposure 5"]
