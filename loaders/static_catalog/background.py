"""The background of an image, and one of its bands made ready for detection and photometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from photutils.background import Background2D, MedianBackground
from scipy.ndimage import binary_dilation, uniform_filter

from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected
from loaders.static_catalog.correlation import AreaInflation, FloatArray
from loaders.static_catalog.image import BoolArray, Float32Array, SkyImage
from loaders.static_catalog.options import CatalogOptions

_SPARSER = "Give an image of a sparser field, or a larger one"
_ROUGH_SIDE = 5
"""Pixels over which the first, rough look for sources averages."""
_ROUGH_THRESHOLD = 4.0
_GROW = 6
"""Pixels by which sources are grown when they are masked."""
_SAMPLE = 1_000_000
"""Pixels that are enough for a median."""


@dataclass(frozen=True)
class Band:
    """An image without its background, and its PSF.

    Parameters
    ----------
    image
        What it was made of.
    data
        Shape (ny, nx): nJy a pixel without the background; 0 where not good.
    variance
        Shape (ny, nx): variance of each pixel, nJy**2; 0 where not good.
    sky_variance
        Shape (ny, nx): the variance that the pixel would have without sources; infinite where not good.
    good
        Shape (ny, nx): pixels that count.
    psf
        Effective PSF in pixels of the image.
    correlation
        Of the noise of neighbouring pixels.
    inflation
        What the correlation does to variances of sums.
    """

    image: SkyImage
    data: Float32Array
    variance: Float32Array
    sky_variance: Float32Array
    good: BoolArray
    psf: EffectivePsf
    correlation: FloatArray
    inflation: AreaInflation

    @property
    def background(self) -> Float32Array:
        """What was subtracted from the image, nJy a pixel; NaN where not good, shape (ny, nx)."""
        return np.where(self.good, self.image.data - self.data, np.float32(np.nan))


def prepare_band(image: SkyImage, psf: EffectivePsf, options: CatalogOptions) -> Band:
    """Estimate and subtract the background of an image.

    It is estimated twice: with sources only clipped, then with those masked that stand out from the first
    estimate.

    Parameters
    ----------
    image
        The image.
    psf
        Effective PSF in pixels of the image, normalised to the flux at infinity.
    options
        The options.

    Raises
    ------
    Rejected
        Code ``no_background``, if sources or holes leave no box of pixels to estimate it from.
    """
    unlit = np.ones(image.good.shape, dtype=bool)
    background = estimate_background(image.data, image.good, ~unlit, options, image.name)
    noise = sky_variance(image, unlit)
    lit = _rough_sources(image.data - background, noise, image.good)
    background = estimate_background(image.data, image.good, lit, options, image.name)
    whole = bool(image.good.all())
    return Band(
        image=image,
        data=np.where(image.good, image.data - background, np.float32(0)),
        # The image's own plane where that will do: these arrays are what memory goes to.
        variance=image.variance if whole else np.where(image.good, image.variance, np.float32(0)),
        sky_variance=sky_variance(image, ~lit),
        good=image.good,
        psf=psf,
        correlation=image.correlation,
        inflation=AreaInflation.of(image.correlation),
    )


def estimate_background(
    data: Float32Array, good: BoolArray, lit: BoolArray, options: CatalogOptions, name: str
) -> Float32Array:
    """Smooth background by clipped medians of boxes (photutils' Background2D), nJy a pixel.

    Parameters
    ----------
    data
        Shape (ny, nx).
    good, lit
        Shape (ny, nx): pixels that count, and among them those that sources light.
    options
        The options.
    name
        What to call the image.
    """
    box = tuple(min(options.background_box, side) for side in data.shape)
    where = good & ~lit
    if where.sum() < 0.01 * good.sum() or not where.any():
        what = "sources and holes leave less than a hundredth of the pixels to estimate the background from"
        raise Rejected(name, what, _SPARSER, "no_background")
    try:
        found = Background2D(
            np.where(good, data, np.float32(0)),
            box,
            mask=lit & good,
            coverage_mask=~good,
            exclude_percentile=90.0,
            filter_size=options.background_filter,
            bkg_estimator=MedianBackground(),
        )
    except ValueError as error:
        if "All boxes contain" not in str(error):
            raise
        what = f"no box of {box[0]} by {box[1]} pixels has a tenth of them without sources and holes"
        raise Rejected(name, what, _SPARSER, "no_background") from error
    return np.asarray(found.background, dtype=np.float32)


def sky_variance(image: SkyImage, unlit: BoolArray) -> Float32Array:
    """Variance that pixels would have without sources: the read variance times a common factor.

    The variance planes hold the photon noise of sources as it happened; weights taken from them would favour
    pixels that fluctuated down. Read noise and sky noise both follow the depth, so that the median ratio of
    the whole variance to the read variance, over pixels without sources, turns one into the other.
    """
    chosen = np.flatnonzero(image.good & unlit)
    chosen = chosen[:: max(chosen.size // _SAMPLE, 1)]
    ratio = float(np.median(image.variance.flat[chosen] / image.read_variance.flat[chosen]))
    return np.where(image.good, image.read_variance * np.float32(ratio), np.float32(np.inf))


def _rough_sources(data: Float32Array, noise: Float32Array, good: BoolArray) -> BoolArray:
    """Pixels near something that stands out when pixels are averaged."""
    mean = uniform_filter(np.where(good, data, np.float32(0)), _ROUGH_SIDE)
    limit = _ROUGH_THRESHOLD * np.sqrt(np.where(good, noise, 0)) / _ROUGH_SIDE
    bright = good & (mean > limit)
    return np.asarray(binary_dilation(bright, iterations=_GROW) & good)
