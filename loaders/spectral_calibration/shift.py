"""By how many rows measured light lies beside where a model puts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from loaders.spectral_geometry.polynomial import FloatArray

_STEP = 0.5
"""Rows between the shifts that are tried first."""
_DIFFERENCE = 0.05
"""Rows of the differences that stand in for the second derivative of chi-square."""


class Shift(NamedTuple):
    """Rows by which light lies higher than expected, and the standard error; NaN where it cannot be told."""

    value: float
    error: float


UNKNOWN = Shift(float("nan"), float("nan"))


def fitted_shift(
    model: Callable[[float], FloatArray], rate: FloatArray, error: FloatArray, reach: float
) -> Shift:
    """Fit a shift by least squares, with the amplitudes of all terms of the model free at each shift.

    Errors grow with the root of chi-square by degree of freedom where that is above 1.

    Parameters
    ----------
    model
        Terms, shape (n, k), for a shift in rows.
    rate, error
        Shape (n,): what was measured; rows that are not finite do not count.
    reach
        Largest shift that is tried, rows.

    Returns
    -------
    `UNKNOWN` where the best is at the end of what is tried, or too few rows are known.
    """
    good = np.isfinite(rate) & np.isfinite(error) & (error > 0)
    terms = model(0.0).shape[1]
    if good.sum() < 2 * (terms + 1):
        return UNKNOWN
    weighted = rate[good] / error[good]

    def chi2(shift: float) -> float:
        design = model(shift)[good] / error[good, None]
        left = weighted - design @ np.linalg.lstsq(design, weighted, rcond=None)[0]
        return float(left @ left)

    tried = np.arange(-reach, reach + _STEP / 2, _STEP)
    values = [chi2(float(one)) for one in tried]
    best = int(np.argmin(values))
    if best in (0, tried.size - 1):
        return UNKNOWN
    found = minimize_scalar(
        chi2, bounds=(tried[best - 1], tried[best + 1]), method="bounded", options={"xatol": 1e-4}
    )
    centre, least = float(found.x), float(found.fun)
    curvature = (chi2(centre - _DIFFERENCE) + chi2(centre + _DIFFERENCE) - 2 * least) / _DIFFERENCE**2
    if curvature <= 0:
        return UNKNOWN
    scale = max(1.0, least / (good.sum() - terms - 1))
    return Shift(centre, float(np.sqrt(2 * scale / curvature)))
