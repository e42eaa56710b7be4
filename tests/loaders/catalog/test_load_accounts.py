"""Every row that a catalog says it has is accounted for; its files are on the run with their checksums."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from loaders.catalog import load
from loaders.catalog.read import Chunk
from tests.faults.command_line import roman_db, succeed
from tests.loaders.catalog.conftest import FORMATS
from tests.loaders.catalog.stored import count, refused, stars, write
from tests.roman_db.conftest import execute

RUNS = """
SELECT state, n_expected, n_read, n_loaded, n_unchanged, n_rejected FROM ops.load_run ORDER BY load_run_id
"""
INPUTS = """
SELECT i.load_run_id, i.role, i.path, i.sha256, f.sha256 = i.sha256
FROM ops.load_run_input i LEFT JOIN ops.input_file f USING (file_id) ORDER BY 1, 2
"""


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def without_the_last(chunks):
    """Chunks that have lost their last row."""
    for chunk in chunks:
        yield Chunk(chunk.first_row, {name: column[:-1] for name, column in chunk.columns.items()})


def check_nothing_is_stored(url, outcome):
    assert outcome.code == 1
    assert "1 of the inputs that it was given are neither loaded nor rejected" in outcome.err
    assert [count(url, name) for name in ("roman.object", "roman.catalog_version", "ops.input_file")] == [
        0,
        0,
        0,
    ]
    ((state, message),) = execute(url, "SELECT state, message FROM ops.load_run")
    assert state == "failed"
    assert "1 of the inputs" in message


@pytest.mark.parametrize("kind", FORMATS)
def test_a_reader_that_drops_a_row_is_caught(new_database, write_catalog, monkeypatch, kind):
    read_chunks = load.read_chunks
    monkeypatch.setattr(load, "read_chunks", lambda *given: without_the_last(read_chunks(*given)))
    outcome = roman_db("load", "catalog", write_catalog(stars(), kind), "--name", "survey")
    check_nothing_is_stored(new_database, outcome)


def test_a_check_that_drops_a_row_is_caught(new_database, tmp_path, monkeypatch):
    """A row that is neither good nor refused."""
    check_rows = load.check_rows

    def loses(*given):
        sources, refused_rows = check_rows(*given)
        return sources.take(np.arange(len(sources)) != 5), refused_rows

    monkeypatch.setattr(load, "check_rows", loses)
    outcome = roman_db("load", "catalog", write(stars(), tmp_path / "a.ecsv"), "--name", "survey")
    check_nothing_is_stored(new_database, outcome)


def test_a_file_that_is_refused_is_one_input_and_one_that_is_used_has_its_rows(new_database, tmp_path):
    path = tmp_path / "a.ecsv"
    path.write_text("no catalog")
    refused(path)
    table = stars()
    table["ra"][2] = np.nan
    refused(write(table, path), "--name", "survey")
    write(stars(), path)
    succeed("load", "catalog", path, "--name", "survey")
    succeed("load", "catalog", path, "--name", "survey")
    assert execute(new_database, RUNS) == [
        ("succeeded", 1, 1, 0, 0, 1),
        ("succeeded", 12, 12, 11, 0, 1),
        ("succeeded", 12, 12, 12, 0, 0),
        ("succeeded", 12, 12, 12, 12, 0),
    ]


def test_checksums_of_catalogs_and_mappings(new_database, tmp_path):
    """Also of a catalog that was loaded before, and of one that is refused."""
    path, mapping = write(stars(), tmp_path / "a.ecsv"), tmp_path / "map.yaml"
    mapping.write_text("columns:\n  source_id: source_id\n  ra: {column: ra}\n  dec: {column: dec}\n")
    succeed("load", "catalog", path, "--name", "survey", "--mapping", mapping)
    succeed("load", "catalog", path, "--name", "survey")
    missing = tmp_path / "missing.ecsv"
    refused(missing)
    text = tmp_path / "text.ecsv"
    text.write_text("no catalog")
    refused(text)
    assert execute(new_database, INPUTS) == [
        (1, "catalog", str(path), sha256(path), True),
        (1, "mapping", str(mapping), sha256(mapping), None),
        (2, "catalog", str(path), sha256(path), True),
        (3, "catalog", str(missing), None, None),
        (4, "catalog", str(text), sha256(text), None),
    ]
