"""``roman-db load spectral-reference``: versions, validity, the best, and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace

import asdf
import numpy as np
import pytest

from loaders.spectral_extraction.calibration_file import (
    FLAT,
    SENSITIVITY,
    FlatReference,
    designed_sensitivity,
    read_flat,
    read_sensitivity,
    write_flat,
    write_sensitivity,
)
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.spectral_geometry.reference_file import write_reference
from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

ROWS = """
SELECT reftype, optical_element, detector, version, valid_from_mjd, valid_to_mjd, superseded_at IS NULL
FROM roman.calibration_reference ORDER BY calibration_reference_id
"""
CONF = """
OPTICAL_ELEMENT GRISM
DISPX_1_0 0.0
DISPX_1_1 0.1
DISPY_1_0 -400
DISPY_1_1 900
DISPL_1_0 10000
DISPL_1_1 9000
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("references")
    designed = nominal_reference("GRISM")
    write_reference(folder / "first.asdf", designed)
    write_reference(folder / "second.asdf", replace(designed, wavelength_range=(0.9, 2.0)))
    write_sensitivity(folder / "sensitivity.asdf", designed_sensitivity("GRISM"))
    write_flat(folder / "flat.asdf", FlatReference("GRISM", "WFI07", np.ones((40, 40))))
    (folder / "one.conf").write_text(CONF)
    return folder


def test_what_is_written_is_read(files):
    flat, sensitivity = read_flat(files / "flat.asdf"), read_sensitivity(files / "sensitivity.asdf")
    assert (flat.detector, flat.values.shape) == ("WFI07", (40, 40))
    curves, designed = sensitivity.curves["WFI05"], designed_sensitivity("GRISM").curves["WFI05"]
    assert set(curves) == {0, 1, 2}
    np.testing.assert_array_equal(curves[1].value, designed[1].value)


def test_versions_follow_and_the_same_again_changes_nothing(new_database, files, tmp_path):
    out = succeed("load", "spectral-reference", files / "first.asdf", files / "sensitivity.asdf").out
    assert "2 files read: 2 loaded (0 of them were there already)" in out
    succeed("load", "spectral-reference", files / "second.asdf", "--valid-from", 61500)
    succeed("load", "spectral-reference", files / "flat.asdf", "--pedigree", "INFLIGHT")
    rows = execute(new_database, ROWS)
    assert rows == [
        ("geometry", "GRISM", None, 0, 0.0, None, True),
        ("sensitivity", "GRISM", None, 0, 0.0, None, True),
        ("geometry", "GRISM", None, 1, 61500.0, None, True),
        ("flat", "GRISM", "WFI07", 0, 0.0, None, True),
    ]
    moved = tmp_path / "moved.asdf"
    shutil.copy(files / "first.asdf", moved)
    again = succeed("load", "spectral-reference", moved).out
    assert "1 loaded (1 of them were there already)" in again
    assert (str(moved),) in execute(new_database, "SELECT path FROM ops.input_file")
    assert execute(new_database, ROWS) == rows


def test_a_version_has_one_file_unless_it_is_replaced(new_database, files):
    succeed("load", "spectral-reference", files / "first.asdf", "--version", 3)
    given = ("load", "spectral-reference", files / "second.asdf", "--version", 3)
    assert roman_db(*given).code == 1
    assert roman_db("load", "spectral-reference", files / "first.asdf", "--valid-to", 61000).code == 1
    codes = "SELECT DISTINCT code FROM ops.load_rejection"
    assert execute(new_database, codes) == [("reference_version_taken",)]
    succeed(*given, "--replace")
    assert [row[3:] for row in execute(new_database, ROWS)] == [
        (3, 0.0, None, False),
        (3, 0.0, None, True),
    ]
    succeed("load", "spectral-reference", files / "second.asdf", "--valid-to", 61000, "--replace")
    assert execute(new_database, ROWS)[-1][3:] == (3, 0.0, 61000.0, True)


def test_a_configuration_is_of_the_detector_that_people_say(new_database, files):
    assert roman_db("load", "spectral-reference", files / "one.conf").code == 1
    succeed("load", "spectral-reference", files / "one.conf", "--detector", "WFI02")
    assert execute(new_database, ROWS)[0][:4] == ("geometry", "GRISM", "WFI02", 0)
    assert execute(new_database, "SELECT code FROM ops.load_rejection") == [("no_detector",)]


def tree(key, **content):
    return {key: {"version": 1, "optical_element": "GRISM"} | content}


CURVE = {"wavelength": np.array([1.0, 2.0]), "value": np.array([1.0, np.nan])}


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (None, (), "missing_file"),
        ({"other": 1}, (), "not_dispersion"),
        (tree(SENSITIVITY, wavelength_unit="nm", curves={}), (), "not_sensitivity"),
        (tree(SENSITIVITY, wavelength_unit="um", curves={"WFI01": {"1": CURVE}}), (), "not_sensitivity"),
        (tree(FLAT, detector="WFI01", values=np.zeros((4, 4))), (), "not_flat"),
        (
            tree(FLAT, detector="WFI01", values=np.ones((4, 4))) | {},
            ("--detector", "WFI02"),
            "wrong_reference",
        ),
        (tree(FLAT, detector="WFI99", values=np.ones((4, 4))), (), "unknown_detector"),
        ({FLAT: {**tree(FLAT)[FLAT], "version": 9}}, (), "not_flat"),
    ],
)
def test_what_is_no_reference_is_refused_with_its_reason(new_database, tmp_path, content, options, code):
    path = tmp_path / "reference.asdf"
    if content is not None:
        asdf.AsdfFile(content).write_to(path)
    outcome = roman_db("load", "spectral-reference", path, *options)
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert execute(new_database, "SELECT code FROM ops.load_rejection") == [(code,)]
    assert execute(new_database, ROWS) == []


def test_an_end_before_the_begin_is_refused(new_database, files):
    outcome = roman_db(
        *("load", "spectral-reference", files / "first.asdf", "--valid-from", 5, "--valid-to", 4)
    )
    assert outcome.code == 2
    assert "4.0 is not after 5.0" in outcome.err
