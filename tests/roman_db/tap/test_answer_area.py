"""Area of which rows tell: the number of their cells, whatever their order and however often each comes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from roman_db.tap.adql import OutputColumn
from roman_db.tap.answer_area import (
    CELL_AREA,
    AnswerArea,
    DistinctCells,
    area_of_ids,
    area_sql,
    cells_of_ids,
    cells_of_places,
)
from tests.roman_db.conftest import execute

_SKY = 4 * 180**2 / np.pi


def _column(name: str, source: str | None) -> OutputColumn:
    datatype = "double" if str(source).endswith((".ra", ".dec")) else "long"
    return OutputColumn(name, datatype, None, None, None, None, None, source)


@pytest.mark.parametrize("number", [0, 1, 2, 100, 10_000, 30_000, 70_000, 300_000, 3_000_000])
def test_different_cells_are_counted_to_some_standard_errors(number):
    cells = np.arange(number, dtype=np.uint64) * np.uint64(7) + np.uint64(10**12)
    counted = DistinctCells()
    for part in np.array_split(np.random.default_rng(number).permutation(cells), 5):
        counted.add(part)
    counted.add(cells[: number // 2])  # again
    assert counted.number == pytest.approx(number, rel=4 * 0.0081, abs=0.01)


def test_cells_of_both_kinds_have_the_same_area_and_cover_the_sky():
    """A part of a zone, drawn densely: its places lie in as many cells as its area has."""
    assert pytest.approx(_SKY) == CELL_AREA * 12 * 4**14
    random = np.random.default_rng(1)
    low, high = np.sin(np.radians([-29.4, -28.6]))
    dec = np.degrees(np.arcsin(random.uniform(low, high, 1_500_000)))
    n_cell = len(np.unique(cells_of_places(random.uniform(359.6, 360.4, len(dec)), dec)))
    area = np.degrees(high - low) * 0.8
    assert n_cell * CELL_AREA == pytest.approx(area, rel=0.03)  # cells on the edge count whole
    assert len(np.unique(cells_of_places(np.array([0.0, 360.0, 720.0]), np.full(3, -29.0)))) == 1
    assert len(cells_of_places(np.array([np.nan, 1.0]), np.array([0.0, np.nan]))) == 0
    assert cells_of_places(np.array([359.999999]), np.array([90.0]))[0] < 12 * 4**14


def test_identifiers_come_before_places_and_what_came_with_the_request_counts_for_nothing():
    ids = np.array([5 << 30, (5 << 30) + 17, 6 << 30], np.int64)
    batch = pa.RecordBatch.from_arrays(
        [pa.array(ids), pa.array([1.0, 2.0, None]), pa.array([0.0, 0.0, 0.0])], names=["a", "b", "c"]
    )
    places = [_column("b", "roman.object.ra"), _column("c", "roman.object.dec")]
    for first, expected in (
        ("roman.event.object_id", 2), ("TAP_UPLOAD.t.object_id", 2), (None, 2), ("roman.object.flux", 2)
    ):  # fmt: skip
        area = AnswerArea([_column("a", first), *places])
        area.add(batch)
        assert area.area == pytest.approx(expected * CELL_AREA, rel=0.001)
    assert area_of_ids(ids.tolist()) == pytest.approx(2 * CELL_AREA)


def test_names_and_places_in_words_and_places_that_came_with_the_request_have_no_area():
    words = [
        OutputColumn(name, "char", "*", None, None, None, None, f"community.stars.{name}")
        for name in ("object_id", "ra", "dec")
    ]
    area = AnswerArea(words)
    area.add(pa.RecordBatch.from_arrays([pa.array(["OGLE-1"])] * 3, names=["object_id", "ra", "dec"]))
    assert area.area is area_sql(words) is None
    mine = [_column(name, f"TAP_UPLOAD.mine.{name}") for name in ("ra", "dec")]
    assert AnswerArea(mine).area is area_sql(mine) is None


@pytest.mark.parametrize("sources", [[], [None], ["roman.object.ra"], ["roman.object.ra", "roman.event.dec"]])
def test_rows_that_do_not_say_where_they_lie_have_no_area(sources):
    assert AnswerArea([_column(f"c{n}", source) for n, source in enumerate(sources)]).area is None


def test_sql_has_the_same_cells(sky_area_of):
    random = np.random.default_rng(2)
    ra, dec = random.uniform(-400, 800, 3000), np.degrees(np.arcsin(random.uniform(-1, 1, 3000)))
    ra[:5], dec[:5] = [np.nan, 0, 0, 0, 360], [0, np.nan, 90, -90, 90]
    ids = random.integers(0, 12 * 4**29, 3000)
    places = [_column("ra", "roman.object.ra"), _column('de"c', "roman.object.dec")]
    rows = ", ".join(f"('{a}'::float8, '{d}'::float8, {n})" for a, d, n in zip(ra, dec, ids, strict=True))
    table = f"""(VALUES {rows}, ('Infinity', 'Infinity', NULL), (NULL, NULL, NULL)) AS t (ra, "de""c", id)"""
    cells = len(np.unique(cells_of_places(ra, dec)))
    assert sky_area_of(area_sql(places), table) == pytest.approx(cells * CELL_AREA)
    identifier = [_column("id", "mydb_1.mine.object_id")]
    assert sky_area_of(area_sql(identifier), table) == pytest.approx(
        len(np.unique(cells_of_ids(ids))) * CELL_AREA
    )


@pytest.fixture
def sky_area_of(cluster_url):
    """Function that gives what an aggregate says of a table."""
    return lambda area, table: execute(cluster_url, f"SELECT {area} FROM {table}")[0][0]
