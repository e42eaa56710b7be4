"""The sky that a catalog covers, by cells of HEALPix."""

from __future__ import annotations

import cdshealpix
import numpy as np
import numpy.typing as npt
from astropy.coordinates import Latitude, Longitude

from loaders.catalog.sources import Sources

#: HEALPix order at which a catalog is compared with the sky that has been observed: cells of 0.9 arcmin.
OVERLAP_ORDER = 12


def cells(sources: Sources) -> npt.NDArray[np.int64]:
    """Cells that hold sources, as half-open ranges of HEALPix pixels of order 29, shape (n, 2)."""
    longitude, latitude = Longitude(sources.ra, "deg"), Latitude(sources.dec, "deg")
    cell = np.unique(cdshealpix.lonlat_to_healpix(longitude, latitude, OVERLAP_ORDER)).astype(np.int64)
    shift = 2 * (29 - OVERLAP_ORDER)
    return np.stack([cell << shift, (cell + 1) << shift], axis=1)
