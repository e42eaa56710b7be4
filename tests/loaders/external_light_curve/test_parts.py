"""Files in parts: the same rows in the database as an independent reading has, and memory that stays."""

import csv
import subprocess
import sys
from collections import defaultdict
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from loaders.external_light_curve import file, load
from loaders.external_light_curve.file import LightCurveFile
from loaders.external_light_curve.layout import Layout
from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

LAYOUT = Layout(time_system="BJD_TDB", unit="nJy")
OPTIONS = ("--time-system", "BJD_TDB", "--unit", "nJy")
STORED = """
SELECT a.source_id, l.optical_element, l.midpoint_bjd_tdb, l.flux, l.flux_err, l.flags
FROM roman.light_curve AS l JOIN roman.object_alias AS a USING (object_id)
WHERE l.photometry_kind = 'external' ORDER BY 1, 2, 3
"""
NAMES = ("object", "band", "bjd_tdb", "flux", "flux_err", "ra", "dec", "flags")


def rows_of(n_object, n_epoch, seed=1):
    """Rows of objects in two bands, in this order: the first half share their times, the others do not."""
    rng = np.random.default_rng(seed)
    shared = np.sort(rng.uniform(61450, 61700, n_epoch)) + 2_400_000.5
    for k in range(n_object):
        own = shared if k < n_object // 2 else shared + rng.uniform(0, 0.1, n_epoch)
        for band in ("V", "I"):
            for time in own.tolist():
                flux, error = rng.uniform(100, 200), rng.uniform(1, 2)
                yield f"star {k:03d}", band, time, flux, error, 268 + 0.01 * k, -29.0, int(rng.integers(4))


def write(path, rows):
    if path.suffix == ".csv":
        with path.open("w", newline="") as stream:
            csv.writer(stream).writerows([NAMES, *rows])
    else:
        table = pa.table(dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True)))
        pq.write_table(table, path, row_group_size=90)
    return path


def read_independently(rows):
    """What is to be stored, row by row: the first at a time counts, and no curve is of one point."""
    curves = defaultdict(dict)
    for name, band, time, flux, error, _, _, flags in rows:
        if error > 0 and flux == flux:
            curves[name, band].setdefault(time, (np.float32(flux), np.float32(error), flags))
    return [
        (*key, time, *curves[key][time])
        for key in sorted(curves)
        for time in sorted(curves[key])
        if len(curves[key]) > 1
    ]


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(file, "ROWS_A_PART", 100)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("order", ["by object", "by time"])
def test_stored_is_what_an_independent_reading_has(new_database, tmp_path, small_parts, kind, order):
    rows = list(rows_of(8, 20))
    rows[5] = (*rows[5][:4], 0.0, *rows[5][5:])
    rows[70] = (*rows[70][:3], float("nan"), *rows[70][4:])
    rows.insert(110, rows[109])
    if order == "by time":
        rows.sort(key=lambda row: row[2])
    outcome = roman_db("load", "lightcurves", write(tmp_path / f"some.{kind}", rows), *OPTIONS)
    assert "321 rows read: 318 loaded (0 of them were there already), 3 rejected" in outcome.out
    stored = [
        (name, one, time, np.float32(flux), np.float32(error), flags)
        for name, one, time, flux, error, flags in execute(new_database, STORED)
    ]
    assert stored == read_independently(rows)
    at = [k for k, row in enumerate(rows) if not (row[4] > 0 and row[3] == row[3])]
    codes = execute(new_database, "SELECT row_number, code FROM ops.load_rejection ORDER BY 1")
    first = 2 if kind == "csv" else 0
    again = next(k for k, row in enumerate(rows) if row in rows[:k])
    assert [number - first for number, _ in codes] == sorted([*at, again])
    assert sorted(code for _, code in codes) == ["duplicate_time", "nan_point", "zero_error"]
    assert roman_db("audit").code == 0


