"""Straight lines through what was measured of an object over time: fluxes, positions, shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Days in a Julian year.
YEAR = 365.25

#: Points that a line needs.
FEWEST = 5

_CLIP = 4.0
"""Robust standard deviations beyond which a point does not count, if it is not one of many."""

_ROUNDS = 3


@dataclass(frozen=True)
class Trend:
    """A straight line.

    Parameters
    ----------
    slope, error
        Change a Julian year and its standard error, which is that of the scatter about the line where this
        is larger than errors say.
    value
        Of the line at the reference time.
    reduced_chi2
        About the line.
    n_point
        Points that count.
    """

    slope: float
    error: float
    value: float
    reduced_chi2: float
    n_point: int

    @property
    def significance(self) -> float:
        """Slope over its error."""
        return self.slope / self.error


def trend(time: FloatArray, value: FloatArray, error: FloatArray, reference: float) -> Trend | None:
    """Fit a straight line, single outliers left out.

    Parameters
    ----------
    time
        Shape (n,): days.
    value, error
        Shape (n,), one unit; a point without a finite value, or an error above zero, does not count.
    reference
        Time at which the line's value is given, days.

    Returns
    -------
    Trend or None
        None with fewer than five points that count, or with all of them at one time.
    """
    good = np.isfinite(time) & np.isfinite(value) & np.isfinite(error) & (np.nan_to_num(error) > 0)
    years, y, weight = (time[good] - reference) / YEAR, value[good], error[good] ** -2.0
    kept = np.ones(years.size, dtype=bool)
    for _ in range(_ROUNDS):
        if kept.sum() < FEWEST or np.ptp(years[kept]) == 0:
            return None
        line = _line(years[kept], y[kept], weight[kept])
        pull = np.abs(y - line.value - line.slope * years) * np.sqrt(weight)
        limit = _CLIP * max(1.0, float(np.median(pull[kept])) / 0.6745)
        if np.array_equal(kept, pull <= limit):
            break
        kept = pull <= limit
    return line


def explained_by_line(time: FloatArray, value: FloatArray, error: FloatArray) -> float:
    """Share of chi-square beyond noise that a straight line through all points explains.

    Parameters
    ----------
    time, value, error
        Shape (n,): all finite, errors above zero.

    Returns
    -------
    float
        NaN with fewer than five points, with all at one time, and where a constant explains all.
    """
    if time.size < FEWEST or np.ptp(time) == 0:
        return float("nan")
    weight = error**-2.0
    line = _line(time - time.mean(), value, weight)
    flat = float(weight @ (value - weight @ value / weight.sum()) ** 2)
    excess = flat - (time.size - 1)
    return float((flat - line.reduced_chi2 * (time.size - 2)) / excess) if excess > 0 else float("nan")


def _line(x: FloatArray, y: FloatArray, weight: FloatArray) -> Trend:
    """The line of least squares."""
    total = weight.sum()
    x_mean, y_mean = weight @ x / total, weight @ y / total
    spread = float(weight @ (x - x_mean) ** 2)
    slope = float(weight @ ((x - x_mean) * (y - y_mean))) / spread
    left = y - y_mean - slope * (x - x_mean)
    reduced = float(weight @ left**2) / (x.size - 2)
    error = np.sqrt(max(reduced, 1.0) / spread)
    return Trend(slope, float(error), float(y_mean - slope * x_mean), reduced, x.size)
