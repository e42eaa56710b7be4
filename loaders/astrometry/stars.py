"""Catalogued stars on the pixels of an exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt
from astropy import units

from loaders.astrometry.place import CatalogAstrometry, place_at
from loaders.wfi.level2 import Level2Image
from loaders.wfi.times import mjd_tdb, observatory

FloatArray = npt.NDArray[np.float64]

AU_KM = float(units.au.to(units.km))
_MJD_J2000, _DAYS_A_YEAR = 51544.5, 365.25


@dataclass(frozen=True)
class CatalogStars:
    """Stars that an exposure may show, each of shape (n,).

    ``object_id`` ascends; ``flux`` is the catalogued flux density in nJy in the exposure's optical element,
    NaN where unknown. ``catalog_version_id`` is the latest version of the catalog that they are of.
    """

    object_id: npt.NDArray[np.int64]
    astrometry: CatalogAstrometry
    flux: FloatArray
    catalog_version_id: int


@overload
def julian_year(mjd: float) -> float: ...


@overload
def julian_year(mjd: FloatArray) -> FloatArray: ...


def julian_year(mjd: float | FloatArray) -> float | FloatArray:
    """Julian years of Modified Julian Dates, both TDB."""
    return 2000.0 + (mjd - _MJD_J2000) / _DAYS_A_YEAR


def catalog_pixels(image: Level2Image, astrometry: CatalogAstrometry) -> tuple[FloatArray, FloatArray]:
    """Pixels at which an exposure shows catalogued objects; NaN for those far from the detector."""
    middle = mjd_tdb(image.metadata.exposure_mid_time)
    observer = observatory(image.metadata, middle).position / AU_KM
    return image.projection.to_pixel(*place_at(astrometry, julian_year(middle), observer))


def near_image(shape: tuple[int, int], x: FloatArray, y: FloatArray, margin: float) -> npt.NDArray[np.bool_]:
    """Pixel coordinates on an image of some shape (ny, nx) or within a margin (pixels) around it."""
    ny, nx = shape
    return (x > -margin) & (x < nx + margin) & (y > -margin) & (y < ny + margin)
