"""An image of the sky that a static catalog is made from, in nJy with its noise: a mosaic or an exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.static_catalog.correlation import FloatArray

Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

#: Levels of the products that catalogs are made from.
EXPOSURE, MOSAIC = 2, 3


@dataclass(frozen=True)
class SkyImage:
    """A mosaic or an exposure in one optical element.

    Parameters
    ----------
    name
        What to call it in messages: its file name.
    optical_element
        As RAD writes it, ``F158``.
    data
        Shape (ny, nx): nJy a pixel; NaN where nothing was observed.
    variance
        Shape (ny, nx): variance of each pixel, nJy**2, of all sources of noise.
    read_variance
        Shape (ny, nx): the part that the sky's sources do not change (read noise); it follows the depth.
    good
        Shape (ny, nx): pixels with data and a positive variance.
    wcs
        From 0-based pixels to ICRS, deg: called with x, y; its ``invert`` goes back.
    pixel_scale
        Arcsec: the root of a pixel's area in the middle.
    correlation
        Of the noise of neighbouring pixels, see `loaders.static_catalog.correlation`.
    meta
        The metadata of the file.
    level
        `EXPOSURE` or `MOSAIC`.
    """

    name: str
    optical_element: str
    data: Float32Array
    variance: Float32Array
    read_variance: Float32Array
    good: BoolArray
    wcs: Any
    pixel_scale: float
    correlation: FloatArray
    meta: Any
    level: int = MOSAIC

    @property
    def sky_cell(self) -> str | None:
        """Name of the cell in the tessellation of the sky whose pixels a mosaic has; None of an exposure."""
        return None if self.level == EXPOSURE else getattr(self.meta.wcsinfo, "skycell_name", None)


def pixel_area(wcs: Any, shape: tuple[int, int]) -> float:
    """Area of a pixel in the middle of an image of some shape, deg**2; NaN where the WCS gives none."""
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    ra, dec = wcs(np.array([x, x + 0.5, x]), np.array([y, y, y + 0.5]), with_bounding_box=False)
    along = (ra[1:] - ra[0] + 180) % 360 - 180
    east, north = along * np.cos(np.radians(dec[0])), dec[1:] - dec[0]
    return float(abs(east[0] * north[1] - east[1] * north[0]) * 4)
