"""Optimal extraction of one-dimensional spectra (Horne 1986, PASP 98, 609)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from loaders.spectral_extraction.frame import SpectralFrame
from loaders.spectral_geometry.polynomial import FloatArray

_ROUNDS = 3
_SMOOTH = 31
"""Rows over which the spectrum is averaged for the noise that its model expects."""
_NEAR = 3
"""Rows over which it is averaged for the error of a row, so that lines have theirs."""
_LEAST = 0.05
"""Share of the light of a row that must fall on usable pixels."""


@dataclass(frozen=True)
class Extracted:
    """A spectrum, row by row; arrays of shape (n,).

    ``rate`` and ``error`` in electrons/s are NaN, and ``share`` 0, where no pixel of the row was usable.
    ``share`` is the share of the profile on usable pixels.
    """

    rate: FloatArray
    error: FloatArray
    share: FloatArray


def optimal(frame: SpectralFrame, profile: FloatArray, other: FloatArray) -> Extracted:
    """Extract a spectrum from a cut-out, one value a row.

    Each row is the profile times one number, fitted with weights from the noise that the model expects of
    sky, neighbours and the spectrum itself, which is averaged over rows, so that weights do not follow noise.
    Errors are those of the fit by these weights.
    A pixel that is bad is left out of the fit of its row, and the row stays.

    Parameters
    ----------
    frame
        Cut-out of shape (n, w) of an exposure, wavelengths along its first axis.
    profile
        Shape (n, w): share of a row's light in each pixel.
    other
        Shape (n, w): what sky and neighbours bring, electrons/s; it is subtracted.
    """
    usable = frame.usable & np.isfinite(profile)
    light = np.where(usable, profile, 0.0)
    share = light.sum(axis=1)
    enough = share > _LEAST
    difference = np.where(usable, frame.rate - other, 0.0)
    expected = np.zeros(share.shape)
    for _ in range(_ROUNDS):
        variance = frame.variance(other + expected[:, None] * light)
        inverse = np.divide(1.0, variance, out=np.zeros(variance.shape), where=usable)
        norm = np.where(enough, (light**2 * inverse).sum(axis=1), np.nan)
        rate = (light * difference * inverse).sum(axis=1) / norm
        expected = smoothed(rate, norm, _SMOOTH)
    here = smoothed(rate, norm, _NEAR)
    variance = frame.variance(other + here[:, None] * light)
    error = np.sqrt(((light * inverse) ** 2 * variance).sum(axis=1)) / norm
    return Extracted(rate, error, np.where(enough, share, 0.0))


def smoothed(rate: FloatArray, weight: FloatArray, length: int) -> FloatArray:
    """Running weighted mean over ``length`` rows; rows that are not finite do not count, and get one, too."""
    good = np.isfinite(rate) & np.isfinite(weight)
    weight = np.where(good, weight, 0.0)
    total = uniform_filter1d(np.where(good, rate, 0.0) * weight, length, mode="constant")
    norm = uniform_filter1d(weight, length, mode="constant")
    return np.divide(total, norm, out=np.zeros(rate.shape), where=norm > 0)


def cut(frame: SpectralFrame, part: tuple[slice, slice]) -> SpectralFrame:
    """A part of an exposure."""
    return SpectralFrame(frame.rate[part], frame.read_variance[part], frame.poisson, frame.bad[part])
