"""Least squares with amplitudes that are not negative, for one spectrum and many candidates."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from loaders.redshift.line_kernels import Segments
from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_TINY = 1e-12
_TINY_GAIN = 1e-8

_compiled = compiled(error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})
"""Sums may be taken in any order; NaN and infinity stay what they are."""


class Block(NamedTuple):
    """Candidates.

    Templates in bins of pixels, (m, k, b), and the bin of each pixel, (n,); lines on pixels, and how strong
    each is in each group, (l, g).
    """

    template: FloatArray
    bins: IntArray
    segments: Segments
    mixture: FloatArray


class Target(NamedTuple):
    """A spectrum: inverse variances and data times them, both (n,).

    Beside them polynomials in bins, (q, b), orthonormal by the weights and the prior of their amplitudes, and
    their sums over the data, (q,).
    """

    weight: FloatArray
    signal: FloatArray
    basis: FloatArray
    projection: FloatArray


class Sums(NamedTuple):
    """Of a spectrum over templates, by weight: products of two, the first not after the second, (m, p).

    Beside them products with the basis, (q, m, k), and with the data, (m, k).
    """

    product: FloatArray
    basis: FloatArray
    data: FloatArray


@_compiled
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


@_compiled
def _blocked(trial: FloatArray, x: FloatArray, used: BoolArray) -> int:
    """Move x towards the trial until an amplitude is 0, and return which; -1 if none would be negative."""
    step, worst = 1.0, -1
    for i in range(x.size):
        if used[i] and trial[i] <= 0.0:
            share = x[i] / (x[i] - trial[i]) if x[i] > trial[i] else 0.0
            if worst < 0 or share < step:
                step, worst = share, i
    if worst >= 0:
        for i in range(x.size):
            x[i] += step * (trial[i] - x[i])
        x[worst] = 0.0
    return worst


@_compiled
def _next(matrix: FloatArray, right: FloatArray, used: BoolArray, x: FloatArray, slope: FloatArray) -> int:
    """Amplitude that is 0 and would gain most if it were not; -1 if none would. ``slope`` is overwritten."""
    for i in range(x.size):
        slope[i] = right[i]
    for j in range(x.size):
        if used[j]:
            for i in range(x.size):
                slope[i] -= x[j] * matrix[j, i]
    best, most = -1, _TINY_GAIN
    for i in range(x.size):
        if not used[i] and matrix[i, i] > _TINY and slope[i] > most * math.sqrt(matrix[i, i]):
            best, most = i, slope[i] / math.sqrt(matrix[i, i])
    return best


@_compiled
def _begin(
    matrix: FloatArray, right: FloatArray, used: BoolArray, x: FloatArray, lower: FloatArray, y: FloatArray
) -> None:
    """Leave out what would be negative of the variables to begin with, all at a time; solve for others."""
    for i in range(right.size):
        used[i] = used[i] and matrix[i, i] > _TINY
    negative = True
    while negative:
        _solve(matrix, right, used, x, lower, y)
        negative = False
        for i in range(right.size):
            if used[i] and x[i] <= 0.0:
                used[i], negative = False, True


@_compiled
def non_negative(matrix: FloatArray, right: FloatArray, used: BoolArray, x: FloatArray) -> None:
    """Minimise x·A·x / 2 - b·x with no negative x.

    Lawson & Hanson (1974), begun where the last solution was (Bro & de Jong 1997, J. Chemometrics 11, 393).

    Parameters
    ----------
    matrix, right
        A and b; shapes (n, n) and (n,).
    used
        Shape (n,), where to begin; it becomes what is not 0.
    x
        Shape (n,), is filled.
    """
    n = right.size
    trial, y, lower = np.empty(n), np.empty(n), np.empty((n, n))
    _begin(matrix, right, used, x, lower, y)
    for _ in range(4 * n):
        best = _next(matrix, right, used, x, y)
        if best < 0:
            return
        used[best] = True
        worst = best
        while worst >= 0:
            _solve(matrix, right, used, trial, lower, y)
            worst = _blocked(trial, x, used)
            if worst >= 0:
                used[worst] = False
        for i in range(n):
            x[i] = trial[i]


@_compiled
def _among_lines(block: Block, weight: FloatArray) -> FloatArray:
    """Sums over each line and groups by weight: half of the line itself, and later lines that it overlaps.

    Shape (m, l, g); 0 of a line that is not on the pixels.
    """
    first, at, value = block.segments
    mixture = block.mixture
    n_line, n_group = mixture.shape
    out = np.zeros((first.shape[0], n_line, n_group))
    for c in range(first.shape[0]):
        for i in range(n_line):
            begin, length = at[c * n_line + i], at[c * n_line + i + 1] - at[c * n_line + i]
            for j in range(i, n_line):
                shift = first[c, j] - first[c, i]
                if shift >= length:
                    break
                other = at[c * n_line + j]
                total = 0.0
                for s in range(max(shift, 0), min(length, shift + at[c * n_line + j + 1] - other)):
                    total += weight[first[c, i] + s] * value[begin + s] * value[other + s - shift]
                if i == j:
                    total *= 0.5
                for g in range(n_group):
                    out[c, i, g] += total * mixture[j, g]
    return out


@_compiled
def _beside_lines(block: Block, target: Target) -> FloatArray:
    """Sums over each line: with templates and basis by weight, and with data; shape (m, l, k + q + 1)."""
    first, at, value = block.segments
    template, bins, basis = block.template, block.bins, target.basis
    weight, signal = target.weight, target.signal
    (m, k, _), q, n_line = template.shape, basis.shape[0], first.shape[1]
    out = np.zeros((m, n_line, k + q + 1))
    for c in range(m):
        for i in range(n_line):
            s, end = at[c * n_line + i], at[c * n_line + i + 1]
            p = first[c, i]
            while s < end:
                b, inside, data = bins[p], 0.0, 0.0
                while s < end and bins[p] == b:
                    inside += value[s] * weight[p]
                    data += value[s] * signal[p]
                    s, p = s + 1, p + 1
                for t in range(k):
                    out[c, i, t] += inside * template[c, t, b]
                for t in range(q):
                    out[c, i, k + t] += inside * basis[t, b]
                out[c, i, k + q] += data
    return out


@_compiled
def _add_lines(
    mixture: FloatArray, among: FloatArray, sums: FloatArray, matrix: FloatArray, beside: FloatArray
) -> None:
    """Add what the groups of lines contribute to the lower half of the matrix, and to what is beside it.

    ``among`` (l, g) and ``sums`` (l, k + q + 1) are of the lines of one candidate.
    """
    n_line, n_group = mixture.shape
    width, k = beside.shape[1], matrix.shape[0] - n_group
    for i in range(n_line):
        visible = False
        for g in range(n_group):
            visible = visible or among[i, g] != 0.0
        if not visible:
            continue
        for g in range(n_group):
            for t in range(k):
                matrix[k + g, t] += mixture[i, g] * sums[i, t]
            for h in range(g + 1):
                matrix[k + g, k + h] += mixture[i, g] * among[i, h] + mixture[i, h] * among[i, g]
            for t in range(width):
                beside[k + g, t] += mixture[i, g] * sums[i, k + t]


@_compiled
def _project(matrix: FloatArray, beside: FloatArray, projection: FloatArray) -> None:
    """Take the polynomials out of the equations, and fill the upper half."""
    q = projection.size
    for i in range(matrix.shape[0]):
        for j in range(i + 1):
            for t in range(q):
                matrix[i, j] -= beside[i, t] * beside[j, t]
            matrix[j, i] = matrix[i, j]
        for t in range(q):
            beside[i, q] -= beside[i, t] * projection[t]


@_compiled
def _set_continuum(c: int, sums: Sums, matrix: FloatArray, beside: FloatArray) -> None:
    """Begin the equations of a candidate: those of its continuum, and 0 of lines."""
    k, q = sums.data.shape[1], sums.basis.shape[0]
    matrix[:], beside[:] = 0.0, 0.0
    place = 0
    for i in range(k):
        for j in range(i, k):
            matrix[j, i] = sums.product[c, place]
            place += 1
        for t in range(q):
            beside[i, t] = sums.basis[t, c, i]
        beside[i, q] = sums.data[c, i]


@_compiled
def gains(sums: Sums, block: Block, target: Target) -> tuple[FloatArray, FloatArray]:
    """How much of chi-square each candidate takes away from a spectrum.

    Returns
    -------
    gain : numpy.ndarray
        Shape (m,).
    amplitude : numpy.ndarray
        Shape (m, k + q + g): of templates, of the polynomials of the target, and of groups of lines.
    """
    (m, k), q = sums.data.shape, target.projection.size
    n = k + block.mixture.shape[1]
    gain, amplitude = np.full(m, np.sum(target.projection**2)), np.zeros((m, n + q))
    used, x, right = np.zeros(n, np.bool_), np.zeros(n), np.zeros(n)
    matrix, beside = np.zeros((n, n)), np.zeros((n, q + 1))
    among, lines = _among_lines(block, target.weight), _beside_lines(block, target)
    for c in range(m):
        _set_continuum(c, sums, matrix, beside)
        _add_lines(block.mixture, among[c], lines[c], matrix, beside)
        _project(matrix, beside, target.projection)
        for i in range(n):
            right[i] = beside[i, q]
        non_negative(matrix, right, used, x)
        amplitude[c, k : k + q] = target.projection
        for i in range(n):
            gain[c] += right[i] * x[i]
            amplitude[c, i if i < k else i + q] = x[i]
            for t in range(q):
                amplitude[c, k + t] -= beside[i, t] * x[i]
    return gain, amplitude
