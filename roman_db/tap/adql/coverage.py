"""Coverage maps (MOC) of circles and polygons, as ranges of nested HEALPix pixels of order 29."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from astropy import units as u
from astropy.coordinates import Latitude, Longitude
from cdshealpix.nested import cone_search, polygon_search

from roman_db.tap.adql.geometry import Circle, Polygon, constant_corners, middle_and_reach

#: Pixels across the shape: its edge is right to about this part of its size.
_PIXELS_ACROSS = 128
_FINEST = 18
#: Orders by which cones are looked at more closely than they are written.
_FINER = 2


def coverage_of(shape: object) -> str | None:
    """Multirange of a constant circle or polygon, as PostgreSQL writes it; None for any other shape."""
    if isinstance(shape, Circle):
        numbers = (shape.centre.lon.number, shape.centre.lat.number, shape.radius.number)
        return None if None in numbers else _circle(*numbers)
    if isinstance(shape, Polygon):
        corners = constant_corners(shape.corners)
        return None if corners is None else _polygon(tuple(corners))
    return None


@lru_cache(maxsize=256)
def _circle(lon: float, lat: float, radius: float) -> str:
    order = _order(2 * radius)
    size = max(radius, 1e-9) * u.deg
    place = Longitude(lon * u.deg), Latitude(lat * u.deg)
    pixel, depth, _ = cone_search(*place, size, order, depth_delta=_FINER)
    return _ranges(pixel, depth)


@lru_cache(maxsize=256)
def _polygon(corners: tuple[tuple[float, float], ...]) -> str:
    order = _order(2 * middle_and_reach(corners)[2])
    lon, lat = np.array(corners).T
    pixel, depth, _ = polygon_search(Longitude(lon * u.deg), Latitude(lat * u.deg), order)
    return _ranges(pixel, depth)


def _order(size: float) -> int:
    """Order whose pixels are small against a size in degrees."""
    order = 0
    while order < _FINEST and 58.6 / 2**order > size / _PIXELS_ACROSS:
        order += 1
    return order


def _ranges(pixel: npt.NDArray[np.uint64], depth: npt.NDArray[np.uint8]) -> str:
    """Ranges of pixels of order 29 that pixels of any orders cover; neighbours are one."""
    shift = 2 * (29 - depth.astype(np.int64))
    first = np.sort(pixel.astype(np.int64) << shift)
    end = np.sort((pixel.astype(np.int64) + 1) << shift)
    apart = np.flatnonzero(first[1:] != end[:-1])
    begins, ends = np.append(first[:1], first[apart + 1]), np.append(end[apart], end[-1:])
    return "{" + ",".join(f"[{int(one)},{int(other)})" for one, other in zip(begins, ends, strict=True)) + "}"
