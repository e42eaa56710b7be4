"""A Level-2 exposure as an image that a static catalog is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loaders.photometry.measure import pixel_image
from loaders.static_catalog.correlation import WHITE, FloatArray
from loaders.static_catalog.image import EXPOSURE, SkyImage, pixel_area
from loaders.wfi.catalog_product import exposure_keywords
from loaders.wfi.level2 import Level2Image, read_level2
from loaders.wfi.projection import SkyProjection


@dataclass(frozen=True)
class ProjectionWcs:
    """A projection called as a WCS is: with x and y for the sky, and back by ``invert``; both deg ICRS.

    ``with_bounding_box`` is taken and not looked at: NaN beyond the projection's margin in any case.
    """

    projection: SkyProjection

    def __call__(
        self, x: FloatArray, y: FloatArray, with_bounding_box: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Right ascension and declination of pixels, any shape."""
        shape = np.shape(x)
        ra, dec = self.projection.to_sky(np.ravel(x), np.ravel(y))
        return ra.reshape(shape), dec.reshape(shape)

    def invert(
        self, ra: FloatArray, dec: FloatArray, with_bounding_box: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Pixels of places, any shape."""
        shape = np.shape(ra)
        x, y = self.projection.to_pixel(np.ravel(ra), np.ravel(dec))
        return x.reshape(shape), y.reshape(shape)


def read_exposure(path: Path) -> SkyImage:
    """Read a Level-2 file.

    Raises
    ------
    Rejected
        Codes of `loaders.wfi.level2.read_level2` and `PixelImage.from_calibrated`.
    """
    return exposure_of(read_level2(path), path)


def exposure_of(image: Level2Image, path: Path) -> SkyImage:
    """Take what is needed from an exposure, in nJy; its pixels share no noise.

    The read variance is that of the noise model of the photometry: the variance without light, times how much
    the variance of a pixel is out of the common relation. Pixels that the photometry does not use are not
    good.
    """
    pixels = pixel_image(image)
    factor = np.float32(image.njy_per_unit)
    read = np.broadcast_to(np.float32(pixels.noise.read) * pixels.noise.scale, image.data.shape)
    good = pixels.usable & np.isfinite(read) & (read > 0)
    nothing = np.float32(np.nan)
    wcs = ProjectionWcs(image.projection)
    return SkyImage(
        name=str(path),
        optical_element=image.metadata.optical_element,
        data=np.where(good, image.data * factor, nothing),
        variance=np.where(good, image.err**2 * factor**2, nothing),
        read_variance=np.where(good, read * factor**2, nothing).astype(np.float32),
        good=good,
        wcs=wcs,
        pixel_scale=float(np.sqrt(pixel_area(wcs, image.shape)) * 3600),
        correlation=WHITE,
        meta=exposure_keywords(path),
        level=EXPOSURE,
    )
