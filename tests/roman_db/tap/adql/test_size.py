"""However functions stand in one another, what they are translated to has a bounded size."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from roman_db.tap.adql import AdqlError
from roman_db.tap.adql.scope import MAX_SQL

from .conftest import translation

_POLYGON = "POLYGON(0, 0, 1, 0, 0, 1)"
#: Numbers of geometries with a number within.
_AROUND = (
    f"CONTAINS({_POLYGON}, CIRCLE(0, 0, {{}}))",
    f"CONTAINS({_POLYGON}, CIRCLE({{}}, 0, 100))",
    f"INTERSECTS(CIRCLE({{}}, 0, 1), {_POLYGON})",
    "CONTAINS(CIRCLE(1, 2, {}), CIRCLE(ra, dec, 3))",
    "CONTAINS(POINT(ra, dec), CIRCLE(1, 2, {}))",
    "CONTAINS(POLYGON(0, 0, {}, 0, 0, 1), CIRCLE(1, 2, 3))",
    "DISTANCE(POINT({}, 0), CENTROID(BOX(1, 1, 1, ra)))",
    "COORD2(CENTROID(POLYGON(0, 0, {}, 0, 0, 1)))",
    "AREA(CIRCLE(0, 0, {}))",
    "({} + 1)",
)
_NESTS = st.lists(st.sampled_from(_AROUND), min_size=1, max_size=31)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(_NESTS)
@example([_AROUND[0]] * 15)
@example([_AROUND[4]] * 30)
def test_nested_geometries_are_bounded(nest):
    value = "pm"
    for around in nest:
        value = around.format(value)
    try:
        sql = translation(f"SELECT {value} FROM sky.star").sql
    except AdqlError:
        return
    assert len(sql) <= MAX_SQL


def test_who_nests_too_much_learns_what_to_do():
    value = "pm"
    for _ in range(15):
        value = _AROUND[0].format(value)
    with pytest.raises(AdqlError, match="each in a subquery in FROM") as caught:
        translation(f"SELECT {value} FROM sky.star")
    assert caught.value.line == 1
    tables, inner = "sky.star", "pm"
    for number in range(15):
        tables = f"(SELECT {_AROUND[0].format(inner)} AS a{number} FROM {tables}) AS t{number}"
        inner = f"a{number}"
    assert len(translation(f"SELECT {inner} FROM {tables}").sql) < 10_000


def sums(depth: int, inner: str = "pm") -> str:
    """Query that doubles a number so often, each time in a subquery."""
    query = f"SELECT star_id, {inner} AS x FROM sky.star"
    for _ in range(depth):
        query = f"SELECT t.star_id, t.x + t.x AS x FROM ({query}) AS t"
    return query


def test_sums_of_sums_in_subqueries_are_planned_and_right(ask):
    """PostgreSQL would write out 2^30 terms: it has no more memory than this machine."""
    known = dict(ask("SELECT star_id, pm FROM sky.star WHERE pm IS NOT NULL"))
    found = {star: x for star, x in ask(sums(30)) if x is not None}
    assert found == pytest.approx({star: pm * 2.0**30 for star, pm in known.items()}, rel=1e-6)


@pytest.mark.parametrize("depth", [8, 24, 31])
def test_a_union_a_name_and_a_condition_have_their_length(depth):
    queries = (
        f"WITH a AS ({sums(depth - 2)}) SELECT x FROM a WHERE x * x > x",
        f"SELECT x FROM ({sums(depth - 3)} UNION ALL {sums(depth - 3)}) AS u WHERE x + x > 1",
    )
    for query in queries:
        assert ("OFFSET 0" in translation(query).sql) is (depth > 8)


def test_what_is_used_too_often_is_refused():
    many = " + ".join(["t.x"] * 900)
    with pytest.raises(AdqlError, match="use such columns less often"):
        translation(f"SELECT {many} AS y FROM ({sums(10)}) AS t")
    assert translation(f"SELECT {many} AS y FROM (SELECT pm + 1 AS x FROM sky.star) AS t").sql


def test_what_is_computed_of_a_polygon_is_found_by_the_index(rows_of):
    """A usual subquery is not planned for itself: its condition goes to the index of the sky."""
    corners = ", ".join(f"{10 + k % 2 * 0.1 + k * 1e-4}, {20 + k * 1e-4}" for k in range(300))
    sql = translation(
        f"SELECT star_id FROM (SELECT star_id, CONTAINS(POINT(ra, dec), CIRCLE(10, 20, 0.1)) AS c, "
        f"CONTAINS(POINT(ra, dec), POLYGON({corners})) AS p FROM sky.star) AS t WHERE t.c = 1"
    ).sql
    assert "OFFSET 0" not in sql
    assert rows_of(sql) is not None
