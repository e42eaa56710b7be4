"""Polynomials along a trace whose coefficients are polynomials of the place in the field."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.polynomial.polynomial import polyval2d

FloatArray = npt.NDArray[np.float64]


def at_field(coefficients: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
    """Coefficients of the polynomial along the trace at places in the field.

    Parameters
    ----------
    coefficients
        Shape (n, p, q): ``coefficients[i, j, k]`` multiplies ``t**i * u**j * v**k``.
    u, v
        Shape (m,): places in the field.

    Returns
    -------
    Shape (n, m).
    """
    return np.stack([np.asarray(polyval2d(u, v, plane)) for plane in coefficients])


def along_trace(terms: FloatArray, t: FloatArray) -> FloatArray:
    """Value of a polynomial for each source.

    Parameters
    ----------
    terms
        Shape (n, m): what `at_field` gives.
    t
        Shape (m, l): parameter along the trace.

    Returns
    -------
    Shape (m, l).
    """
    value = np.zeros(t.shape)
    for term in terms[::-1]:
        value = value * t + term[:, None]
    return value


def slope(terms: FloatArray) -> FloatArray:
    """Terms of the derivative along the trace: shape (n - 1, m), or one term of zero for a constant."""
    if terms.shape[0] == 1:
        return np.zeros(terms.shape)
    return terms[1:] * np.arange(1, terms.shape[0])[:, None]


def triangular(values: FloatArray) -> FloatArray:
    """Coefficients in the order of aXe and GRISMCONF (1, x, y, x², xy, y², x³, …) as a square matrix.

    Returns
    -------
    Shape (p, p): ``[j, k]`` multiplies ``x**j * y**k``.

    Raises
    ------
    ValueError
        If they are not 1, 3, 6, 10 … values.
    """
    degree = int((np.sqrt(8 * values.size + 1) - 3) / 2)
    if values.size == 0 or (degree + 1) * (degree + 2) // 2 != values.size:
        raise ValueError(f"a polynomial of two variables has 1, 3, 6, 10 … coefficients, got {values.size}")
    matrix = np.zeros((degree + 1, degree + 1))
    powers = [(total - k, k) for total in range(degree + 1) for k in range(total + 1)]
    for (j, k), value in zip(powers, values, strict=True):
        matrix[j, k] = value
    return matrix
