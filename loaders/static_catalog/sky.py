"""From pixels to the sky: positions, errors and angles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.segments import IntArray

_ARCSEC = 3600.0


@dataclass(frozen=True)
class SkyAxes:
    """Arcsec east and north of a step of one pixel in x and in y at each place, shape (n,) each."""

    east_x: FloatArray
    east_y: FloatArray
    north_x: FloatArray
    north_y: FloatArray

    def errors(
        self, x_err: FloatArray, y_err: FloatArray, covariance: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Errors in arcsec along right ascension (times cos dec) and declination."""
        east = self._variance(self.east_x, self.east_y, x_err, y_err, covariance)
        north = self._variance(self.north_x, self.north_y, x_err, y_err, covariance)
        return np.sqrt(east), np.sqrt(north)

    @staticmethod
    def _variance(
        a: FloatArray, b: FloatArray, x_err: FloatArray, y_err: FloatArray, covariance: FloatArray
    ) -> FloatArray:
        return np.asarray((a * x_err) ** 2 + (b * y_err) ** 2 + 2 * a * b * covariance)

    def ellipse(
        self, xx: FloatArray, yy: FloatArray, xy: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Semimajor and semiminor axis (arcsec) and position angle (deg) of second moments in pixels.

        The axes are the roots of the eigenvalues; the angle is north through east, 0 to 180.
        """
        east = self._product(self.east_x, self.east_y, self.east_x, self.east_y, (xx, yy, xy))
        north = self._product(self.north_x, self.north_y, self.north_x, self.north_y, (xx, yy, xy))
        both = self._product(self.east_x, self.east_y, self.north_x, self.north_y, (xx, yy, xy))
        mean, half = (east + north) / 2, np.hypot((east - north) / 2, both)
        angle = np.degrees(0.5 * np.arctan2(2 * both, north - east)) % 180.0
        return np.sqrt(mean + half), np.sqrt(np.maximum(mean - half, 0)), np.asarray(angle)

    @staticmethod
    def _product(
        ax: FloatArray,
        ay: FloatArray,
        bx: FloatArray,
        by: FloatArray,
        moments: tuple[FloatArray, FloatArray, FloatArray],
    ) -> FloatArray:
        """Second moment along two directions on the sky."""
        xx, yy, xy = moments
        return np.asarray(ax * bx * xx + ay * by * yy + (ax * by + ay * bx) * xy)

    def position_angle(self, angle: FloatArray) -> FloatArray:
        """Position angle, north through east, 0 to 180 deg, of a line at an angle (rad) from the x axis."""
        c, s = np.cos(angle), np.sin(angle)
        east, north = self.east_x * c + self.east_y * s, self.north_x * c + self.north_y * s
        return np.asarray(np.degrees(np.arctan2(east, north)) % 180.0)


def sky_axes(wcs: Any, x: FloatArray, y: FloatArray) -> SkyAxes:
    """Measure the axes of a WCS by steps of a pixel.

    Parameters
    ----------
    wcs
        From 0-based pixels to ICRS, deg.
    x, y
        Shape (n,): where; NaN gives NaN.
    """
    left, right = (to_sky(wcs, x + s, y) for s in (-0.5, 0.5))
    below, above = (to_sky(wcs, x, y + s) for s in (-0.5, 0.5))
    east_x, north_x = _offset(left, right)
    east_y, north_y = _offset(below, above)
    return SkyAxes(east_x, east_y, north_x, north_y)


def to_sky(wcs: Any, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Right ascension and declination, deg ICRS, also off the image."""
    if x.size == 0:
        return np.zeros(0), np.zeros(0)
    ra, dec = wcs(x, y, with_bounding_box=False)
    return np.asarray(ra, dtype=float) % 360.0, np.asarray(dec, dtype=float)


def _offset(
    start: tuple[FloatArray, FloatArray], end: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Arcsec east and north between near points."""
    along = (end[0] - start[0] + 180.0) % 360.0 - 180.0
    middle = np.radians((start[1] + end[1]) / 2)
    return along * np.cos(middle) * _ARCSEC, (end[1] - start[1]) * _ARCSEC


def nearest_neighbours(x: FloatArray, y: FloatArray) -> tuple[IntArray, FloatArray]:
    """Row of the nearest other source and its distance in pixels; -1 and NaN where there is none."""
    nearest, distance = np.full(x.size, -1, dtype=np.int64), np.full(x.size, np.nan)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if known.size > 1:
        points = np.stack([x[known], y[known]], axis=1)
        found, which = (np.asarray(part) for part in KDTree(points).query(points, k=2))
        nearest[known], distance[known] = known[which[:, 1]], found[:, 1]
    return nearest, distance
