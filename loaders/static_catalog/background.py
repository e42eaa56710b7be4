"""The background of a mosaic, and one of its bands made ready for detection and photometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from photutils.background import Background2D, MedianBackground
from scipy.ndimage import binary_dilation, uniform_filter

from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected
from loaders.static_catalog.correlation import AreaInflation, FloatArray
from loaders.static_catalog.mosaic import BoolArray, Float32Array, Mosaic
from loaders.static_catalog.options import CatalogOptions

_ROUGH_SIDE = 5
"""Pixels over which the first, rough look for sources averages."""
_ROUGH_THRESHOLD = 4.0
_GROW = 6
"""Pixels by which sources are grown when they are masked."""
_SAMPLE = 1_000_000
"""Pixels that are enough for a median."""


@dataclass(frozen=True)
class Band:
    """A mosaic without its background, and its PSF.

    Parameters
    ----------
    mosaic
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
        Effective PSF in pixels of the mosaic.
    correlation
        Of the noise of neighbouring pixels.
    inflation
        What the correlation does to variances of sums.
    """

    mosaic: Mosaic
    data: Float32Array
    variance: Float32Array
    sky_variance: Float32Array
    good: BoolArray
    psf: EffectivePsf
    correlation: FloatArray
    inflation: AreaInflation

    @property
    def background(self) -> Float32Array:
        """What was subtracted from the mosaic, nJy a pixel; NaN where not good, shape (ny, nx)."""
        return np.where(self.good, self.mosaic.data - self.data, np.float32(np.nan))


def prepare_band(mosaic: Mosaic, psf: EffectivePsf, options: CatalogOptions) -> Band:
    """Estimate and subtract the background of a mosaic.

    It is estimated twice: with sources only clipped, then with those masked that stand out from the first
    estimate.

    Parameters
    ----------
    mosaic
        The mosaic.
    psf
        Effective PSF in pixels of the mosaic, normalised to the flux at infinity.
    options
        The options.

    Raises
    ------
    Rejected
        Code ``no_background``, if sources or holes leave no box of pixels to estimate it from.
    """
    unlit = np.ones(mosaic.good.shape, dtype=bool)
    background = estimate_background(mosaic.data, mosaic.good, ~unlit, options, mosaic.name)
    noise = sky_variance(mosaic, unlit)
    lit = _rough_sources(mosaic.data - background, noise, mosaic.good)
    background = estimate_background(mosaic.data, mosaic.good, lit, options, mosaic.name)
    whole = bool(mosaic.good.all())
    return Band(
        mosaic=mosaic,
        data=np.where(mosaic.good, mosaic.data - background, np.float32(0)),
        # The mosaic's own plane where that will do: these arrays are what memory goes to.
        variance=mosaic.variance if whole else np.where(mosaic.good, mosaic.variance, np.float32(0)),
        sky_variance=sky_variance(mosaic, ~lit),
        good=mosaic.good,
        psf=psf,
        correlation=mosaic.correlation,
        inflation=AreaInflation.of(mosaic.correlation),
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
        raise Rejected(name, what, "Give a mosaic of a sparser field, or a larger one", "no_background")
    found = Background2D(
        np.where(good, data, np.float32(0)),
        box,
        mask=lit & good,
        coverage_mask=~good,
        exclude_percentile=90.0,
        filter_size=options.background_filter,
        bkg_estimator=MedianBackground(),
    )
    return np.asarray(found.background, dtype=np.float32)


def sky_variance(mosaic: Mosaic, unlit: BoolArray) -> Float32Array:
    """Variance that pixels would have without sources: the read variance times a common factor.

    The variance planes hold the photon noise of sources as it happened; weights taken from them would favour
    pixels that fluctuated down. Read noise and sky noise both follow the depth, so that the median ratio of
    the whole variance to the read variance, over pixels without sources, turns one into the other.
    """
    chosen = np.flatnonzero(mosaic.good & unlit)
    chosen = chosen[:: max(chosen.size // _SAMPLE, 1)]
    ratio = float(np.median(mosaic.variance.flat[chosen] / mosaic.read_variance.flat[chosen]))
    return np.where(mosaic.good, mosaic.read_variance * np.float32(ratio), np.float32(np.inf))


def _rough_sources(data: Float32Array, noise: Float32Array, good: BoolArray) -> BoolArray:
    """Pixels near something that stands out when pixels are averaged."""
    mean = uniform_filter(np.where(good, data, np.float32(0)), _ROUGH_SIDE)
    limit = _ROUGH_THRESHOLD * np.sqrt(np.where(good, noise, 0)) / _ROUGH_SIDE
    bright = good & (mean > limit)
    return np.asarray(binary_dilation(bright, iterations=_GROW) & good)
