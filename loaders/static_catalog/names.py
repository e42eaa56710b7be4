"""Names of catalog columns as RAD builds them, and the bits of its flags."""

from __future__ import annotations

import enum
import re

import numpy as np

from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.segments import IntArray

_SKY_CELL = re.compile(r"^\d{1,3}[pm]\d{1,2}x(?P<x>\d+)y(?P<y>\d+)$")
_VIRTUAL_PIXEL = 0.05
"""Arcsec: pixel in which ``flagged_spatial_id`` counts."""


class WarningFlag(enum.IntFlag):
    """Bits of ``warning_flags``."""

    DEBLENDED = 1
    """The source touches another; light was divided between them."""
    APERTURE_INCOMPLETE = 2
    """More than a hundredth of the Kron aperture has no usable pixel."""
    NO_WINDOWED_CENTROID = 4
    """The windowed centroid did not converge; ``ra, dec`` are the isophotal ones."""
    NO_LOCAL_BACKGROUND = 8
    """No free pixel in the annulus."""
    NO_KRON_FLUX = 16
    """The Kron flux is not positive: there is no magnitude and no half-light radius."""
    HALF_LIGHT_FAILED = 32
    """No circle within the Kron aperture holds half of its flux."""


class ImageFlag(enum.IntFlag):
    """Bits of ``image_flags``."""

    EDGE = 1
    """The segment touches the edge of the mosaic."""
    HOLE = 2
    """The segment touches pixels without data."""


def column(template: str, band: str = "", radius: float | None = None) -> str:
    """Name of a column.

    Parameters
    ----------
    template
        RAD's definition: ``~band~`` and ``~radius~`` are replaced; ``~band~m~band~`` too.
    band
        ``f158``, for PSF-matched columns ``f158mf213``; empty in catalogs of a single band.
    radius
        Arcsec.

    Examples
    --------
    >>> column("aper~radius~_~band~_flux", "f158", 0.4)
    'aper04_f158_flux'
    >>> column("psf_~band~_flux")
    'psf_flux'
    """
    name = template if radius is None else template.replace("~radius~", f"{round(radius * 10):02d}")
    return name.replace("~band~", band) if band else name.replace("_~band~", "")


def flagged_spatial_id(
    sky_cell: str | None, region: int | None, x: FloatArray, y: FloatArray, pixel_scale: float
) -> IntArray:
    """RAD's place of each source in the tessellation of the sky, as its documentation lays out the bits.

    Bits 0 to 15 and 16 to 31 hold x and y in pixels of 0.05 arcsec, 32 to 38 and 39 to 45 the cell in its
    projection region, 46 to 58 the region. Whether the source is in the core of the cell (bit 59) is not
    known here and left 0.

    Parameters
    ----------
    sky_cell
        Name of the cell, ``270p65x50y49``.
    region
        Number of the projection region in the tessellation, which the mosaic does not tell.
    x, y
        Shape (n,): pixels in the cell.
    pixel_scale
        Arcsec.

    Returns
    -------
    ndarray
        Shape (n,); all 0 where cell or region are not known.
    """
    match = _SKY_CELL.match(sky_cell or "")
    if match is None or region is None:
        return np.zeros(x.size, dtype=np.int64)
    pixels = [
        np.clip(np.nan_to_num(v) * pixel_scale / _VIRTUAL_PIXEL, 0, 65535).astype(np.int64) for v in (x, y)
    ]
    cell = (region << 46) | (int(match["y"]) << 39) | (int(match["x"]) << 32)
    return np.asarray(cell | (pixels[1] << 16) | pixels[0])
