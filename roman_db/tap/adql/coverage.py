"""Coverage maps (MOC) of circles and polygons, as ranges of nested HEALPix pixels of order 29."""

from __future__ import annotations

from functools import lru_cache

from astropy import units as u
from astropy.coordinates import Latitude, Longitude, SkyCoord
from mocpy import MOC

from roman_db.tap.adql.geometry import Circle, Polygon, constant_corners, middle_and_reach

#: Pixels across the shape: its edge is right to about this part of its size.
_PIXELS_ACROSS = 128
_FINEST = 18


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
    moc = MOC.from_cone(lon=Longitude(lon * u.deg), lat=Latitude(lat * u.deg), radius=size, max_depth=order)
    return _ranges(moc)


@lru_cache(maxsize=256)
def _polygon(corners: tuple[tuple[float, float], ...]) -> str:
    order = _order(2 * middle_and_reach(corners)[2])
    return _ranges(MOC.from_polygon_skycoord(SkyCoord(list(corners), unit="deg"), max_depth=order))


def _order(size: float) -> int:
    """Order whose pixels are small against a size in degrees."""
    order = 0
    while order < _FINEST and 58.6 / 2**order > size / _PIXELS_ACROSS:
        order += 1
    return order


def _ranges(moc: MOC) -> str:
    ranges = moc.to_depth29_ranges
    return "{" + ",".join(f"[{int(first)},{int(end)})" for first, end in ranges) + "}"
