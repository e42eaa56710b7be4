"""One polygon around a region of the sky, as the archive's cone searches want it."""

from __future__ import annotations

import cdshealpix.nested
import numpy as np
import numpy.typing as npt
from astropy.coordinates import Angle
from mocpy import MOC
from scipy.spatial import ConvexHull

FloatArray = npt.NDArray[np.float64]

#: Order of the pixels in which ranges are stored, and how many pixels the outline is made of at most.
_STORED_ORDER, _FINEST_ORDER, _MOST_CELLS = 29, 18, 200_000


def polygon_around(ranges: npt.NDArray[np.int64]) -> str:
    """Smallest convex polygon around a region, in the words of STC-S.

    The sides are great circles: those of the convex hull in the plane that touches the sky in the middle
    of the region (gnomonic projection; Calabretta & Greisen 2002, section 5.1.3).

    Parameters
    ----------
    ranges
        Half-open ranges of nested HEALPix pixels of order 29, shape (n, 2).

    Returns
    -------
    str
        ``POLYGON ICRS`` and longitude and latitude of each corner in deg, counterclockwise as seen from
        inside of the sphere with north up and east to the left.

    Raises
    ------
    ValueError
        If there are no ranges, or they reach farther than 60 deg from their middle.
    """
    if len(ranges) == 0:
        raise ValueError("a region without a pixel has no outline")
    corners = _corners(ranges)
    middle = corners.mean(axis=0)
    middle /= np.linalg.norm(middle)
    if np.min(corners @ middle) < 0.5:
        raise ValueError("the region reaches farther than 60 deg from its middle: no polygon goes around it")
    return "POLYGON ICRS " + " ".join(f"{lon:.9f} {lat:.9f}" for lon, lat in _hull(corners, middle))


def _corners(ranges: npt.NDArray[np.int64]) -> FloatArray:
    """Corners of the pixels of a region, shape (n, 3); pixels are as fine as their number allows."""
    moc = MOC.from_depth29_ranges(_STORED_ORDER, ranges.astype(np.uint64))
    finest = np.log(_MOST_CELLS / (12 * moc.sky_fraction)) / np.log(4)
    order = int(np.clip(finest, 0, _FINEST_ORDER))
    cells = moc.degrade_to_order(order).flatten()
    lon, lat = cdshealpix.nested.vertices(cells, order)
    lon, lat = Angle(lon).rad.ravel(), Angle(lat).rad.ravel()
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _hull(corners: FloatArray, middle: FloatArray) -> FloatArray:
    """Longitude and latitude of the corners of the convex hull, deg, shape (n, 2)."""
    east = np.cross([0.0, 0.0, 1.0], middle)
    east /= np.linalg.norm(east)
    plane = np.stack([corners @ east, corners @ np.cross(middle, east)], axis=1) / (corners @ middle)[:, None]
    x, y, z = corners[ConvexHull(plane).vertices[::-1]].T
    return np.stack([np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z))], axis=1)
