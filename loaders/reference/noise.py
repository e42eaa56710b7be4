"""The noise model of a reference: that of independent samples, times what their places make of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

from loaders.photometry.noise import NoiseModel
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.members import MemberState
from loaders.reference.propagation import NoisyImage

BoolArray = npt.NDArray[np.bool_]

_LEAST_SAMPLES, _LEAST_SHARE = 0.5, 0.2
"""Exposures that must see a place, for it to be usable, and as a share of what is usual."""

_WINDOW, _WIDE = 1.5, 4.0
"""Half of the side, in detector pixels, of the squares over which squares of noise are averaged, and of
those in which the means should not differ but by chance."""

_CHANCE = 1.4
"""Factor by which means of so few draws may differ by chance."""


def one_sample(oversampling: int, members: Sequence[MemberState]) -> NoiseModel:
    """Noise of a fine pixel that has one pixel of the exposures for itself."""
    used = [member for member in members if member.refused is None]
    read = float(np.mean([1 / member.weight for member in used]))
    poisson = float(np.mean([member.poisson for member in used]))
    return NoiseModel(read / oversampling**4, poisson / oversampling**2)


def samples_of(oversampling: int, weight: Float32Array, members: Sequence[MemberState]) -> Float32Array:
    """Pixels of exposures per fine pixel, shape (ny, nx), from `NormalEquations.weight`."""
    unit = float(np.mean([member.weight for member in members if member.refused is None]))
    # The sums are kept per fine pixel; a detector pixel's worth of them is what an exposure gives.
    return np.asarray(uniform_filter(weight, 2 * oversampling + 1, mode="constant") / unit)


def fine_noise(
    oversampling: int, samples: Float32Array, members: Sequence[MemberState], excess: FloatArray
) -> NoiseModel:
    """Noise of the fine pixels of a reference.

    Parameters
    ----------
    oversampling
        Fine pixels per detector pixel along an axis.
    samples
        Shape (ny, nx): see `samples_of`.
    members
        Its exposures.
    excess
        Shape (ny, nx): by how much the variance is larger than that of independent samples; see `excess_of`.

    Returns
    -------
    NoiseModel
        Its scale, shape (ny, nx), is NaN where too few pixels lie, or nothing is known of the variance.
    """
    common = one_sample(oversampling, members)
    usable = _usable(oversampling, samples) & (excess > 0)
    scale = np.where(usable, excess / np.where(usable, samples, 1), np.nan).astype(np.float32)
    return NoiseModel(common.read, common.poisson, scale)


def _usable(oversampling: int, samples: Float32Array) -> BoolArray:
    """Places that enough exposures see, shape (ny, nx)."""
    least = _LEAST_SAMPLES / oversampling**2
    level = float(np.median(samples[samples > least])) if samples.any() else np.inf
    return np.asarray(samples > max(least, _LEAST_SHARE * level))


def excess_of(
    oversampling: int, image: NoisyImage, members: Sequence[MemberState], samples: Float32Array
) -> FloatArray:
    """By how much the variance of fine pixels is larger than that of independent samples, shape (ny, nx).

    That of single pixels, or that of which the flux of a star has its error, whichever is larger: fits that
    take the noise of pixels as independent then claim no more than they know.

    Parameters
    ----------
    oversampling
        Fine pixels per detector pixel along an axis.
    image
        The image with its variances.
    members
        Its exposures.
    samples
        Shape (ny, nx): see `samples_of`.
    """
    read, seen = one_sample(oversampling, members).read, _usable(oversampling, samples)
    variances = (image.pixel, image.star)
    pixel, star = (_settled(variance * samples / read, seen, oversampling) for variance in variances)
    return np.maximum(pixel, star)


def _settled(value: Float32Array, seen: BoolArray, oversampling: int) -> FloatArray:
    """Means of squares of noise around each place, without what they scatter by; 0 where nothing is seen.

    The geometric mean of those in a wider square, if it is that of the place within what chance can make.
    """
    near = around(value, seen, 2 * round(_WINDOW * oversampling) + 1)
    known = seen & (near > 0)
    wide = np.exp(around(np.log(np.where(known, near, 1)), known, 2 * round(_WIDE * oversampling) + 1))
    return np.where(known, np.clip(wide, near / _CHANCE, near * _CHANCE), 0)


def around(value: FloatArray | Float32Array, seen: BoolArray, side: int) -> FloatArray:
    """Mean of what is seen in a square around each place, shape (ny, nx); 0 where nothing is."""
    total = uniform_filter(np.where(seen, value, 0).astype(np.float64), side, mode="constant")
    share = uniform_filter(seen.astype(np.float64), side, mode="constant")
    return np.asarray(total / np.maximum(share, 0.5 / side**2))
