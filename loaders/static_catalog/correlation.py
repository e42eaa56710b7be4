"""Noise that neighbouring pixels share, and what it does to the error of a sum of pixels.

A pixel of a mosaic made by drizzling shares detector pixels with its neighbours; a pixel of a convolved image
shares the pixels under the kernel. The variance planes give the variance of each pixel alone, so that an
error computed from them without the correlation is too small (Fruchter & Hook 2002, PASP 114, 144, section 7;
Casertano et al. 2000, AJ 120, 2747, appendix A).

A *correlation* here is an array of odd sides: its middle is 1, and element ``[c + j, c + i]`` is the
correlation coefficient of pixels that lie ``j`` rows and ``i`` columns apart. ``[[1.]]`` is white noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

FloatArray = npt.NDArray[np.float64]

WHITE: FloatArray = np.ones((1, 1))
"""The correlation of noise that no two pixels share."""

_STEPS = 400
"""Steps per detector pixel of the numerical integrals."""
_NEGLIGIBLE = 1e-4
_RADII = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
"""Radii in pixels at which inflations are tabulated."""


def drizzle_correlation(pixfrac: float, pixel_scale_ratio: float) -> FloatArray:
    """Compute the correlation of the noise of a mosaic drizzled from many exposures at all pixel phases.

    A drop of side ``pixfrac`` that falls at a distance from a mosaic pixel gives it the share that they have
    in common. The covariance of two mosaic pixels is the integral, over where the drop falls, of the product
    of its two shares; it is the product of one factor for each axis.

    Parameters
    ----------
    pixfrac
        Side of a drop in detector pixels, 0 to 1 (``meta.resample.pixfrac``).
    pixel_scale_ratio
        Side of a mosaic pixel in detector pixels (``meta.resample.pixel_scale_ratio``).

    Returns
    -------
    ndarray
        Correlation; ``[[1.]]`` for drops like points.

    Raises
    ------
    ValueError
        If the drop is wider than a pixel or narrower than nothing, or the mosaic's pixel has no side.
    """
    if not (0 <= pixfrac <= 1 and pixel_scale_ratio > 0):
        raise ValueError(
            f"pixfrac must be in 0..1 and pixel_scale_ratio > 0, got {pixfrac} and {pixel_scale_ratio}"
        )
    reach = int(np.ceil((pixfrac + pixel_scale_ratio) / pixel_scale_ratio))
    shift = np.arange(-reach, reach + 1) * pixel_scale_ratio
    extent = pixfrac + pixel_scale_ratio
    where = np.arange(-extent, extent, 1 / _STEPS) + 0.5 / _STEPS
    share = _common(where, pixfrac, pixel_scale_ratio)
    products = np.array([share @ _common(where - s, pixfrac, pixel_scale_ratio) for s in shift])
    axis = products / products[reach]
    return _trimmed(np.outer(axis, axis))


def _common(distance: FloatArray, first: float, second: float) -> FloatArray:
    """Share of the narrower of two intervals, centred that far apart, that lies in the other."""
    narrow, wide = max(min(first, second), 1e-9), max(first, second)
    return np.asarray(np.clip(((narrow + wide) / 2 - np.abs(distance)) / narrow, 0.0, 1.0))


def kernel_correlation(kernel: FloatArray, correlation: FloatArray = WHITE) -> FloatArray:
    """Correlation of noise after convolution with a kernel: the kernel's autocorrelation.

    Parameters
    ----------
    kernel
        Shape (n, n), n odd.
    correlation
        Correlation of the noise before.
    """
    itself = fftconvolve(kernel, kernel[::-1, ::-1], mode="full")
    both = fftconvolve(itself, correlation, mode="full")
    middle = both.shape[0] // 2
    return _trimmed(both / both[middle, middle])


def inflation(weights: FloatArray, correlation: FloatArray) -> float:
    """Factor on the variance of a weighted sum of pixels because their noise is correlated.

    Parameters
    ----------
    weights
        Shape (ny, nx): weights of the pixels, whose variances are taken to be equal.
    correlation
        Correlation of the noise.

    Returns
    -------
    float
        ``sum_ij w_i w_j rho_ij / sum_i w_i**2``; 1 for white noise.
    """
    shared = fftconvolve(weights, correlation, mode="same") if correlation.size > 1 else weights
    return float((weights * shared).sum() / (weights**2).sum())


@dataclass(frozen=True)
class AreaInflation:
    """Factors on the variance of the sum over a round area.

    Parameters
    ----------
    area
        Shape (n,): areas in pixels, ascending.
    factor
        Shape (n,): `inflation` of circles of these areas.
    """

    area: FloatArray
    factor: FloatArray

    @classmethod
    def of(cls, correlation: FloatArray) -> AreaInflation:
        """Tabulate a correlation."""
        radius = np.array(_RADII, dtype=float)
        factors = [inflation(_circle(r), correlation) for r in radius]
        return cls(np.pi * radius**2, np.array(factors))

    def at(self, area: npt.ArrayLike) -> FloatArray:
        """Factors for areas in pixels, of any shape; elongated areas count as circles."""
        wanted = np.log(np.maximum(np.asarray(area, dtype=float), self.area[0]))
        return np.asarray(np.interp(wanted, np.log(self.area), self.factor))


def _circle(radius: float) -> FloatArray:
    """Share of each pixel that lies in a circle about the middle, to a tenth of a pixel."""
    half = int(np.ceil(radius + 0.5))
    fine = (np.arange((2 * half + 1) * 10) + 0.5) / 10 - half - 0.5
    inside = (fine[:, None] ** 2 + fine**2 <= radius**2).astype(float)
    return np.asarray(inside.reshape(2 * half + 1, 10, 2 * half + 1, 10).mean(axis=(1, 3)))


def _trimmed(correlation: FloatArray) -> FloatArray:
    """Without the outer rows and columns in which nothing is left."""
    middle = correlation.shape[0] // 2
    strong = np.argwhere(np.abs(correlation) > _NEGLIGIBLE) - middle
    reach = int(np.abs(strong).max())
    inner = slice(middle - reach, middle + reach + 1)
    return np.ascontiguousarray(correlation[inner, inner])
