"""Robust weights and small normal equations, compiled.

A point has two coordinates and one weight, Tukey's biweight of its distance r from the model in units of
its errors: ``w = (1 - (r / c s)²)²`` within ``c s``, else 0 (Beaton & Tukey 1974, Technometrics 16, 147).
The scale s is the median of r over that of the Rayleigh distribution, and at least 1: errors that are too
large are believed. Biweights have more than one solution where points come in clumps, as seasons are; so they
begin from the one that Huber's weights have, ``min(1, c s / 4 r)`` (Huber 1964, Ann. Math. Stat. 35, 73).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]

_RAYLEIGH_MEDIAN = 1.177410022515474
"""Median of the distance of two normal coordinates, sqrt(2 ln 2)."""

SMALLEST_PIVOT = 1e-9
"""Share of a parameter that no other explains, below which normal equations count as singular."""


@compiled()
def distances(residual: FloatArray, error: FloatArray) -> FloatArray:
    """Distances from the model in units of errors, shape (k,), of residuals and errors of shape (k, 2)."""
    out = np.empty(residual.shape[0])
    for i in range(out.size):
        out[i] = np.hypot(residual[i, 0] / error[i, 0], residual[i, 1] / error[i, 1])
    return out


@compiled()
def scale_of(distance: FloatArray) -> float:
    """How much larger the scatter is than errors say, at least 1."""
    return max(1.0, np.median(distance) / _RAYLEIGH_MEDIAN)


@compiled()
def huber_weights(distance: FloatArray, limit: float) -> FloatArray:
    """Weights, shape (k,), of distances: 1 within a quarter of the limit, falling as 1 / r beyond."""
    out = np.ones(distance.size)
    for i in range(out.size):
        if distance[i] > limit / 4:
            out[i] = limit / 4 / distance[i]
    return out


@compiled()
def biweights(distance: FloatArray, limit: float) -> FloatArray:
    """Weights, shape (k,), of distances; 0 beyond the limit, all 1 where it is infinite."""
    out = np.zeros(distance.size)
    for i in range(out.size):
        share = (distance[i] / limit) ** 2
        if share < 1.0:
            out[i] = (1.0 - share) ** 2
    return out


def variance_factor(cut: float) -> float:
    """Variance of an estimate by biweights over that of least squares, of normal errors.

    ``E[ψ²] / E[ψ']²`` with ``ψ = w r`` for two coordinates (Huber & Ronchetti 2009, Robust Statistics,
    section 8.4); 1.02 for a cut of 6.

    Parameters
    ----------
    cut
        Distance from which points have no weight, in units of errors; may be infinite.
    """
    if np.isinf(cut):
        return 1.0
    # Half the square of the distance is exponentially distributed.
    half, step = np.linspace(0.0, min(cut**2 / 2, 50.0), 20_001, retstep=True)
    density = np.exp(-half)
    share = 2 * half / cut**2
    weight = (1 - share) ** 2
    spread = np.trapezoid(weight**2 * half * density, dx=step)
    slope = np.trapezoid((weight - 2 * share * (1 - share)) * density, dx=step)
    return float(spread / slope**2)


@compiled()
def inverse_of(matrix: FloatArray) -> tuple[FloatArray, bool]:
    """Inverse of a symmetric matrix by Cholesky's decomposition, its diagonal scaled to 1.

    Returns
    -------
    inverse : ndarray
        Shape (n, n); not to be used where it is singular.
    regular : bool
        False where a parameter is a combination of others, or says nothing.
    """
    n = matrix.shape[0]
    inverse = np.zeros((n, n))
    scale = np.empty(n)
    for i in range(n):
        if not matrix[i, i] > 0.0:
            return inverse, False
        scale[i] = 1.0 / np.sqrt(matrix[i, i])
    lower = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            value = matrix[i, j] * scale[i] * scale[j]
            for k in range(j):
                value -= lower[i, k] * lower[j, k]
            if i == j:
                if value < SMALLEST_PIVOT:
                    return inverse, False
                lower[i, i] = np.sqrt(value)
            else:
                lower[i, j] = value / lower[j, j]
    _invert(lower, scale, inverse)
    return inverse, True


@compiled()
def _invert(lower: FloatArray, scale: FloatArray, inverse: FloatArray) -> None:
    """Fill the inverse of a matrix whose scaled triangle is known."""
    n = lower.shape[0]
    column = np.empty(n)
    for j in range(n):
        for i in range(n):
            value = 1.0 if i == j else 0.0
            for k in range(i):
                value -= lower[i, k] * column[k]
            column[i] = value / lower[i, i]
        for i in range(n - 1, -1, -1):
            value = column[i]
            for k in range(i + 1, n):
                value -= lower[k, i] * column[k]
            column[i] = value / lower[i, i]
        for i in range(n):
            inverse[i, j] = column[i] * scale[i] * scale[j]
