"""Noise of a slope fitted to a ramp of resultants that average unequal numbers of reads.

Formulae of Casertano et al. (2022, Roman-STScI-000394), the algorithm of Roman's own Level-2 pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from loaders.simulation.parameters import MultiAccumTable

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

POWERS = np.array([0.0, 0.4, 1.0, 3.0, 6.0, 10.0])
_SIGNAL_TO_NOISE = np.array([5.0, 10.0, 20.0, 50.0, 100.0])


@dataclass(frozen=True)
class RampNoise:
    """Variance of slopes: ``rate * poisson + read_noise**2 * read``.

    Parameters
    ----------
    poisson, read
        Shape (n_power, n_resultant + 1): for every power of the weights and number of resultants used (the
        first ones); in 1/s and 1/s2. NaN for fewer than two resultants.
    jump_poisson, jump_read
        Shape (n_power, n_resultant): the same when the resultant of that index is left out and both sides are
        fitted apart. Infinite where neither side has two resultants.
    step
        Shape (n_power, n_resultant): slope in 1/s left by unit charge that arrives just before a resultant.
    """

    poisson: FloatArray
    read: FloatArray
    jump_poisson: FloatArray
    jump_read: FloatArray
    step: FloatArray


@lru_cache(maxsize=16)
def ramp_noise(table: MultiAccumTable) -> RampNoise:
    """Compute the noise coefficients of a multi-accumulation table."""
    total = len(table.read_pattern)
    first = [[_fit(table, power, range(n)) for n in range(total + 1)] for power in POWERS]
    jump = [[_both_sides(table, power, k) for k in range(total)] for power in POWERS]
    weights = np.array([_weights(table, power, range(total)) for power in POWERS])
    poisson, read = np.moveaxis(np.array(first), -1, 0)
    jump_poisson, jump_read = np.moveaxis(np.array(jump), -1, 0)
    return RampNoise(
        poisson,
        read,
        jump_poisson,
        jump_read,
        np.cumsum(weights[:, ::-1], axis=1)[:, ::-1],
    )


def power_index(table: MultiAccumTable, rate: FloatArray, read_noise: float) -> IntArray:
    """Index into `POWERS` of the weights for a rate in electrons/s: the brighter, the more the ends count."""
    times = _mean_times(table)
    signal = np.maximum(rate, 0.0) * (times[-1] - times[0])
    return np.asarray(
        np.searchsorted(_SIGNAL_TO_NOISE, signal / np.sqrt(read_noise**2 + signal), side="right")
    )


def usable_resultants(table: MultiAccumTable, rate: FloatArray, full_well: float) -> IntArray:
    """How many resultants end before a pixel has collected its full well of electrons."""
    last_read = np.array([reads[-1] for reads in table.read_pattern]) * table.frame_time
    return np.asarray(np.searchsorted(last_read, full_well / np.maximum(rate, 1e-9), side="right"))


def _mean_times(table: MultiAccumTable) -> FloatArray:
    return np.array([np.mean(reads) for reads in table.read_pattern]) * table.frame_time


def _correlation_times(table: MultiAccumTable) -> FloatArray:
    """Time tau of eq. 14: that enters the Poisson variance of an average of correlated reads."""
    taus = []
    for reads in table.read_pattern:
        n = len(reads)
        share = 2 * (n - np.arange(n)) - 1
        taus.append(np.sum(share * np.array(reads)) * table.frame_time / n**2)
    return np.array(taus)


def _weights(table: MultiAccumTable, power: float, used: range) -> FloatArray:
    """Coefficients of the resultants in the slope, 1/s (eqs 33 to 37)."""
    time = _mean_times(table)[used.start : used.stop]
    count = np.array([len(table.read_pattern[i]) for i in used])
    middle = (time[0] + time[-1]) / 2
    weight = (1 + power) * count / (1 + power * count) * np.abs(time - middle) ** power
    f0, f1, f2 = weight.sum(), weight @ time, weight @ time**2
    return np.asarray((f0 * time - f1) * weight / (f2 * f0 - f1**2))


def _fit(table: MultiAccumTable, power: float, used: range) -> tuple[float, float]:
    """Poisson and read-noise coefficients of the slope's variance (eqs 44 and 45)."""
    if len(used) < 2:
        return np.nan, np.nan
    k = _weights(table, power, used)
    part = slice(used.start, used.stop)
    time, tau = _mean_times(table)[part], _correlation_times(table)[part]
    count = np.array([len(table.read_pattern[i]) for i in used])
    later = np.concatenate([np.cumsum(k[::-1])[::-1][1:], [0.0]])
    return float(k**2 @ tau + 2 * (k * time) @ later), float(np.sum(k**2 / count))


def _both_sides(table: MultiAccumTable, power: float, hit: int) -> tuple[float, float]:
    """Variance of the mean of the slopes before and after a hit, weighted by their inverse variances."""
    sides = [_fit(table, power, used) for used in (range(hit), range(hit + 1, len(table.read_pattern)))]
    usable = np.array([side for side in sides if np.isfinite(side[0])])
    if usable.size == 0:
        return np.inf, np.inf
    share = (1 / usable[:, 0]) / (1 / usable[:, 0]).sum()
    return float(share**2 @ usable[:, 0]), float(share**2 @ usable[:, 1])
