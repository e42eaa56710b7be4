"""``roman-db load exposure`` with files that cannot be used beside files that can."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from roman_datamodels.dqflags import pixel

from tests.faults.command_line import roman_db, succeed
from tests.loaders.wfi.conftest import NAME, SHAPE
from tests.roman_db.conftest import execute, forget


def _changed(path: Path, folder: Path, change) -> Path:
    target = folder / path.name
    target.write_bytes(change(path.read_bytes()))
    return target


def _flipped(content: bytes) -> bytes:
    """One bit of the first binary block is another."""
    at = content.index(b"\xd3BLK") + 54 + 100
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _without_index(content: bytes, old: bytes, new: bytes) -> bytes:
    return content[: content.rindex(b"#ASDF BLOCK INDEX")].replace(old, new)


@pytest.fixture
def bad_files(make_level2, survey, tmp_path) -> dict[Path, str]:
    """Files that cannot be used, each with the code that it is to be refused with."""
    folder = tmp_path / "bad"
    folder.mkdir()
    f146 = survey.exposures()
    codes = {
        _changed(f146[0], folder, lambda content: content[: len(content) // 2]): "truncated",
        _changed(f146[1], folder, _flipped): "corrupted",
        _changed(f146[2], folder, lambda c: _without_index(c, b"telescope: ROMAN", b"telescope: EUCLI")):
            "schema_violation",
        _changed(f146[3], folder, lambda c: _without_index(c, b"detector: WFI07", b"detector: WFI70")):
            "schema_violation",
        folder / "missing_cal.asdf": "missing_file",
    }  # fmt: skip
    (folder / "text_cal.asdf").write_text("ra,dec\n1,2\n")
    (folder / "empty_cal.asdf").touch()
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(folder / "fits_cal.asdf")
    codes |= {folder / "text_cal.asdf": "not_asdf", folder / "empty_cal.asdf": "empty_file"}
    codes[folder / "fits_cal.asdf"] = "not_asdf"
    saturated = {"dq": np.full(SHAPE, pixel.SATURATED.value, np.uint32), "err": np.zeros(SHAPE, np.float16)}
    made = {
        "no_wcs": {"wcs": None},
        "all_nan": {"arrays": {"data": np.full(SHAPE, np.nan, np.float32)}},
        "fully_saturated": {"arrays": saturated},
    }
    for number, (code, how) in enumerate(made.items(), 10):
        codes[make_level2(name=NAME.replace("_0007_", f"_00{number}_"), **how)] = code
    return codes


def test_each_bad_file_is_one_clear_line_and_leaves_the_others(new_database, survey, bad_files, monkeypatch):
    monkeypatch.setenv("ROMAN_DB_LOG_FORMAT", "json")
    forget()
    good = survey.exposures()[4:6]
    mixed = [*list(bad_files)[:6], *good, *list(bad_files)[6:]]
    outcome = roman_db("load", "exposure", *mixed)

    assert outcome.code == 1
    assert (
        outcome.out
        == f"{len(mixed)} files read: 2 loaded (0 of them were there already), {len(bad_files)} rejected.\n"
    )
    assert "Traceback" not in outcome.err
    rows = execute(new_database, "SELECT source, code, reason, remedy, row_number FROM ops.load_rejection")
    assert {source.split(": ")[0]: code for source, code, *_ in rows} == {
        str(k): v for k, v in bad_files.items()
    }
    for source, _, reason, remedy, row_number in rows:
        (line,) = outcome.lines(f'"{source}"')
        said = json.loads(line)
        assert (said["source"], said["reason"], said["remedy"]) == (source, reason, remedy)
        assert row_number is None
        assert re.match(r"[A-Z]", remedy), remedy
    loaded = execute(new_database, "SELECT filename FROM roman.exposure ORDER BY 1")
    assert loaded == [(path.name,) for path in good]
    counts = "SELECT n_read, n_loaded, n_rejected, state FROM ops.load_run"
    assert execute(new_database, counts) == [(len(mixed), 2, len(bad_files), "succeeded")]


@pytest.mark.parametrize("names", [["file"], ["folder"], ["file", "folder"]])
def test_what_cannot_be_read_leaves_the_others(new_database, survey, tmp_path, monkeypatch, names):
    """Whoever runs the tests may read everything, so the operating system's answer is put in its place."""
    locked = {"file": tmp_path / "locked_cal.asdf", "folder": tmp_path / "folder"}
    locked["file"].touch()
    locked["folder"].mkdir()
    _lock(monkeypatch, set(locked.values()))
    good = survey.exposures()[0]
    outcome = roman_db("load", "exposure", *(locked[name] for name in names), good)
    assert outcome.code == 1, outcome
    n = len(names)
    assert outcome.out == f"{n + 1} files read: 1 loaded (0 of them were there already), {n} rejected.\n"
    rows = execute(
        new_database, "SELECT source, code, reason FROM ops.load_rejection ORDER BY load_rejection_id"
    )
    expected = [(str(locked[name]), "unreadable_file") for name in names]
    assert [row[:2] for row in rows] == expected
    assert all("Permission denied" in reason for *_, reason in rows)
    assert execute(new_database, "SELECT filename FROM roman.exposure") == [(good.name,)]


def _lock(monkeypatch, paths: set[Path]) -> None:
    """Answer as the operating system does to those who have no right to read."""
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    forget()
    for owner, name in ((os, "access"), (Path, "open"), (Path, "iterdir")):
        monkeypatch.setattr(owner, name, _refusing(getattr(owner, name), paths))


def _refusing(function, paths: set[Path]):
    """Function that fails for some paths."""

    def refuse(path, *arguments, **options):
        if isinstance(path, int) or Path(os.fsdecode(path)) not in paths:
            return function(path, *arguments, **options)
        if function.__name__ == "access":
            return False
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    return refuse


def test_the_query_that_is_offered_tells_why(new_database, survey, tmp_path):
    other = survey.exposures()[0]
    succeed("load", "exposure", other)
    roman_db("load", "exposure", tmp_path / "of_an_earlier_run.asdf")
    outcome = roman_db("load", "exposure", tmp_path / "none.asdf", shutil.copy(other, tmp_path / "twin.asdf"))
    (offered,) = outcome.lines("Why: ")
    words = shlex.split(offered.split("Why: ")[1])
    answer = succeed(*words[1:], "--format", "csv").out
    assert "missing_file" in answer
    assert "duplicate_content" in answer
    assert "earlier" not in answer


def test_bad_files_again_are_refused_again(new_database, survey, tmp_path):
    """A second attempt finds the same, and the repaired file is then loaded."""
    path = tmp_path / survey.exposures()[0].name
    whole = survey.exposures()[0].read_bytes()
    path.write_bytes(whole[:5000])
    assert [roman_db("load", "exposure", path).code for _ in range(2)] == [1, 1]
    path.write_bytes(whole)
    succeed("load", "exposure", path)
    assert execute(new_database, "SELECT count(*) FROM roman.exposure") == [(1,)]
    assert execute(new_database, "SELECT count(*) FROM ops.load_rejection") == [(2,)]


def test_nothing_given_is_a_usage_error(new_database):
    outcome = roman_db("load", "exposure")
    assert outcome.code == 2
    assert "FILES" in outcome.err
