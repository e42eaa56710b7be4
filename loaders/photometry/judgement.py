"""What is known against each measured star: flags of fits that failed, and of the pixels around."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter, uniform_filter

from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.image import BoolArray, PixelImage, StarList
from loaders.photometry.joint_fit import JointFit
from loaders.photometry.positions import Extras
from loaders.photometry.psf_table import IntArray
from loaders.psf.model import FloatArray

_CORE = 3
"""Side in pixels of the core of a star that must be complete to go without a flag."""

_INFORMED = 0.02
"""Share of usable pixels around a star below which its background is extrapolated."""


def judge_extras(fit: JointFit, extras: Extras) -> tuple[IntArray, FloatArray, FloatArray]:
    """Flags of offsets and shapes that failed, and values and errors without them."""
    flags = np.zeros(fit.count, dtype=np.int64)
    value, error = extras.value.copy(), np.sqrt(extras.variance)
    snr = fit.flux / np.sqrt(np.where(fit.flux_variance > 0, fit.flux_variance, np.inf))
    kinds = (
        (slice(0, 2), fit.options.max_offset, fit.options.position_snr, PhotometryFlag.POSITION_FAILED),
        (slice(2, 5), fit.options.max_shape, fit.options.shape_snr, PhotometryFlag.SHAPE_FAILED),
    )
    for part, limit, least, flag in kinds:
        good = (np.abs(value[:, part]) <= limit).all(axis=1) & np.isfinite(error[:, part]).all(axis=1)
        flags[~good & (snr >= least)] |= flag
        value[~good, part] = np.nan
        error[~good, part] = np.nan
    return flags, value, error


def fit_flags(fit: JointFit, variance: FloatArray, chi2: FloatArray, crowd: FloatArray) -> IntArray:
    """Flags that the fit itself gives to its sources."""
    flags = np.zeros(fit.count, dtype=np.int64)
    measured, informed = np.isfinite(variance), fit.sums.scale > 0
    limit = fit.options.tolerance * np.sqrt(variance)
    flags[~informed] |= PhotometryFlag.NO_PIXELS
    flags[informed & ~measured] |= PhotometryFlag.FIT_FAILED
    flags[measured & (np.abs(fit.step) > limit)] |= PhotometryFlag.NOT_CONVERGED
    flags[measured & (chi2 > fit.options.poor_fit)] |= PhotometryFlag.POOR_FIT
    flags[measured & (crowd > fit.options.crowded)] |= PhotometryFlag.CROWDED
    return flags


def image_flags(image: PixelImage, good: BoolArray, stars: StarList) -> IntArray:
    """Flags that the pixels around each star give."""
    shape = image.data.shape
    flags = np.zeros(stars.x.size, dtype=np.int64)
    inside = on_image(stars.x, stars.y, shape)
    flags[~inside] |= PhotometryFlag.OUTSIDE
    row = np.clip(np.rint(stars.y).astype(np.int64), 0, shape[0] - 1)
    column = np.clip(np.rint(stars.x).astype(np.int64), 0, shape[1] - 1)
    margin = _CORE // 2
    edge = (row < margin) | (row >= shape[0] - margin) | (column < margin) | (column >= shape[1] - margin)
    flags[inside & edge] |= PhotometryFlag.EDGE
    flags[inside & _dilate(~good)[row, column]] |= PhotometryFlag.MASKED
    if image.saturated is not None:
        flags[inside & _dilate(image.saturated)[row, column]] |= PhotometryFlag.SATURATED
    informed = uniform_filter(good.astype(np.float32), size=64, mode="constant")
    flags[inside & (informed[row, column] < _INFORMED)] |= PhotometryFlag.BAD_BACKGROUND
    return flags


def _dilate(mask: BoolArray) -> BoolArray:
    return np.asarray(maximum_filter(mask, size=_CORE, mode="constant"))


def on_image(x: FloatArray, y: FloatArray, shape: tuple[int, ...]) -> BoolArray:
    """Tell which positions, shape (n,), lie on a pixel of an image."""
    return np.asarray((x >= -0.5) & (x < shape[1] - 0.5) & (y >= -0.5) & (y < shape[0] - 0.5))
