"""Variance of a pixel as a function of the rate that the model predicts for it.

Weights taken from the data make every fitted flux too low, because a pixel that fluctuated down then counts
for more (e.g. Humphrey, Liu & Buote 2009, ApJ 693, 822). The noise model therefore is a function of the
*expected* rate, calibrated once from the variances that the calibration pipeline attached to the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.photometry.psf_table import Float32Array
from roman_db.compiled import compiled

_OWN_SCALE = 0.05
"""Relative departure from the common relation at which a pixel keeps its own scale."""

_SELDOM = 1.0
"""Percentile of the scales of faint pixels below which a brighter one has none."""

_BINS = 64
"""Bins of equal numbers of pixels in which the relation of variance to rate is measured."""


@dataclass(frozen=True)
class NoiseModel:
    """``variance = scale × (read + poisson × max(rate, 0))``.

    Parameters
    ----------
    read
        Variance without light, image units squared.
    poisson
        Variance per unit of rate, image units.
    scale
        Shape (ny, nx) or scalar: factor of pixels whose variance is not the common one, such as those whose
        last resultants were saturated. NaN where a pixel has no variance.
    """

    read: float
    poisson: float
    scale: Float32Array | float = 1.0

    def __post_init__(self) -> None:
        if not (self.read >= 0 and self.poisson >= 0 and self.read + self.poisson > 0):
            raise ValueError(f"read and poisson must be >= 0 and not both 0, got {self.read}, {self.poisson}")

    def variance(self, rate: npt.ArrayLike) -> Float32Array:
        """Variance of pixels of given expected rate, shape of ``rate``."""
        positive = np.maximum(np.asarray(rate, dtype=np.float32), np.float32(0))
        return np.asarray(self.scale * (np.float32(self.read) + np.float32(self.poisson) * positive))


@compiled()
def invert_variance(
    begin: int,
    end: int,
    images: tuple[Float32Array, Float32Array, npt.NDArray[np.bool_], Float32Array],
    noise: tuple[float, float],
    out: Float32Array,
) -> None:
    """Weights of the pixels in some rows: what `NoiseModel.variance` says of a fitted image, inverted.

    Parameters
    ----------
    begin, end
        Rows.
    images
        Shape (ny, nx) each: data, data minus model, pixels that count, and the scale of the variance.
    noise
        Read variance, and Poisson variance per unit of rate.
    out
        Shape (ny, nx): inverse variance, 0 where a pixel does not count.
    """
    data, residual, usable, scale = images
    read, poisson = np.float32(noise[0]), np.float32(noise[1])
    for j in range(begin, end):
        for i in range(data.shape[1]):
            rate = max(data[j, i] - residual[j, i], np.float32(0.0))
            variance = scale[j, i] * (read + poisson * rate)
            out[j, i] = np.float32(1.0) / variance if usable[j, i] else np.float32(0.0)


def estimate_noise(
    data: npt.ArrayLike, err: npt.ArrayLike, var_poisson: npt.ArrayLike | None = None
) -> NoiseModel:
    """Calibrate a noise model with the errors of a calibrated image.

    Parameters
    ----------
    data
        Shape (ny, nx): rate of each pixel.
    err
        Shape (ny, nx): standard deviation of each pixel, of any float type; 0 or not finite where a pixel
        has none (saturated throughout).
    var_poisson
        Shape (ny, nx): the part of the variance that photons make, if known.

    Returns
    -------
    NoiseModel
        With one read variance and one Poisson variance per unit of rate, each the median over pixels; a
        pixel whose own variance departs from this by more than 5 % keeps its ratio to it as scale. Scales so
        low that no faint pixel has them are those of hits and trails whose light the error leaves out: they
        are held at what faint pixels have.

    Raises
    ------
    ValueError
        If shapes differ or no pixel has a variance.
    """
    rate, variance = np.asarray(data, dtype=np.float32), np.asarray(err, dtype=np.float32) ** 2
    if rate.shape != variance.shape or rate.ndim != 2:
        raise ValueError(f"data and err must have one 2-D shape, got {rate.shape} and {variance.shape}")
    known = np.isfinite(rate) & np.isfinite(variance) & (variance > 0)
    if not known.any():
        raise ValueError("no pixel of err is finite and positive")
    poisson = _poisson(
        rate[known], variance[known], None if var_poisson is None else np.asarray(var_poisson)[known]
    )
    faint = rate[known] <= np.median(rate[known])
    read = float(np.median(variance[known][faint] - poisson * np.maximum(rate[known][faint], 0)))
    common = NoiseModel(max(read, 1e-3 * float(np.median(variance[known]))), poisson)
    return NoiseModel(common.read, common.poisson, _scale(common, rate, variance, known))


def _poisson(
    rate: Float32Array, variance: Float32Array, photon_variance: npt.NDArray[np.floating] | None
) -> float:
    """Variance per unit of rate: the median ratio, or the slope of variance over rate."""
    if photon_variance is not None:
        photons = photon_variance.astype(np.float32)
        lit = np.isfinite(photons) & (photons > 0) & (rate > 0)
        if lit.any():
            return float(np.median(photons[lit] / rate[lit]))
    edges = np.array_split(np.argsort(rate), min(_BINS, rate.size))
    x = np.array([np.median(rate[part]) for part in edges])
    y = np.array([np.median(variance[part]) for part in edges])
    middle = x.size // 2
    run = x[middle:].mean() - x[:middle].mean() if middle else 0.0
    rise = y[middle:].mean() - y[:middle].mean() if middle else 0.0
    return max(float(rise / run), 0.0) if run > 0 else 0.0


def _scale(
    common: NoiseModel, rate: Float32Array, variance: Float32Array, known: npt.NDArray[np.bool_]
) -> Float32Array:
    """Ratio of the variance of each pixel to the common one, one where it is near one; NaN if not known.

    What is expected under a hit is the rate without it: a variance that is divided by what the photons of the
    hit would make would give its pixel the weight of hundreds of others.
    """
    ratio = np.where(known, variance, np.float32(np.nan)) / common.variance(np.where(known, rate, 0))
    faint = rate <= np.median(rate[known])
    seldom = np.float32(np.percentile(ratio[known & faint], _SELDOM))
    ratio = np.where(faint, ratio, np.maximum(ratio, seldom))
    return np.where(np.abs(ratio - 1) <= _OWN_SCALE, np.float32(1), ratio).astype(np.float32)
