"""Geometries (ADQL 2.1, section 4.2): POINT, CIRCLE, POLYGON and BOX, and what is asked of one alone.

A geometry is a value whose SQL is an array as DALI writes it. One that is written out in the query also
knows its parts (`Point`, `Circle`, `Polygon`), of which the predicates of ``sky_predicate`` make conditions
that an index serves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from roman_db.tap.adql.call import Call
from roman_db.tap.adql.error import error_at, shortened
from roman_db.tap.adql.value import Value, derived, number_sql
from roman_db.tap.adql.value_type import CIRCLE, DOUBLE, POINT, POLYGON, TEXT, Family, Type

#: Systems that the first argument may name (deprecated since ADQL 2.1); all places are in ICRS.
_SYSTEMS = ("", "ICRS", "ICRS GEOCENTER", "ICRS BARYCENTER")


@dataclass(frozen=True, slots=True)
class Point:
    """A place: longitude and latitude in degrees."""

    lon: Value
    lat: Value


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle: its centre, and its radius in degrees."""

    centre: Point
    radius: Value


@dataclass(frozen=True, slots=True)
class Polygon:
    """A polygon: its corners; its sides are great circles."""

    corners: tuple[Point, ...]


def point(call: Call) -> Value:
    """POINT(lon, lat)."""
    lon, lat = _numbers(call, _without_system(call), 2, "POINT(lon, lat)")
    return _point_value(_checked_point(call, lon, lat))


def circle(call: Call) -> Value:
    """CIRCLE(lon, lat, radius) or CIRCLE(point, radius)."""
    *where, radius = _some(call, _without_system(call), "CIRCLE(lon, lat, radius) or CIRCLE(point, radius)")
    centre = _place(call, where, "CIRCLE(lon, lat, radius) or CIRCLE(point, radius)")
    _need_number(call, radius)
    if radius.number is not None and not 0 <= radius.number <= 180:
        raise error_at(call.node, f"the radius of a CIRCLE must be 0 to 180 degrees, got {radius.number:g}")
    parts = (centre.lon, centre.lat, radius)
    return derived(
        _array(parts), CIRCLE, *parts, unit="deg", ucd="pos.outline", detail=Circle(centre, radius)
    )


def polygon(call: Call) -> Value:
    """POLYGON(lon, lat, lon, lat, lon, lat ...) or POLYGON(point, point, point ...)."""
    usage = "POLYGON(lon1, lat1, lon2, lat2, lon3, lat3, ...) or POLYGON(point1, point2, point3, ...)"
    given = _some(call, _without_system(call), usage)
    if given[0].type.family is Family.GEOMETRY:
        corners = tuple(_as_point(call, one, usage) for one in given)
    else:
        if len(given) % 2:
            raise error_at(call.node, f"a POLYGON has pairs of numbers: {usage}")
        corners = tuple(_place(call, given[i : i + 2], usage) for i in range(0, len(given), 2))
    if len(corners) < 3:
        raise error_at(call.node, f"a POLYGON has at least three corners, got {len(corners)}: {usage}")
    _check_size(call, corners)
    parts = [part for corner in corners for part in (corner.lon, corner.lat)]
    return derived(_array(parts), POLYGON, *parts, unit="deg", ucd="pos.outline", detail=Polygon(corners))


def box(call: Call) -> Value:
    """BOX(lon, lat, width, height) or BOX(point, width, height): a polygon."""
    usage = "BOX(lon, lat, width, height) or BOX(point, width, height)"
    call.scope.around.warn("BOX is deprecated since ADQL 2.1: write a POLYGON")
    *where, width, height = _some(call, _without_system(call), usage, at_least=3)
    centre = _place(call, where, usage)
    for side in (width, height):
        _need_number(call, side)
        if side.number is not None and not 0 <= side.number < 180:
            raise error_at(
                call.node,
                f"the sides of a BOX must be at least 0 and less than 180 degrees, got {side.number:g}",
            )
    parts = (centre.lon, centre.lat, width, height)
    numbers = [part.number for part in parts]
    if None not in numbers:
        corners = tuple(_constant_point(*place) for place in box_corners(*numbers))  # type: ignore[arg-type]
        sql = _array([part for corner in corners for part in (corner.lon, corner.lat)])
        return derived(sql, POLYGON, unit="deg", ucd="pos.outline", detail=Polygon(corners))
    sql = f"adql.box({', '.join(part.sql for part in parts)})"
    return derived(sql, POLYGON, *parts, unit="deg", ucd="pos.outline")


