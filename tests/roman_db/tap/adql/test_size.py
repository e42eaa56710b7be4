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
