"""Cholesky factors of small dense systems, packed row by row, in single precision.

A packed lower triangle keeps element (i, j) at ``i (i + 1) / 2 + j``: a row is contiguous, so that factoring
and solving are dot products of contiguous memory. The matrices have a unit diagonal (Jacobi scaling), which
gives the pivots a scale: a pivot is the share of a column that the columns before it cannot imitate.
"""

from __future__ import annotations

import numpy as np

from loaders.photometry.psf_table import Float32Array
from roman_db.compiled import compiled

SMALLEST_PIVOT = 1e-4
"""A column of which less than this share is its own cannot be solved for in single precision."""

_PINNED = np.float32(1e15)
"""Diagonal that holds a column at zero."""


@compiled(fastmath=True)
def flat_dot(a: Float32Array, p: int, b: Float32Array, q: int, n: int) -> np.float32:
    """Dot product of ``a[p : p + n]`` and ``b[q : q + n]``, without a reference being counted for the views.

    Unsigned indices spare the test for negative ones, so that the loop runs in vector instructions.
    """
    total = np.float32(0.0)
    start, other = np.uint64(p), np.uint64(q)
    for k in range(np.uint64(n)):
        total += a[start + k] * b[other + k]
    return total


@compiled()
def factor(matrix: Float32Array, n: int) -> int:
    """Replace a matrix by its Cholesky factor; columns without a pivot are pinned to zero.

    Parameters
    ----------
    matrix
        Packed lower triangle of a symmetric matrix with unit diagonal, overwritten.
    n
        Number of rows.

    Returns
    -------
    int
        Number of pinned columns; their diagonal is above `is_pinned`'s limit.
    """
    pinned = 0
    for i in range(n):
        row = i * (i + 1) // 2
        for j in range(i):
            above = j * (j + 1) // 2
            matrix[row + j] -= flat_dot(matrix, row, matrix, above, j)
            matrix[row + j] /= matrix[above + j]
        pivot = matrix[row + i] - flat_dot(matrix, row, matrix, row, i)
        if pivot > SMALLEST_PIVOT:
            matrix[row + i] = np.sqrt(pivot)
        else:
            matrix[row + i] = _PINNED
            pinned += 1
    return pinned


@compiled()
def is_pinned(matrix: Float32Array, i: int) -> bool:
    """Whether a column of a factor was pinned to zero."""
    return bool(matrix[i * (i + 1) // 2 + i] >= _PINNED)


@compiled(fastmath=True)
def solve(matrix: Float32Array, n: int, b: Float32Array) -> None:
    """Solve L Lᵀ x = b in place, L being a packed factor."""
    for i in range(n):
        base = i * (i + 1) // 2
        b[i] = (b[i] - flat_dot(b, 0, matrix, base, i)) / matrix[base + i]
    for i in range(n - 1, -1, -1):
        base = i * (i + 1) // 2
        b[i] /= matrix[base + i]
        value = b[i]
        for j in range(i):
            b[j] -= value * matrix[base + j]


@compiled(fastmath=True)
def _inverse_row(matrix: Float32Array, first: int, i: int, inverse: Float32Array) -> None:
    """Row i of the inverse of the trailing block of a factor, whose rows above are there; filled in."""
    base = (first + i) * (first + i + 1) // 2 + first
    row = inverse[i]
    row[i] = np.float32(1.0)
    for k in range(i):
        above, value = inverse[k], matrix[base + k]
        for j in range(k + 1):
            row[j] -= value * above[j]
    reciprocal = np.float32(1.0) / matrix[base + i]
    for j in range(i + 1):
        row[j] *= reciprocal


@compiled(fastmath=True)
def marginal_variances(matrix: Float32Array, first: int, n: int, out: Float32Array) -> None:
    """Diagonal of the inverse of L Lᵀ for the columns from ``first`` on.

    With the columns of no interest eliminated first, the inverse of the trailing block of the factor alone
    gives the marginal variances of the others.

    Parameters
    ----------
    matrix, n
        Packed factor and its number of rows.
    first
        First column of interest.
    out
        Shape (n - first,), overwritten.
    """
    m = n - first
    inverse = np.zeros((m, m), dtype=np.float32)
    out[:] = np.float32(0.0)
    for i in range(m):
        _inverse_row(matrix, first, i, inverse)
        row = inverse[i]
        for j in range(i + 1):
            out[j] += row[j] * row[j]


@compiled(fastmath=True)
def marginal_covariances(matrix: Float32Array, first: int, n: int, out: Float32Array) -> None:
    """Inverse of L Lᵀ near its diagonal, for the columns from ``first`` on; see `marginal_variances`.

    Parameters
    ----------
    matrix, n
        Packed factor and its number of rows.
    first
        First column of interest.
    out
        Shape (n - first, 3), overwritten: covariances of each column with itself and with the next two; 0
        where there is no such column.
    """
    m = n - first
    inverse = np.zeros((m, m + 2), dtype=np.float32)
    out[:] = np.float32(0.0)
    for i in range(m):
        _inverse_row(matrix, first, i, inverse)
        row = inverse[i]
        for j in range(i + 1):
            out[j, 0] += row[j] * row[j]
            out[j, 1] += row[j] * row[j + 1]
            out[j, 2] += row[j] * row[j + 2]