def box_corners(lon: float, lat: float, width: float, height: float) -> list[tuple[float, float]]:
    """Corners of a box (lon, lat), deg, in the order south-west, south-east, north-east, north-west.

    Parameters
    ----------
    lon, lat
        Centre, deg.
    width, height
        Lengths of the arms of the cross in the centre, whose ends the sides cross at right angles, deg.
    """
    a, d = math.radians(lon), math.radians(lat)
    places = []
    for east, north in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        x, y = east * math.tan(math.radians(width / 2)), north * math.tan(math.radians(height / 2))
        vector = (
            math.cos(d) * math.cos(a) - x * math.sin(a) - y * math.sin(d) * math.cos(a),
            math.cos(d) * math.sin(a) + x * math.cos(a) - y * math.sin(d) * math.sin(a),
            math.sin(d) + y * math.cos(d),
        )
        longitude = math.degrees(math.atan2(vector[1], vector[0])) % 360
        places.append((longitude, math.degrees(math.atan2(vector[2], math.hypot(*vector[:2])))))
    return places


def region(call: Call) -> Value:
    """REGION, which is deprecated and has no grammar of its own."""
    raise error_at(
        call.node, "REGION is not supported: write POINT, CIRCLE or POLYGON", ("POINT", "CIRCLE", "POLYGON")
    )


def coordinate(call: Call) -> Value:
    """COORD1(point) or COORD2(point)."""
    (given,) = call.exactly(1)
    place = _as_point(call, given, f"{call.name}(point)")
    part, ucd = (place.lon, "pos.eq.ra") if call.name == "COORD1" else (place.lat, "pos.eq.dec")
    sql = part.sql if part.type == DOUBLE else f"CAST({part.sql} AS double precision)"
    return derived(sql, DOUBLE, part, unit="deg", ucd=ucd, constant=part.constant)


def coordinate_system(call: Call) -> Value:
    """COORDSYS(geometry): always ICRS."""
    (given,) = call.exactly(1)
    need_geometry(call, given)
    call.scope.around.warn("COORDSYS is deprecated since ADQL 2.1: all places are in ICRS")
    return derived("'ICRS'", TEXT, given, ucd="pos.frame")


def area(call: Call) -> Value:
    """AREA(geometry), in square degrees."""
    (given,) = call.exactly(1)
    need_geometry(call, given)
    kind = given.type.xtype
    if kind == "point":
        sql = "CAST(0 AS double precision)"
    elif kind == "circle":
        sql = f"adql.circle_area({circle_of(given).radius.sql})"
    else:
        sql = f"adql.polygon_area({given.sql})"
    return derived(sql, DOUBLE, given, unit="deg**2", ucd="phys.angArea")


def centroid(call: Call) -> Value:
    """CENTROID(geometry)."""
    (given,) = call.exactly(1)
    need_geometry(call, given)
    if given.type.xtype == "point":
        return given
    if given.type.xtype == "circle":
        return _point_value(circle_of(given).centre)
    return derived(f"adql.polygon_centroid({given.sql})", POINT, given, unit="deg", ucd="pos.eq")


def need_geometry(call: Call, value: Value) -> None:
    """Refuse what is no geometry."""
    if value.type.family is not Family.GEOMETRY:
        expected = ("POINT", "CIRCLE", "POLYGON", "BOX")
        raise error_at(call.node, f"{call.name} needs a geometry, got {value.type.words}", expected)


def point_of(value: Value) -> Point:
    """Place of a value that is a point."""
    if isinstance(value.detail, Point):
        return value.detail
    return Point(element(value, 1), element(value, 2))


def circle_of(value: Value) -> Circle:
    """Centre and radius of a value that is a circle."""
    if isinstance(value.detail, Circle):
        return value.detail
    return Circle(Point(element(value, 1), element(value, 2)), element(value, 3))


def element(value: Value, number: int) -> Value:
    """One number of a geometry that is stored or computed."""
    return derived(f"({value.sql})[{number}]", DOUBLE, value)


def _point_value(place: Point) -> Value:
    parts = (place.lon, place.lat)
    return derived(_array(parts), POINT, *parts, unit="deg", ucd="pos.eq", detail=place)


def _array(parts: Sequence[Value]) -> str:
    """Array of numbers as SQL; NULL where one of them is."""
    if all(part.number is not None for part in parts):
        return f"CAST(ARRAY[{', '.join(part.sql for part in parts)}] AS double precision[])"
    return f"adql.geometry({', '.join(part.sql for part in parts)})"


