"""The sky that a detector image covers, as ranges of HEALPix pixels (a MOC, IVOA recommendation 2.0)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from astropy import units
from astropy.coordinates import Latitude, Longitude
from mocpy import MOC

from loaders.wfi.projection import SkyProjection

FloatArray = npt.NDArray[np.float64]
RangeArray = npt.NDArray[np.int64]

MOC_ORDER = 14
"""HEALPix order of the footprint's cells: 13 arcsec wide, a thirty-fifth of a detector."""

STORED_ORDER = 29
"""HEALPix order in which ranges are expressed, that of object identifiers."""

_POINTS_PER_EDGE = 8


def outline(projection: SkyProjection) -> tuple[FloatArray, FloatArray]:
    """Outline of a detector image on the sky, along the outer edges of its pixels.

    Parameters
    ----------
    projection
        Projection of the detector; its own, not the file's ``s_region``, which may be that of the uncut
        detector.

    Returns
    -------
    ra, dec : ndarray
        Shape (32,): vertices in degrees ICRS, 8 along each edge, not closed.
    """
    ny, nx = projection.shape
    along = np.arange(_POINTS_PER_EDGE) / _POINTS_PER_EDGE
    still = np.zeros(_POINTS_PER_EDGE)
    x = np.concatenate([along, still + 1, 1 - along, still]) * nx - 0.5
    y = np.concatenate([still, along, still + 1, 1 - along]) * ny - 0.5
    return projection.to_sky(x, y)


def footprint(projection: SkyProjection, order: int = MOC_ORDER) -> RangeArray:
    """Cells that a detector image touches.

    Parameters
    ----------
    projection
        Projection of the detector.
    order
        HEALPix order of the cells, 0 to 29.

    Returns
    -------
    ndarray
        Shape (n, 2), int64: half-open ranges [first, last) of nested HEALPix pixels of order 29, ascending
        and apart.
    """
    ra, dec = outline(projection)
    moc = MOC.from_polygon(Longitude(ra, units.deg), Latitude(dec, units.deg), max_depth=order)
    return np.asarray(moc.to_depth29_ranges, dtype=np.int64)


def covers(ranges: RangeArray, pixels: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell which pixels lie in a footprint.

    Parameters
    ----------
    ranges
        Shape (n, 2): as `footprint` gives them.
    pixels
        Shape (m,): nested HEALPix pixels of order 29.

    Returns
    -------
    ndarray
        Shape (m,), bool.
    """
    # Ranges are ascending and apart: a pixel is inside if an odd number of bounds lies at or below it.
    return np.asarray(np.searchsorted(ranges.ravel(), pixels, side="right") % 2 == 1)
