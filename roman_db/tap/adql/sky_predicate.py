"""CONTAINS, INTERSECTS and DISTANCE as conditions, by the q3c index where a column pair has one.

In ``q3c_join`` and ``q3c_radial_query`` the pair with the index stands in a place of its own: second in the
first, first in the second. What q3c cannot do is done by functions of the schema ``adql`` from vectors,
which are right at the poles and across longitude 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from roman_db.tap.adql.call import Call
from roman_db.tap.adql.coverage import coverage_of
from roman_db.tap.adql.error import error_at
from roman_db.tap.adql.geometry import (
    Circle,
    Point,
    Polygon,
    circle_of,
    constant_corners,
    middle_and_reach,
    need_geometry,
    point_of,
)
from roman_db.tap.adql.value import Outline, Value, derived, number_sql
from roman_db.tap.adql.value_type import COVERAGE, DOUBLE, INT, Family

#: Smaller circles, deg, are asked of q3c_join: q3c_radial_query misses places within some of q3c's own
#: pixels (8e-8 deg), which is seen up to radii of 1e-6 deg.
SMALLEST_RADIUS = 1e-4
#: A computed radius, deg, below which distances are compared with it: of one of 0 q3c finds nothing.
_LEAST_RADIUS = 1e-9
#: Largest radius of a circle, and reach of a polygon, that q3c is asked for, deg: beyond it no index helps,
#: and q3c refuses polygons that do not fit on a face of its cube.
LARGEST_RADIUS, LARGEST_POLYGON = 60.0, 10.0


@dataclass(frozen=True, slots=True)
class Condition:
    """What CONTAINS and INTERSECTS ask, as a condition; their value is 1 or 0."""

    sql: str


@dataclass(frozen=True, slots=True)
class Separation:
    """What DISTANCE is between."""

    first: Point
    second: Point


def contains(call: Call) -> Value:
    """CONTAINS(inner, outer): 1 or 0."""
    inner, outer = map(_covered, call.exactly(2))
    if Family.COVERAGE in (inner.type.family, outer.type.family):
        return _predicate(_coverage_contains(call, inner, outer), inner, outer)
    need_geometry(call, inner)
    need_geometry(call, outer)
    relation = _CONTAINS.get((str(inner.type.xtype), str(outer.type.xtype)))
    if relation is None:
        raise error_at(
            call.node, f"a point contains no {inner.type.xtype}: the first argument lies in the second"
        )
    return _predicate(relation(inner, outer), inner, outer)


def intersects(call: Call) -> Value:
    """INTERSECTS(one, other): 1 or 0."""
    one, other = map(_covered, call.exactly(2))
    if Family.COVERAGE in (one.type.family, other.type.family):
        return _predicate(_coverage_intersects(call, one, other), one, other)
    need_geometry(call, one)
    need_geometry(call, other)
    kinds = (str(one.type.xtype), str(other.type.xtype))
    if kinds not in _INTERSECTS:
        one, other = other, one
    return _predicate(_INTERSECTS[str(one.type.xtype), str(other.type.xtype)](one, other), one, other)


def distance(call: Call) -> Value:
    """DISTANCE(point, point) or DISTANCE(lon1, lat1, lon2, lat2), in degrees."""
    given = call.exactly(2, 4)
    if len(given) == 2:
        for number, one in enumerate(given):
            if one.type.xtype != "point":
                raise error_at(
                    call.node, f"argument {number + 1} of DISTANCE must be a point, got {one.type.words}"
                )
        first, second = map(point_of, given)
    else:
        values = [call.need(number, Family.NUMBER) for number in range(4)]
        for latitude in values[1::2]:
            if latitude.number is not None and not -90 <= latitude.number <= 90:
                raise error_at(call.node, f"a latitude must be -90 to 90 degrees, got {latitude.number:g}")
        first, second = Point(*values[:2]), Point(*values[2:])
    parts = (first.lon, first.lat, second.lon, second.lat)
    detail = Separation(first, second)
    return derived(
        _distance_sql(first, second), DOUBLE, *parts, unit="deg", ucd="pos.angDistance", detail=detail
    )


def nearer_than(separation: Separation, radius: Value, or_equal: bool) -> str:
    """Condition that a distance is less than a radius, by an index where there is one."""
    exact = _within(separation.first, separation.second, radius, or_equal)
    return _indexed_circle(separation.first, separation.second, radius, or_equal) or exact


def _covered(value: Value) -> Value:
    """Coverage map of an outline that is stored in words; any other value as it stands."""
    if not isinstance(value.detail, Outline):
        return value
    return Value(value.detail.coverage, COVERAGE, uses=value.uses)


def _predicate(sql: str, *parts: Value) -> Value:
    return derived(f"CAST({sql} AS integer)", INT, *parts, ucd="meta.code", detail=Condition(sql))


def _distance_sql(first: Point, second: Point) -> str:
    return f"adql.distance({first.lon.sql}, {first.lat.sql}, {second.lon.sql}, {second.lat.sql})"


def _within(first: Point, second: Point, radius: Value, or_equal: bool = True) -> str:
    return f"({_distance_sql(first, second)} {'<=' if or_equal else '<'} {radius.sql})"


def _point_in_circle(inner: Value, outer: Value) -> str:
    place, circle = point_of(inner), circle_of(outer)
    exact = _within(place, circle.centre, circle.radius)
    return _indexed_circle(place, circle.centre, circle.radius) or exact


def _indexed_circle(first: Point, second: Point, radius: Value, or_equal: bool = True) -> str | None:
    """Condition of q3c, if either place is a pair of columns with an index; None where q3c is not asked."""
    if radius.number is not None and not 0 < radius.number <= LARGEST_RADIUS:
        return None
    for indexed, other in ((first, second), (second, first)):
        row = _indexed_row(indexed)
        if row is None or row & _rows(other.lon, other.lat, radius):
            continue
        columns, place = f"{indexed.lon.sql}, {indexed.lat.sql}", f"{other.lon.sql}, {other.lat.sql}"
        if radius.number is None:
            # q3c compares squares of sines: a radius below 0 or above 180 would be taken for another.
            least = number_sql(_LEAST_RADIUS)
            bounded = f"least(greatest({radius.sql}, {least}), 180)"
            exact = _within(first, second, radius, or_equal)
            return f"(q3c_join({place}, {columns}, {bounded}) AND ({radius.sql} > {least} OR {exact}))"
        if _rows(other.lon, other.lat) or radius.number < SMALLEST_RADIUS:
            return f"q3c_join({place}, {columns}, {radius.sql})"
        return f"q3c_radial_query({columns}, {place}, {radius.sql})"
    return None


def _indexed_row(place: Point) -> set[tuple[int, str]] | None:
    """Row of a pair of columns that a q3c index has; None for any other place."""
    lon, lat = place.lon.origin, place.lat.origin
    if lon is None or lat is None or lon.row != lat.row:
        return None
    is_pair = (
        lon.is_longitude and lon.partner == lat.column and lat.partner == lon.column and not lat.is_longitude
    )
    return _rows(place.lon, place.lat) if is_pair else None


def _rows(*values: Value) -> set[tuple[int, str]]:
    """Rows that values are taken from."""
    return {(use.scope, use.table) for value in values for use in value.uses}


def _point_in_polygon(inner: Value, outer: Value) -> str:
    place = point_of(inner)
    if isinstance(outer.detail, Polygon) and _indexed_row(place) is not None:
        corners = constant_corners(outer.detail.corners)
        if corners is not None and middle_and_reach(corners)[2] <= LARGEST_POLYGON:
            return f"q3c_poly_query({place.lon.sql}, {place.lat.sql}, {outer.sql})"
    exact = f"adql.polygon_contains({outer.sql}, {place.lon.sql}, {place.lat.sql})"
    around = _around(outer, place)
    return f"({around} AND {exact})" if around else exact


def _around(polygon: Value, place: Point) -> str | None:
    """Circle around a constant polygon, by an index; None where there is none."""
    corners = constant_corners(polygon.detail.corners) if isinstance(polygon.detail, Polygon) else None
    if corners is None:
        return None
    lon, lat, reach = middle_and_reach(corners)
    centre = Point(*(Value(number_sql(number), DOUBLE, constant=number) for number in (lon, lat)))
    radius = reach * (1 + 1e-9) + 1e-9
    return _indexed_circle(place, centre, Value(number_sql(radius), DOUBLE, constant=radius))


def _point_in_point(inner: Value, outer: Value) -> str:
    return f"({_distance_sql(point_of(inner), point_of(outer))} = 0)"


def _circle_in_circle(inner: Value, outer: Value) -> str:
    small, large = circle_of(inner), circle_of(outer)
    apart = _distance_sql(small.centre, large.centre)
    return f"(({apart} + {small.radius.sql}) <= {large.radius.sql} OR {large.radius.sql} >= 180)"


def _polygon_in_circle(inner: Value, outer: Value) -> str:
    circle = circle_of(outer)
    within = f"adql.corners_within({inner.sql}, {_circle_sql(circle)})"
    # Beyond 90 degrees a circle is not convex: a side may leave it between two corners, opposite of its
    # centre.
    opposite = f"{circle.centre.lon.sql} + 180, -({circle.centre.lat.sql})"
    apart = f"adql.distance_to_sides({inner.sql}, {opposite}) >= 180 - {circle.radius.sql}"
    outside = f"NOT adql.polygon_contains({inner.sql}, {opposite})"
    return f"({within} AND ({circle.radius.sql} <= 90 OR ({apart} AND {outside})))"


def _circle_in_polygon(inner: Value, outer: Value) -> str:
    circle = circle_of(inner)
    place = f"{circle.centre.lon.sql}, {circle.centre.lat.sql}"
    inside = f"adql.polygon_contains({outer.sql}, {place})"
    return f"({inside} AND adql.distance_to_sides({outer.sql}, {place}) >= {circle.radius.sql})"


def _polygon_in_polygon(inner: Value, outer: Value) -> str:
    return f"adql.polygon_in_polygon({inner.sql}, {outer.sql})"


def _circles_intersect(one: Value, other: Value) -> str:
    first, second = circle_of(one), circle_of(other)
    total = derived(f"({first.radius.sql} + {second.radius.sql})", DOUBLE, first.radius, second.radius)
    exact = _within(first.centre, second.centre, total)
    if first.radius.number is None or second.radius.number is None:
        return exact
    number = first.radius.number + second.radius.number
    radius = Value(number_sql(number), DOUBLE, constant=number)
    return _indexed_circle(first.centre, second.centre, radius) or exact


def _circle_meets_polygon(one: Value, other: Value) -> str:
    circle = circle_of(one)
    place = f"{circle.centre.lon.sql}, {circle.centre.lat.sql}"
    inside = f"adql.polygon_contains({other.sql}, {place})"
    return f"({inside} OR adql.distance_to_sides({other.sql}, {place}) <= {circle.radius.sql})"


def _polygons_intersect(one: Value, other: Value) -> str:
    return f"adql.polygons_intersect({one.sql}, {other.sql})"


def _circle_sql(circle: Circle) -> str:
    return ", ".join(part.sql for part in (circle.centre.lon, circle.centre.lat, circle.radius))


_CONTAINS = {
    ("point", "point"): _point_in_point,
    ("point", "circle"): _point_in_circle,
    ("point", "polygon"): _point_in_polygon,
    ("circle", "circle"): _circle_in_circle,
    ("circle", "polygon"): _circle_in_polygon,
    ("polygon", "circle"): _polygon_in_circle,
    ("polygon", "polygon"): _polygon_in_polygon,
}
#: A point is in what it intersects.
_INTERSECTS = {
    ("point", "point"): _point_in_point,
    ("point", "circle"): _point_in_circle,
    ("point", "polygon"): _point_in_polygon,
    ("circle", "circle"): _circles_intersect,
    ("circle", "polygon"): _circle_meets_polygon,
    ("polygon", "polygon"): _polygons_intersect,
}


def _coverage_contains(call: Call, inner: Value, outer: Value) -> str:
    """Condition that something lies in a coverage map, or a coverage map in something."""
    if inner.type.xtype == "point" and outer.type.family is Family.COVERAGE:
        place = point_of(inner)
        return f"({outer.sql} @> adql.healpix_index(29, {place.lon.sql}, {place.lat.sql}))"
    return f"({_coverage(call, outer, True)} @> {_coverage(call, inner, True)})"


def _coverage_intersects(call: Call, one: Value, other: Value) -> str:
    """Condition that a coverage map and something else overlap."""
    pair: Sequence[Value] = (one, other) if other.type.family is Family.COVERAGE else (other, one)
    if pair[0].type.xtype == "point":
        return _coverage_contains(call, *pair)
    return f"({_coverage(call, pair[1], False)} && {_coverage(call, pair[0], False)})"


def _coverage(call: Call, value: Value, inside: bool) -> str:
    """Coverage map of a value: as it stands, or that of a constant circle or polygon."""
    if value.type.family is Family.COVERAGE:
        return value.sql
    need_geometry(call, value)
    ranges = coverage_of(value.detail)
    if ranges is None:
        raise error_at(
            call.node, f"{call.name} of a coverage map needs a circle or polygon of constant numbers"
        )
    return f"CAST('{ranges}' AS int8multirange)"