def test_objects_of_different_parts_share_blocks(new_database, tmp_path, small_parts):
    rows = [row for row in rows_of(8, 20) if row[0] < "star 004"]
    succeed("load", "lightcurves", write(tmp_path / "some.parquet", rows), *OPTIONS)
    blocks = (
        "SELECT optical_element, sum(n_epoch), min(n_object), max(n_object), sum(n_point) "
        "FROM roman.light_curve_block GROUP BY 1 ORDER BY 1"
    )
    assert execute(new_database, blocks) == [("I", 20, 4, 4, 80), ("V", 20, 4, 4, 80)]
    before = execute(new_database, STORED)
    succeed("load", "lightcurves", write(tmp_path / "some.parquet", rows[::-1]), *OPTIONS)
    assert execute(new_database, STORED) == before
    assert roman_db("audit").code == 0


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_parts_are_as_the_whole(tmp_path, monkeypatch, kind):
    rows = list(rows_of(8, 20))
    rows = [rows[k] for k in np.random.default_rng(3).permutation(len(rows))]
    path = write(tmp_path / f"some.{kind}", rows)
    found = []
    for n_row in (100, 1000):
        monkeypatch.setattr(file, "ROWS_A_PART", n_row)
        parts = list(LightCurveFile(path, LAYOUT).points({}))
        fluxes = [zip(points.row, points.flux, strict=True) for points, _ in parts]
        found.append(sorted(chain.from_iterable(fluxes)))
        names = [set(points.name) for points, _ in parts]
        assert len(set.union(*names)) == sum(map(len, names)) == 8
        assert (len(parts) > 1) == (n_row == 100)
    assert found[0] == found[1]


def test_a_file_that_changes_while_it_is_loaded_is_refused(new_database, tmp_path, monkeypatch):
    path = write(tmp_path / "some.csv", rows_of(4, 20))
    change = LightCurveFile.change
    monkeypatch.setattr(LightCurveFile, "change", lambda self: path.touch() or change(self))
    outcome = roman_db("load", "lightcurves", path, *OPTIONS)
    assert outcome.code == 1
    assert execute(new_database, "SELECT code FROM ops.load_rejection") == [("changed_file",)]
    assert execute(new_database, "SELECT count(*) FROM roman.light_curve_block") == [(0,)]


def test_a_file_that_is_damaged_in_its_middle_changes_nothing(new_database, tmp_path, small_parts):
    path = write(tmp_path / "some.parquet", rows_of(8, 20))
    content = bytearray(path.read_bytes())
    middle = pq.ParquetFile(path).metadata.row_group(2).column(3).data_page_offset
    content[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(content)
    outcome = roman_db("load", "lightcurves", path, *OPTIONS)
    assert outcome.code == 1
    assert execute(new_database, "SELECT code FROM ops.load_rejection") == [("unreadable_catalog",)]
    assert execute(new_database, "SELECT count(*) FROM roman.object") == [(0,)]


def test_nothing_is_stored_of_a_file_that_fails_late(new_database, tmp_path, small_parts, monkeypatch):
    path = write(tmp_path / "some.csv", rows_of(8, 20))
    write_block, calls = load._Writer.write, []

    def failing(self, block):
        calls.append(block)
        if len(calls) == 5:
            raise ValueError("no more")
        write_block(self, block)

    with monkeypatch.context() as patched:
        patched.setattr(load._Writer, "write", failing)
        assert roman_db("load", "lightcurves", path, *OPTIONS).code == 1
    counts = "SELECT (SELECT count(*) FROM roman.object), (SELECT count(*) FROM roman.light_curve_segment)"
    assert execute(new_database, counts) == [(0, 0)]
    succeed("load", "lightcurves", path, *OPTIONS)
    assert len(execute(new_database, STORED)) == 320


_CHILD = """
import resource, sys
from pathlib import Path
from loaders.external_light_curve import file
from loaders.external_light_curve.layout import Layout
file.ROWS_A_PART = 20_000
for path in sys.argv[1:]:
    parts = file.LightCurveFile(Path(path), Layout(time_system="BJD_TDB", unit="nJy")).points({})
    number = sum(len(points) for points, _ in parts)
    print(number, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def write_many(path, n_object, n_epoch=5000):
    """A large file, object by object."""
    n = n_object * n_epoch
    names = pa.array([f"star {k}" for k in range(n_object)])
    table = pa.table(
        {
            "object": names.take(pa.array(np.repeat(np.arange(n_object), n_epoch))),
            "band": pa.array(["F146"]).take(pa.array(np.zeros(n, np.int64))),
            "bjd_tdb": np.tile(2_461_450.5 + np.arange(n_epoch) / 100, n_object),
            "flux": np.arange(n) / n,
            "flux_err": np.full(n, 0.1),
        }
    )
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        pq.write_table(table, path, row_group_size=40_000)
    return path


@pytest.mark.parametrize("kind", [pytest.param("csv", marks=pytest.mark.heavy), "parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path, kind):
    """In a process of its own: six times the objects, and each row more takes less than 20 bytes."""
    paths = [write_many(tmp_path / f"{n}.{kind}", n) for n in (10, 60)]
    done = subprocess.run([sys.executable, "-c", _CHILD, *paths], capture_output=True, text=True, check=True)
    (few, small), (many, large) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert (few, many) == (50_000, 300_000)
    assert (large - small) * 1024 < 20 * (many - few)
