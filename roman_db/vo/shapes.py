"""Shapes on the sky: points on their outlines, and which places lie in them.

Outlines are sampled so closely that between two points they are straight to a fraction of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

#: Largest distance between points of an outline, degrees.
_SPACING = 0.002
#: Fewest points of a circle, and of each other side.
_ON_CIRCLE, _ON_SIDE = 256, 64


class Region(Protocol):
    """Part of the sky; places are right ascensions and declinations (ICRS, deg), shape (n, 2)."""

    def outline(self) -> FloatArray:
        """Points along the outline, shape (n, 2); the last is followed by the first."""

    def contains(self, places: FloatArray) -> BoolArray:
        """Whether places lie in it, shape (n,)."""


@dataclass(frozen=True)
class Circle:
    """Places within a radius of one, all in degrees."""

    ra: float
    dec: float
    radius: float

    def outline(self) -> FloatArray:
        """Points on the circle, shape (n, 2)."""
        (centre,), ra, radius = unit_vectors(self._centre), np.radians(self.ra), np.radians(self.radius)
        east = np.array([-np.sin(ra), np.cos(ra), 0.0])
        north = np.cross(centre, east)
        size = _number(360 * float(np.sin(radius)), _ON_CIRCLE)
        angle = 2 * np.pi * np.arange(size)[:, None] / size
        return _places(
            np.cos(radius) * centre + np.sin(radius) * (np.cos(angle) * north + np.sin(angle) * east)
        )

    def contains(self, places: FloatArray) -> BoolArray:
        """Whether places lie in the circle, shape (n,)."""
        chords = np.linalg.norm(unit_vectors(places) - unit_vectors(self._centre), axis=1)
        return np.asarray(chords <= 2 * np.sin(np.radians(self.radius) / 2))

    @property
    def _centre(self) -> FloatArray:
        return np.array([[self.ra, self.dec]])


@dataclass(frozen=True)
class Range:
    """Places between two meridians, eastward from the first, and two parallels, all in degrees."""

    west: float
    east: float
    south: float
    north: float

    def outline(self) -> FloatArray:
        """Points on two parallels and, unless it goes all around, on two meridians, shape (n, 2)."""
        up = np.linspace(self.south, self.north, _number(self.north - self.south, _ON_SIDE))
        along = self.west + np.linspace(0, self._width, _number(self._width, _ON_SIDE))
        sides = [(along, np.full_like(along, self.south)), (along[::-1], np.full_like(along, self.north))]
        if self._width < 360:
            sides.insert(1, (np.full_like(up, along[-1]), up))
            sides.append((np.full_like(up, self.west), up[::-1]))
        return np.concatenate([np.stack([ra % 360, dec], axis=1) for ra, dec in sides])

    def contains(self, places: FloatArray) -> BoolArray:
        """Whether places lie in the range, shape (n,)."""
        ra, dec = places.T
        return np.asarray(((ra - self.west) % 360 <= self._width) & (self.south <= dec) & (dec <= self.north))

    @property
    def _width(self) -> float:
        return 360.0 if self.east - self.west == 360 else (self.east - self.west) % 360


@dataclass(frozen=True, eq=False)
class Polygon:
    """Places within corners, shape (n, 2), that great circles join; they lie on one half of the sky.

    Raises
    ------
    ValueError
        If they do not.
    """

    corners: FloatArray

    def __post_init__(self) -> None:
        vectors = unit_vectors(self.corners)
        total = vectors.sum(axis=0)
        if not (vectors @ total > 0.01 * np.linalg.norm(total)).all():
            raise ValueError("the corners of a polygon must lie on one half of the sky")

    def outline(self) -> FloatArray:
        """Points on the sides, shape (n, 2)."""
        vectors = unit_vectors(self.corners)
        sides = [_arc(one, next_) for one, next_ in zip(vectors, np.roll(vectors, -1, axis=0), strict=True)]
        return _places(np.concatenate(sides))

    def contains(self, places: FloatArray) -> BoolArray:
        """Whether places lie in the polygon, shape (n,), whichever way around the corners go."""
        vectors = unit_vectors(self.corners)
        axes = tangent_axes(vectors.sum(axis=0))
        corners, _ = tangent_plane(vectors, axes)
        (x, y), is_near = (part.T for part in tangent_plane(unit_vectors(places), axes))
        is_inside = np.zeros(len(places), dtype=bool)
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if y0 != y1:
                is_inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
        return np.asarray(is_inside & is_near)


def unit_vectors(places: FloatArray) -> FloatArray:
    """Unit vectors of places (deg), shape (n, 2) to (n, 3)."""
    lon, lat = np.radians(places).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def tangent_axes(middle: FloatArray) -> FloatArray:
    """East, north and the direction of a vector, shape (3, 3)."""
    along = middle / np.linalg.norm(middle)
    pole = np.array([0.0, 0.0, 1.0]) if abs(along[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    east = np.cross(pole, along)
    east /= np.linalg.norm(east)
    return np.stack([east, np.cross(along, east), along])


def tangent_plane(vectors: FloatArray, axes: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Gnomonic coordinates of vectors about the last of three axes, and whether they are on that side."""
    east, north, along = (vectors @ axes.T).T
    is_near = along > 0.005
    safe = np.where(is_near, along, 1.0)
    return np.stack([east / safe, north / safe], axis=1), is_near


def _arc(one: FloatArray, other: FloatArray) -> FloatArray:
    """Vectors on the great circle from one to another, which is left out, shape (n, 3)."""
    angle = 2 * np.arcsin(np.linalg.norm(other - one) / 2)
    if angle == 0:
        return one[None]
    size = _number(float(np.degrees(angle)), _ON_SIDE)
    share = np.arange(size)[:, None] / size
    return np.asarray((np.sin((1 - share) * angle) * one + np.sin(share * angle) * other) / np.sin(angle))


def _number(length: float, fewest: int) -> int:
    """Number of points on a line of so many degrees."""
    return max(fewest, int(length / _SPACING) + 1)


def _places(vectors: FloatArray) -> FloatArray:
    """Right ascension and declination of vectors of any length, deg, shape (n, 3) to (n, 2)."""
    ra = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360
    dec = np.degrees(np.arctan2(vectors[:, 2], np.hypot(vectors[:, 0], vectors[:, 1])))
    return np.stack([ra, dec], axis=1)
