"""What is written when something has changed, and when an export has ended before its time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from botocore.exceptions import EndpointConnectionError
from hats.io.validation import is_valid_collection
from pyarrow import parquet

from roman_db import session
from roman_db.archive.hats import export as module
from roman_db.archive.hats.export import Options, export
from roman_db.query.error import QueryError

pytestmark = pytest.mark.heavy

LIMIT = 300


def run(place: Path, **options) -> module.Outcome:
    return export(Options("objects", str(place), limit=LIMIT, **options), lambda *step: None)


def files(place: Path, number: int) -> dict[str, int]:
    """Files of tiles of a state of a collection, by their paths, with the numbers of the system."""
    top = place / "objects" / f"objects_{number:04d}" / "dataset"
    return {str(path.relative_to(top)): path.stat().st_ino for path in top.rglob("Npix*")}


def stored(place: Path, number: int) -> dict[int, float]:
    top = place / "objects" / f"objects_{number:04d}" / "dataset"
    tables = [parquet.ParquetFile(path).read(["object_id", "dec"]) for path in sorted(top.rglob("Npix*"))]
    return {key: value for one in tables for key, value in zip(*one.to_pydict().values(), strict=True)}


def move(sky, row: int, degrees: float) -> None:
    """Move an object, as a catalog does: with a version of its own."""
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(
            f"UPDATE roman.object SET dec = dec + {degrees}, catalog_version_id = catalog_version_id + 1 "
            f"WHERE object_id = {sky.object_id[row]}"
        )


def test_only_tiles_that_have_changed_are_written(sky, tmp_path):
    first = run(tmp_path)
    assert first.n_written >= first.n_tile > 9
    again = run(tmp_path)
    assert (again.n_written, again.n_row) == (0, first.n_row)
    assert not (tmp_path / "objects/objects_0002").exists()
    move(sky, 100, 1e-7)
    second = run(tmp_path)
    assert 1 <= second.n_written <= 4
    old, new = files(tmp_path, 1), files(tmp_path, 2)
    assert old.keys() == new.keys()
    assert sum(old[path] != new[path] for path in old) == second.n_written
    assert stored(tmp_path, 2)[int(sky.object_id[100])] == sky.dec[100] + 1e-7
    # Who has opened the state of before still reads it; one before that is gone after the next.
    assert stored(tmp_path, 1)[int(sky.object_id[100])] == sky.dec[100]
    move(sky, 100, 1e-7)
    run(tmp_path)
    assert not (tmp_path / "objects/objects_0001").exists()
    assert is_valid_collection(tmp_path / "objects", strict=True)


def test_an_object_that_moves_far_changes_places_and_one_that_is_dropped_goes(sky, tmp_path):
    run(tmp_path)
    move(sky, 7, 0.1)
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(f"DELETE FROM roman.object_flux WHERE object_id = {sky.object_id[8]}")
        connection.exec_driver_sql(f"DELETE FROM roman.object WHERE object_id = {sky.object_id[8]}")
    run(tmp_path)
    found = stored(tmp_path, 2)
    assert len(found) == sky.object_id.size - 1
    assert int(sky.object_id[8]) not in found
    assert found[int(sky.object_id[7])] == sky.dec[7] + 0.1
    assert run(tmp_path).n_written == 0


def test_another_margin_or_a_missing_file_is_noticed(sky, tmp_path):
    n_tile = run(tmp_path).n_written
    assert run(tmp_path, margin=2.0).n_written == n_tile
    lost = tmp_path / "objects/objects_0002/dataset" / next(iter(files(tmp_path, 2)))
    lost.unlink()
    assert run(tmp_path, margin=2.0).n_written == 1
    assert is_valid_collection(tmp_path / "objects", strict=True)


def test_killed_anywhere_it_goes_on_where_it_was(sky, tmp_path):
    """Killed after some tiles by the kernel's own signal; what readers see does not change until the end."""
    script = (
        "import os, signal\n"
        "from roman_db.archive.hats.export import Options, export\n"
        "def step(name, done, total):\n"
        "    if done > total / 2:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"export(Options('objects', {str(tmp_path)!r}, limit={LIMIT}), step)\n"
    )
    died = subprocess.run([sys.executable, "-c", script], env=os.environ, timeout=300, check=False)
    assert died.returncode == -signal.SIGKILL
    assert not (tmp_path / "objects/collection.properties").exists()
    before = files(tmp_path, 1)
    assert before
    run(tmp_path)
    after = files(tmp_path, 1)
    # One is written once more, for the object that has moved far.
    assert sum(after[path] != before[path] for path in before) <= 1 < len(before)
    assert stored(tmp_path, 1) == dict(zip(sky.object_id.tolist(), sky.dec.tolist(), strict=True))
    assert not (tmp_path / "objects/.export").exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (EndpointConnectionError(endpoint_url="http://s3"), "Could not connect to the endpoint URL"),
    ],
)
def test_what_keeps_files_from_being_written_is_told_and_nothing_is_published(
    sky, tmp_path, monkeypatch, error, words
):
    """A full disk, or a store that went away, of which the library for it has an error of its own."""
    run(tmp_path)
    move(sky, 100, 1e-7)

    def failing(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_tile", failing)
        with pytest.raises(QueryError, match=rf"{words}.*\. What was published before is as it was"):
            run(tmp_path)
    assert "objects_0001" in (tmp_path / "objects/collection.properties").read_text()
    assert run(tmp_path).n_written >= 1


def test_a_row_that_is_lost_is_noticed(sky, tmp_path, monkeypatch):
    """A reader that leaves out a row is at fault; what was there before stays."""
    opened = module.open_catalog

    def losing(*given):
        catalog = opened(*given)
        rows = catalog.rows
        lost = int(sky.object_id[50])

        def some(*asked):
            for table in rows(*asked):
                yield table.filter(np.array(table["object_id"]) != lost)

        object.__setattr__(catalog, "rows", some)
        return catalog

    monkeypatch.setattr(module, "open_catalog", losing)
    with pytest.raises(QueryError, match="3000 rows of objects are in the database, 2999 were read"):
        run(tmp_path)
    assert not (tmp_path / "objects/collection.properties").exists()


def test_a_damaged_file_is_noticed_and_written_anew(sky, tmp_path):
    run(tmp_path)
    damaged = tmp_path / "objects/objects_0001/dataset" / min(files(tmp_path, 1))
    damaged.write_bytes(damaged.read_bytes()[:-8])
    move(sky, 2990, 1e-7)
    with pytest.raises(QueryError, match=r"is damaged .*: give the command with --anew"):
        run(tmp_path)
    assert "objects_0001" in (tmp_path / "objects/collection.properties").read_text()
    run(tmp_path, anew=True)
    assert is_valid_collection(tmp_path / "objects", strict=True)


def test_one_export_at_a_time(sky, tmp_path):
    with session.transaction() as connection:
        place = f"file://{tmp_path}/objects"
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock(hashtextextended('{place}', 0))")
        with pytest.raises(QueryError, match="another export writes there"):
            run(tmp_path)


def test_a_collection_of_somebody_else_is_left_alone(sky, tmp_path):
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects/collection.properties").write_text("hats_primary_table_url=gaia\n")
    with pytest.raises(QueryError, match="'gaia', which roman-db did not write"):
        run(tmp_path)
    shutil.rmtree(tmp_path / "objects")


def test_nothing_to_export_is_told(database, tmp_path):
    with pytest.raises(QueryError, match="there are no objects to export"):
        run(tmp_path)
