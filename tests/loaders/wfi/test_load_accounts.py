"""Every exposure file that is given is accounted for, with its checksum, whatever goes wrong with one."""

from __future__ import annotations

import hashlib

import pytest

from loaders.wfi import load
from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

RUNS = "SELECT state, n_expected, n_read, n_loaded, n_unchanged, n_rejected FROM ops.load_run ORDER BY 1, 2"
INPUTS = """
SELECT i.load_run_id, i.role, i.path, i.sha256, i.size_bytes, f.sha256 IS NOT NULL
FROM ops.load_run_input i LEFT JOIN ops.input_file f USING (file_id) ORDER BY 1, 3
"""


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_stored(url):
    return [name for (name,) in execute(url, "SELECT filename FROM roman.exposure ORDER BY filename")]


@pytest.mark.parametrize("where", ["describe_exposure", "_exposure_row"])
def test_a_file_on_which_our_code_fails_costs_the_others_nothing(new_database, survey, monkeypatch, where):
    first, bad, last = survey.exposures()[:3]
    function = getattr(load, where)

    def fails(given, *others):
        if getattr(given, "path", given).name == bad.name:
            raise KeyError("exposure_start_time")
        return function(given, *others)

    monkeypatch.setattr(load, where, fails)
    outcome = roman_db("load", "exposure", first, bad, last)
    assert outcome.code == 1
    assert "3 files read: 2 loaded (0 of them were there already), 1 rejected." in outcome.out
    assert "Traceback (most recent call last)" in outcome.err
    assert "in fails" in outcome.err
    assert files_stored(new_database) == [first.name, last.name]
    query = "SELECT source, code, reason, remedy FROM ops.load_rejection"
    ((source, code, reason, remedy),) = execute(new_database, query)
    assert (source, code) == (str(bad), "unexpected_error")
    assert reason == "the loader failed on it with KeyError: 'exposure_start_time'"
    assert "Report it" in remedy
    assert execute(new_database, RUNS) == [("succeeded", 3, 3, 2, 0, 1)]


def test_a_loader_that_drops_a_file_is_caught(new_database, survey, monkeypatch):
    describe_all = load._describe_all
    monkeypatch.setattr(load, "_describe_all", lambda paths: list(describe_all(paths))[:-1])
    outcome = roman_db("load", "exposure", *survey.exposures()[:3])
    assert outcome.code == 1
    assert "1 of the inputs that it was given are neither loaded nor rejected" in outcome.err
    assert execute(new_database, RUNS) == [("failed", 3, 2, 2, 0, 0)]
    ((message,),) = execute(new_database, "SELECT message FROM ops.load_run")
    assert "1 of the inputs" in message


def test_checksums_of_all_files_that_were_given(new_database, survey, tmp_path):
    """Of those that are loaded, refused, and loaded before; a file that is not there has none."""
    good, text, missing = survey.exposures()[0], tmp_path / "text_cal.asdf", tmp_path / "missing_cal.asdf"
    text.write_text("ra,dec\n1,2\n")
    assert roman_db("load", "exposure", good, text, missing).code == 1
    succeed("load", "exposure", good)
    of_good = ("exposure", str(good), sha256(good), good.stat().st_size, True)
    others = [
        (1, "exposure", str(text), sha256(text), 11, False),
        (1, "exposure", str(missing), None, None, False),
    ]
    assert execute(new_database, INPUTS) == [
        *sorted([(1, *of_good), *others], key=lambda row: row[2]),
        (2, *of_good),
    ]
    assert execute(new_database, RUNS) == [("succeeded", 1, 1, 1, 1, 0), ("succeeded", 3, 3, 1, 0, 2)]


def test_a_file_that_is_named_twice_is_two_inputs(new_database, survey):
    good = survey.exposures()[0]
    succeed("load", "exposure", good, good)
    assert execute(new_database, RUNS) == [("succeeded", 2, 2, 2, 1, 0)]
    assert len(execute(new_database, INPUTS)) == 1