def _without_system(call: Call) -> Sequence[Value]:
    """Arguments without a coordinate system before them, which is checked."""
    if not call.arguments or call.arguments[0].type.family is not Family.TEXT:
        return call.arguments
    system = call.arguments[0].constant
    if not isinstance(system, str):
        raise error_at(
            call.node, f"the coordinate system of {call.name} must be a text in quotes", _SYSTEMS[1:]
        )
    if " ".join(system.upper().split()) not in _SYSTEMS:
        raise error_at(
            call.node,
            f"the coordinate system {shortened(system)} is not known: all places are in ICRS",
            ("ICRS",),
        )
    call.scope.around.warn("the coordinate system of a geometry is deprecated since ADQL 2.1: leave it out")
    return call.arguments[1:]


def _some(call: Call, given: Sequence[Value], usage: str, at_least: int = 2) -> Sequence[Value]:
    if len(given) < at_least:
        raise error_at(call.node, f"{call.name} needs more arguments: {usage}")
    return given


def _numbers(call: Call, given: Sequence[Value], count: int, usage: str) -> Sequence[Value]:
    if len(given) != count:
        raise error_at(call.node, f"{call.name} has {len(given)} arguments, expected {usage}")
    for one in given:
        _need_number(call, one)
    return given


def _need_number(call: Call, value: Value) -> None:
    if value.type.family not in (Family.NUMBER, Family.NULL):
        raise error_at(call.node, f"{call.name} needs numbers, got {value.type.words}")


def _place(call: Call, given: Sequence[Value], usage: str) -> Point:
    """Place from a point, or from two numbers."""
    if len(given) == 1:
        return _as_point(call, given[0], usage)
    return _checked_point(call, *_numbers(call, given, 2, usage))


def _as_point(call: Call, value: Value, usage: str) -> Point:
    if value.type.xtype != "point":
        raise error_at(call.node, f"{call.name} needs a point, got {value.type.words}: {usage}")
    return point_of(value)


def _checked_point(call: Call, lon: Value, lat: Value) -> Point:
    """Place whose latitude is one; a constant longitude is brought between 0 and 360."""
    if lat.number is not None and not -90 <= lat.number <= 90:
        raise error_at(call.node, f"a latitude must be -90 to 90 degrees, got {lat.number:g}")
    if lon.number is not None:
        if not math.isfinite(lon.number):
            raise error_at(call.node, "a longitude must be a finite number of degrees")
        if not 0 <= lon.number < 360:
            wrapped = lon.number % 360
            lon = replace(lon, sql=number_sql(wrapped), constant=wrapped)
    return Point(lon, lat)


def _constant_point(lon: float, lat: float) -> Point:
    return Point(_constant(lon, DOUBLE), _constant(lat, DOUBLE))


def _constant(number: float, type_: Type) -> Value:
    return Value(number_sql(number), type_, constant=number)


def constant_corners(corners: Sequence[Point]) -> list[tuple[float, float]] | None:
    """Corners as numbers, in degrees; None where one of them is not constant."""
    places = [(corner.lon.number, corner.lat.number) for corner in corners]
    return None if any(None in place for place in places) else places  # type: ignore[return-value]


def middle_and_reach(corners: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Middle of corners (lon, lat) and the angle to the farthest, deg; 180 where they have no middle."""
    vectors = [unit_vector(*corner) for corner in corners]
    total = [sum(vector[i] for vector in vectors) for i in range(3)]
    length = math.hypot(*total)
    if length < 1e-9 * len(vectors):
        return 0.0, 0.0, 180.0
    lon, lat = math.degrees(math.atan2(total[1], total[0])) % 360, math.degrees(math.asin(total[2] / length))
    nearest = min(sum(a * b for a, b in zip(vector, total, strict=True)) / length for vector in vectors)
    return lon, lat, math.degrees(math.acos(max(-1.0, min(1.0, nearest))))


def unit_vector(lon: float, lat: float) -> tuple[float, float, float]:
    """Vector of length one to a place in degrees."""
    a, d = math.radians(lon), math.radians(lat)
    return math.cos(d) * math.cos(a), math.cos(d) * math.sin(a), math.sin(d)


def _check_size(call: Call, corners: Sequence[Point]) -> None:
    """Refuse a constant polygon that is not smaller than half the sky."""
    places = constant_corners(corners)
    if places is not None and middle_and_reach(places)[2] >= 90:
        raise error_at(
            call.node,
            "a POLYGON must be smaller than half the sky: all corners within 90 degrees of their middle",
        )
