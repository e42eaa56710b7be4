"""The factor that the light of many stars has in common, which no star decides by itself.

A star's share in a mean is the inverse of its variance. Photons make that of the brightest so small that one
of them can outweigh all others; if it varies, it is taken for a change of everybody's light. So relative
calibrations add a scatter from star to star to all variances (Padmanabhan et al. 2008, ApJ 674, 1217, and
Burke et al. 2018, AJ 155, 41: a floor of errors). Here the scatter is measured on the stars themselves, so
that it costs nothing where they are constant; beyond that no star may have more than a fifth of the weight;
and stars far off what the others say count less or nothing (Tukey's biweight: Beaton & Tukey 1974,
Technometrics 16, 147).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

FEWEST = 3
"""Stars from which a common factor can be told from the change of one."""

LARGEST_ERROR = 0.1
"""Error of a star's ratio from which it says nothing."""

_LARGEST_SHARE = 0.2
"""Part of the weight that one star may have, where there are so many."""

_BIWEIGHT = 4.685
"""Standard deviations at which a star counts no more: the efficiency for normal errors is 95 %."""

_MAD_TO_SIGMA, _LOST = 1.4826, 0.8
"""Of the median absolute deviation: n / (n - 0.8) is what few values lack (Croux & Rousseeuw 1992,
Computational Statistics 1, 411)."""

_CHANGED = 5.0

_BISECTIONS, _STEPS, _STILL = 50, 50, 1e-3


@dataclass(frozen=True)
class CommonScale:
    """A factor common to many stars.

    Parameters
    ----------
    scale
        The factor; 1 where fewer than three stars say it.
    error
        Its standard error, NaN where it is not measured.
    n_star
        Stars that were asked, those included that were found to have changed by themselves.
    scatter
        Standard deviation of the ratios from star to star beyond their noise.
    """

    scale: float
    error: float
    n_star: int
    scatter: float = 0.0

    def changed(self, ratio: FloatArray, error: FloatArray) -> npt.NDArray[np.bool_]:
        """Which stars are five standard deviations off it, shape (n,); none where it is not measured."""
        variance = np.square(error) + self.scatter**2 + self.error**2
        with np.errstate(invalid="ignore"):
            return np.asarray(np.square(ratio - self.scale) > _CHANGED**2 * variance)


def common_scale(ratio: FloatArray, error: FloatArray) -> CommonScale:
    """Find the factor that most stars agree on.

    Parameters
    ----------
    ratio
        Shape (n,): light of each star over what it was; NaN where not measured.
    error
        Shape (n,): their standard errors by noise; stars of 0.1 and more are not asked.

    Returns
    -------
    CommonScale
        One star changes it by no more than about its standard error, whatever the star does.
    """
    with np.errstate(invalid="ignore"):
        good = np.isfinite(ratio) & (error > 0) & (error < LARGEST_ERROR)
    x, noise = ratio[good], np.square(error[good])
    if x.size < FEWEST:
        return CommonScale(1.0, float("nan"), x.size)
    share = _shares(noise)
    middle = _weighted_median(x, share)
    scatter = _intrinsic_variance(x - middle, noise, share)
    variance = noise + scatter
    share = _shares(variance)
    for _ in range(_STEPS):
        before, weight = middle, share * _trust(x - middle, variance, share)
        weight /= weight.sum()
        middle = float(weight @ x)
        uncertain = _error(x - middle, variance, weight)
        if abs(middle - before) < _STILL * uncertain:
            break
    return CommonScale(middle, uncertain, x.size, float(np.sqrt(scatter)))


def _error(deviation: FloatArray, variance: FloatArray, weight: FloatArray) -> float:
    """Standard error of a weighted mean: by the variances, or by how the stars scatter if that is more."""
    squares = np.square(weight)
    scatter = float(squares @ np.square(deviation)) * weight.size / (weight.size - 1)
    return float(np.sqrt(max(float(squares @ variance), scatter)))


def _shares(variance: FloatArray) -> FloatArray:
    """Inverse variances, sum 1, after as much was added to all as keeps the largest within its limit."""

    def shares(added: float) -> FloatArray:
        weight = 1 / (variance + added)
        return np.asarray(weight / weight.sum())

    if shares(0.0).max() <= _LARGEST_SHARE:
        return shares(0.0)
    if variance.size * _LARGEST_SHARE <= 1:
        return np.full(variance.size, 1 / variance.size)
    low, high = 1e-6 * float(variance.min()), 1e3 * float(variance.max())
    for _ in range(_BISECTIONS):
        between = float(np.sqrt(low * high))
        low, high = (between, high) if shares(between).max() > _LARGEST_SHARE else (low, between)
    return shares(high)


def _weighted_median(x: FloatArray, share: FloatArray) -> float:
    """Value with half of the weight on either side."""
    order = np.argsort(x)
    reached = np.cumsum(share[order]) - 0.5 * share[order]
    return float(np.interp(0.5, reached, x[order]))


def _intrinsic_variance(deviation: FloatArray, noise: FloatArray, share: FloatArray) -> float:
    """Variance from star to star beyond the noise that makes the weighted median deviation a normal one."""
    squares = np.square(deviation)
    # Stars of little weight hardly count.
    number = 1 / float(np.square(share).sum())
    enough = (1 / _MAD_TO_SIGMA * (1 - _LOST / number)) ** 2

    def is_wide(added: float) -> bool:
        return _weighted_median(squares / (noise + added), share) > enough

    if not is_wide(0.0):
        return 0.0
    low, high = 1e-6 * float(noise.min()), float(squares.max()) / enough
    for _ in range(_BISECTIONS):
        between = float(np.sqrt(low * high))
        low, high = (between, high) if is_wide(between) else (low, between)
    return high


def _trust(deviation: FloatArray, variance: FloatArray, share: FloatArray) -> FloatArray:
    """Factor of each star's weight, from 1 to 0, by how far it is off, the error of all others granted."""
    parts = np.square(share) * variance
    others = (parts.sum() - parts) / np.square(1 - share)
    pull = np.sqrt(np.square(deviation) / (variance + others)) / _BIWEIGHT
    return np.asarray(np.square(np.maximum(1 - np.square(pull), 0)))
