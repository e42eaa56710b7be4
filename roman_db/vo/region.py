"""Regions of SODA 1.0, section 3.3: CIRCLE, POLYGON and POS."""

from __future__ import annotations

import numpy as np

from roman_db.service_failure import BadRequest
from roman_db.vo.parameters import Parameters, number
from roman_db.vo.shapes import Circle, Polygon, Range, Region

#: Numbers that each shape of POS has; those of a polygon are at least so many.
_NUMBERS = {"CIRCLE": 3, "RANGE": 4, "POLYGON": 6}
#: Corners of a polygon.
_MOST_CORNERS = 1000


def read_region(parameters: Parameters) -> Region | None:
    """Region that a request names; None where it names none.

    Raises
    ------
    BadRequest
        If there are several, or one makes no sense.
    """
    given = [("CIRCLE", text) for text in parameters.all("CIRCLE")]
    given += [("POLYGON", text) for text in parameters.all("POLYGON")]
    for text in parameters.all("POS"):
        shape, _, numbers = text.partition(" ")
        given.append((shape.upper(), numbers))
    if len(given) > 1:
        raise BadRequest("one of CIRCLE, POLYGON and POS is taken, once: a request gives one cutout")
    return _region(*given[0]) if given else None


def _region(shape: str, text: str) -> Region:
    """One region."""
    parts = text.replace(",", " ").split()
    wanted = _NUMBERS.get(shape)
    if wanted is None:
        raise BadRequest(f"POS must begin with CIRCLE, RANGE or POLYGON, got {shape[:20]!r}")
    is_right = len(parts) >= wanted and len(parts) % 2 == 0 if shape == "POLYGON" else len(parts) == wanted
    if not is_right:
        raise BadRequest(f"{shape} has {len(parts)} numbers: {text[:60]!r}")
    if shape == "CIRCLE":
        return Circle(*(number(shape, *one) for one in zip(parts, (0, -90, 0), (360, 90, 10), strict=True)))
    return _range(parts) if shape == "RANGE" else _polygon(parts)


def _range(parts: list[str]) -> Range:
    """Range from two right ascensions and two declinations; -Inf and +Inf are the ends of the sky."""
    west, east = (_bound(one, 0, 360) for one in parts[:2])
    south, north = (_bound(one, -90, 90) for one in parts[2:])
    if south > north:
        raise BadRequest(f"RANGE must have the smaller declination first, got {south:g} and {north:g}")
    return Range(west, east, south, north)


def _bound(text: str, low: float, high: float) -> float:
    """Number of a range, which may be infinite (DALI 1.1, section 3.3.2)."""
    ends = {"-inf": low, "inf": high, "+inf": high}
    return ends[text.lower()] if text.lower() in ends else number("RANGE", text, low, high)


def _polygon(parts: list[str]) -> Polygon:
    """Polygon from right ascensions and declinations in turn."""
    if len(parts) > 2 * _MOST_CORNERS:
        raise BadRequest(f"POLYGON has {len(parts) // 2} corners: at most {_MOST_CORNERS} are taken")
    corners = [
        (number("POLYGON", ra, 0, 360), number("POLYGON", dec, -90, 90))
        for ra, dec in zip(parts[::2], parts[1::2], strict=True)
    ]
    try:
        return Polygon(np.array(corners))
    except ValueError as error:
        raise BadRequest(f"POLYGON: {error}") from error
