"""Least squares with amplitudes that are not negative, for one spectrum and many candidates."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from loaders.redshift.line_kernels import Segments

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_TINY = 1e-12
_TINY_GAIN = 1e-8


class Block(NamedTuple):
    """Candidates: templates (m, k, n), lines on pixels, and how strong each is in each group (l, g)."""

    template: FloatArray
    segments: Segments
    mixture: FloatArray


class Target(NamedTuple):
    """A spectrum: inverse variances and data times them, both (n,).

    Beside them the basis of polynomials (q, n), and their normal equations with the prior of their
    amplitudes (q, q).
    """

    weight: FloatArray
    signal: FloatArray
    basis: FloatArray
    polynomial: FloatArray


@numba.njit(cache=True)
def _solve(
    matrix: FloatArray, right: FloatArray, used: BoolArray, out: FloatArray, lower: FloatArray, y: FloatArray
) -> None:
    """Solve the normal equations of the variables that are used, by Cholesky; others become 0.

    ``lower`` (n, n) and ``y`` (n,) are overwritten.
    """
    n = 0
    index = np.empty(right.size, np.int64)
    for i in range(right.size):
        out[i] = 0.0
        if used[i]:
            index[n] = i
            n += 1
    for i in range(n):
        for j in range(i + 1):
            total = matrix[index[i], index[j]]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                lower[i, i] = math.sqrt(max(total, 1e-10 * matrix[index[i], index[i]]))
            else:
                lower[i, j] = total / lower[j, j]
        total = right[index[i]]
        for k in range(i):
            total -= lower[i, k] * y[k]
        y[i] = total / lower[i, i]
    for i in range(n - 1, -1, -1):
        total = y[i]
        for k in range(i + 1, n):
            total -= lower[k, i] * out[index[k]]
        out[index[i]] = total / lower[i, i]


@numba.njit(cache=True)
def _blocked(trial: FloatArray, x: FloatArray, free: BoolArray, used: BoolArray) -> int:
    """Move x towards the trial until an amplitude is 0, and return which; -1 if none would be negative."""
    step, worst = 1.0, -1
    for i in range(x.size):
        if used[i] and not free[i] and trial[i] <= 0.0:
            share = x[i] / (x[i] - trial[i]) if x[i] > trial[i] else 0.0
            if worst < 0 or share < step:
                step, worst = share, i
    if worst >= 0:
        x += step * (trial - x)
        x[worst] = 0.0
    return worst


@numba.njit(cache=True)
def _next(matrix: FloatArray, right: FloatArray, used: BoolArray, x: FloatArray) -> int:
    """Amplitude that is 0 and would gain most if it were not; -1 if none would."""
    best, most = -1, _TINY_GAIN
    for i in range(x.size):
        if not used[i] and matrix[i, i] > _TINY:
            slope = right[i]
            for j in range(x.size):
                slope -= matrix[i, j] * x[j]
            slope /= math.sqrt(matrix[i, i])
            if slope > most:
                best, most = i, slope
    return best


@numba.njit(cache=True)
def non_negative(
    matrix: FloatArray, right: FloatArray, free: BoolArray, used: BoolArray, x: FloatArray
) -> None:
    """Minimise x·A·x / 2 - b·x with x not negative but where it is free.

    Lawson & Hanson (1974), begun where the last solution was (Bro & de Jong 1997, J. Chemometrics 11, 393).

    Parameters
    ----------
    matrix, right
        A and b; shapes (n, n) and (n,).
    free
        Shape (n,), what may be negative.
    used
        Shape (n,), where to begin; it becomes what is not 0.
    x
        Shape (n,), is filled.
    """
    n = right.size
    trial, y, lower = np.empty(n), np.empty(n), np.empty((n, n))
    x[:] = 0.0
    for i in range(n):
        used[i] = (used[i] or free[i]) and matrix[i, i] > _TINY
    for _ in range(4 * n):
        _solve(matrix, right, used, trial, lower, y)
        worst = _blocked(trial, x, free, used)
        if worst >= 0:
            used[worst] = False
            continue
        for i in range(n):
            x[i] = trial[i]
        best = _next(matrix, right, used, x)
        if best < 0:
            return
        used[best] = True


@numba.njit(cache=True)
def _single_lines(c: int, block: Block, target: Target) -> tuple[FloatArray, FloatArray]:
    """Sums over each line of a candidate: with templates, basis and lines by weight, and with data.

    Shapes (l, k + q + l) and (l,); lines ascend, so that only the next ones overlap.
    """
    first, at, value = block.segments
    n_line, k, q = first.shape[1], block.template.shape[1], target.basis.shape[0]
    sums, data = np.zeros((n_line, k + q + n_line)), np.zeros(n_line)
    for i in range(n_line):
        begin, end = at[c * n_line + i], at[c * n_line + i + 1]
        for s in range(begin, end):
            p = first[c, i] + s - begin
            weighted = value[s] * target.weight[p]
            data[i] += value[s] * target.signal[p]
            for t in range(k):
                sums[i, t] += weighted * block.template[c, t, p]
            for t in range(q):
                sums[i, k + t] += weighted * target.basis[t, p]
            for j in range(i, n_line):
                other = at[c * n_line + j] + p - first[c, j]
                if first[c, j] > p:
                    break
                if other < at[c * n_line + j + 1]:
                    sums[i, k + q + j] += weighted * value[other]
        for j in range(i):
            sums[i, k + q + j] = sums[j, k + q + i]
    return sums, data


@numba.njit(cache=True)
def _add_lines(matrix: FloatArray, right: FloatArray, c: int, block: Block, target: Target) -> None:
    """Add what the groups of lines of a candidate contribute to the normal equations."""
    n_line, n_group = block.mixture.shape
    width = right.size - n_group
    sums, data = _single_lines(c, block, target)
    for i in range(n_line):
        if sums[i, width + i] == 0.0:
            continue
        mixed = np.zeros(n_group)
        for j in range(n_line):
            if sums[i, width + j] != 0.0:
                mixed += sums[i, width + j] * block.mixture[j]
        for g in range(n_group):
            share = block.mixture[i, g]
            right[width + g] += share * data[i]
            for t in range(width):
                matrix[width + g, t] += share * sums[i, t]
            for h in range(g + 1):
                matrix[width + g, width + h] += share * mixed[h]
    for g in range(width, width + n_group):
        for t in range(g):
            matrix[t, g] = matrix[g, t]


@numba.njit(cache=True)
def gains(
    continuum: FloatArray, continuum_right: FloatArray, block: Block, target: Target
) -> tuple[FloatArray, FloatArray]:
    """How much of chi-square each candidate takes away from a spectrum.

    Parameters
    ----------
    continuum
        Shape (m, k, k + q): sums of weights over products of templates, and of them with the basis.
    continuum_right
        Shape (m, k): sums of weighted data over templates.
    block, target
        Candidates, and the spectrum.

    Returns
    -------
    gain : numpy.ndarray
        Shape (m,).
    amplitude : numpy.ndarray
        Shape (m, k + q + g).
    """
    m, k, width = continuum.shape
    n = width + block.mixture.shape[1]
    gain, amplitude = np.zeros(m), np.zeros((m, n))
    free, used = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    free[k:width] = True
    poly_right = target.basis @ target.signal
    for c in range(m):
        matrix, right = np.zeros((n, n)), np.zeros(n)
        for i in range(k):
            right[i] = continuum_right[c, i]
            for j in range(width):
                matrix[i, j] = continuum[c, i, j]
        for i in range(k, width):
            right[i] = poly_right[i - k]
            for j in range(width):
                matrix[i, j] = continuum[c, j, i] if j < k else target.polynomial[i - k, j - k]
        _add_lines(matrix, right, c, block, target)
        non_negative(matrix, right, free, used, amplitude[c])
        gain[c] = np.dot(right, amplitude[c])
    return gain, amplitude
