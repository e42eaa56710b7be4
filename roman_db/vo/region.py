"""Regions of SODA 1.0, section 3.3: CIRCLE, POLYGON and POS, as points on their outline."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roman_db.service_failure import BadRequest
from roman_db.vo.parameters import Parameters, number

FloatArray = npt.NDArray[np.float64]

#: Points on a circle, and on each side of a polygon.
_ON_CIRCLE, _ON_SIDE = 128, 32
#: Numbers that each shape of POS has; those of a polygon are at least so many.
_NUMBERS = {"CIRCLE": 3, "RANGE": 4, "POLYGON": 6}


def read_region(parameters: Parameters) -> FloatArray | None:
    """Outline of the region that a request names; None where it names none.

    Returns
    -------
    Right ascension and declination (ICRS, deg) of points on the outline, shape (n, 2).

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
    return _outline(*given[0]) if given else None


def _outline(shape: str, text: str) -> FloatArray:
    """Outline of one region."""
    parts = text.replace(",", " ").split()
    wanted = _NUMBERS.get(shape)
    if wanted is None:
        raise BadRequest(f"POS must begin with CIRCLE, RANGE or POLYGON, got {shape[:20]!r}")
    is_right = len(parts) >= wanted and len(parts) % 2 == 0 if shape == "POLYGON" else len(parts) == wanted
    if not is_right:
        raise BadRequest(f"{shape} has {len(parts)} numbers: {text[:60]!r}")
    if shape == "CIRCLE":
        ra, dec, radius = (number(shape, *one) for one in zip(parts, (0, -90, 0), (360, 90, 10), strict=True))
        return circle(ra, dec, radius)
    if shape == "RANGE":
        west, east = (number(shape, one, 0, 360) for one in parts[:2])
        south, north = (number(shape, one, -90, 90) for one in parts[2:])
        return _polygon(np.array([[west, south], [east, south], [east, north], [west, north]]))
    corners = [
        (number(shape, ra, 0, 360), number(shape, dec, -90, 90))
        for ra, dec in zip(parts[::2], parts[1::2], strict=True)
    ]
    return _polygon(np.array(corners))


def unit_vectors(places: FloatArray) -> FloatArray:
    """Unit vectors of places (deg), shape (n, 2) to (n, 3)."""
    lon, lat = np.radians(places).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def circle(ra: float, dec: float, radius: float) -> FloatArray:
    """Points on a circle about a place, all in degrees, shape (n, 2)."""
    ((x, y, z),) = unit_vectors(np.array([[ra, dec]]))
    east = np.array([-np.sin(np.radians(ra)), np.cos(np.radians(ra)), 0.0])
    north = np.cross([x, y, z], east)
    angle = 2 * np.pi * np.arange(_ON_CIRCLE)[:, None] / _ON_CIRCLE
    ring = np.cos(angle) * north + np.sin(angle) * east
    return _places(np.cos(np.radians(radius)) * np.array([x, y, z]) + np.sin(np.radians(radius)) * ring)


def _polygon(corners: FloatArray) -> FloatArray:
    """Points on the sides of a polygon, which are parts of great circles."""
    vectors = unit_vectors(corners)
    share = (np.arange(_ON_SIDE) / _ON_SIDE)[None, :, None]
    points = vectors[:, None] * (1 - share) + np.roll(vectors, -1, axis=0)[:, None] * share
    return _places(points.reshape(-1, 3))


def _places(vectors: FloatArray) -> FloatArray:
    """Right ascension and declination of vectors of any length, deg, shape (n, 3) to (n, 2)."""
    ra = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360
    return np.stack(
        [ra, np.degrees(np.arctan2(vectors[:, 2], np.hypot(vectors[:, 0], vectors[:, 1])))], axis=1
    )
