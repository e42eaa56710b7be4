"""Images of the spans of a season, laid on one another, made one by their inverse variances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from loaders.psf.model import EffectivePsf
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.season_reference.matching import PSF_ERROR

BoolArray = npt.NDArray[np.bool_]

FEWEST = 3
"""Images from which one can be told from the others."""

_FAR = 6.0
"""Standard deviations by which a pixel differs from the others for certain."""

_AROUND = 3
"""Detector pixels around such a pixel that are left out with it: the star, or hit, that it belongs to."""

_CONTESTED = 0.3
"""Share of the weight from which it is the star that varies, and nothing is left out."""


@dataclass(frozen=True)
class Stack:
    """Rows of images that lie on one another, light and sky matched.

    Parameters
    ----------
    data
        Shape (n, ny, nx): flux in each fine pixel.
    empty
        Shape (n, ny, nx): its variance without stars, NaN where a pixel is not usable.
    growth
        Shape (n,): by which this grows per unit of flux, relative to itself.
    """

    data: Float32Array
    empty: Float32Array
    growth: FloatArray

    def variance(self, flux: Float32Array) -> Float32Array:
        """Variance of pixels of given expected flux, shape (n, ny, nx)."""
        growth = self.growth.astype(np.float32)[:, None, None]
        return np.asarray(self.empty * (1 + growth * np.maximum(flux, 0)))


@dataclass(frozen=True)
class Combined:
    """What images are together, shape (ny, nx) each.

    Parameters
    ----------
    flux
        Mean flux; where no image is usable that of all as they are, as the splines go on there.
    variance
        Its variance, NaN where no image is usable.
    kept
        Shape (n, ny, nx): which pixels count.
    """

    flux: Float32Array
    variance: Float32Array
    kept: BoolArray


def margin(oversampling: int) -> int:
    """Rows around some that decide what is left out of them."""
    return (2 * _AROUND + 1) * oversampling + 2


def combine(stack: Stack, oversampling: int) -> Combined:
    """Mean of images weighted by their inverse variances without stars, which every pixel of a star shares.

    Light that a few images show and the others do not is left out, all of the star: hits, trails, what moves,
    and what flared up. Where more than three in ten differ it is the star that varies, and all count.
    Weights that followed the variance with stars would give the core of a star other weights than its wings.

    Parameters
    ----------
    stack
        The images.
    oversampling
        Fine pixels per detector pixel along an axis.
    """
    kept = _kept(stack, oversampling)
    weight = np.where(kept, 1 / stack.empty, np.float32(0))
    total = weight.sum(axis=0)
    seen = total > 0
    share = weight / np.where(seen, total, 1)
    flux = np.where(seen, (share * stack.data).sum(axis=0), stack.data.mean(axis=0))
    variance = np.where(kept, share**2 * stack.variance(flux), 0).sum(axis=0)
    return Combined(flux, np.where(seen, variance, np.float32(np.nan)), kept)


def _kept(stack: Stack, oversampling: int) -> BoolArray:
    """Pixels that count, shape (n, ny, nx)."""
    usable = np.isfinite(stack.empty)
    if len(usable) < FEWEST:
        return usable
    middle = _median(np.where(usable, stack.data, np.float32(np.nan)))
    floor = np.float32(PSF_ERROR) * maximum_filter(np.abs(middle), 2 * oversampling + 1)
    deviation = np.sqrt(stack.variance(middle) + floor**2)
    with np.errstate(invalid="ignore"):
        far = np.abs(stack.data - middle) > _FAR * deviation
    size = 2 * _AROUND * oversampling + 1
    patch = maximum_filter(far & usable, (1, size, size))
    weight = np.where(usable, 1 / stack.empty, np.float32(0))
    share = np.where(patch, weight, 0).sum(axis=0) / np.maximum(weight.sum(axis=0), np.float32(1e-30))
    contested = maximum_filter(share > _CONTESTED, size)
    return np.asarray(usable & ~(patch & ~contested))


def _median(data: Float32Array) -> Float32Array:
    """Median over the images that have a value, 0 where none has."""
    ordered = np.sort(data, axis=0)
    count = np.isfinite(data).sum(axis=0)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    ends = (np.take_along_axis(ordered, np.minimum(k, len(data) - 1)[None], 0)[0] for k in (low, high))
    return np.where(count > 0, sum(ends) / np.float32(2), np.float32(0))


def mean_psf(psfs: Sequence[EffectivePsf], weight: FloatArray) -> EffectivePsf:
    """Weighted mean of PSFs on the pixels of one frame, at the nodes of the one with most weight.

    Parameters
    ----------
    psfs
        The PSFs, of one oversampling; the mean reaches as far as the shortest.
    weight
        Shape (n,): weight of each.
    """
    first = psfs[int(np.argmax(weight))]
    size = min(psf.size for psf in psfs)
    stamps = np.zeros((first.y_node.size, first.x_node.size, size, size))
    for psf, share in zip(psfs, weight / weight.sum(), strict=True):
        edge = (psf.size - size) // 2
        inner = slice(edge, edge + size)
        for j, i in np.ndindex(*stamps.shape[:2]):
            stamps[j, i] += share * psf.at(float(first.x_node[i]), float(first.y_node[j]))[inner, inner]
    return EffectivePsf(stamps, first.oversampling, first.x_node, first.y_node)
