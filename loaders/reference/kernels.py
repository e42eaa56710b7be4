"""Compiled sums over the pixels of exposures: normal equations, predictions, and registration.

The reference is the function ``R(u, v) = Σ c_km β(u - k) β(v - m)`` with cubic B-splines β on the fine grid
(Unser 1999, IEEE Signal Process. Mag. 16, 22). A pixel of an exposure whose centre lies at (u, v) sees 16
coefficients. For its normal matrix every coefficient keeps the products with itself and with the 24 that
follow it in its own and the next three rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from loaders.photometry.psf_table import spline_weights

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

TAPS = 4
NEIGHBOURS = 25
"""Products that a coefficient keeps: 4 in its own row, 7 in each of the next three."""

PAD = 3
"""Zeros around the frame in the normal matrix."""

ROUGH_DIAGONAL = 12.0
"""Diagonal of the sum of the squared second differences along both axes."""

PARAMETERS = 8
"""Of an exposure: sky, scale, and shift, stretch and turn of its pixels along u and v."""


class Geometry(NamedTuple):
    """Where the pixels of an exposure lie in the frame: see `loaders.wfi.placement.Placement`."""

    centre: tuple[float, float]
    half: tuple[float, float]
    forward: FloatArray


@numba.njit(cache=True, nogil=True)
def row_polynomials(geometry: Geometry, j: int) -> FloatArray:
    """Coefficients in the scaled x of u and v along row j, shape (2, d + 1)."""
    v = (j - geometry.centre[1]) / geometry.half[1]
    degree = geometry.forward.shape[1]
    out = np.zeros((2, degree))
    for axis in range(2):
        for k in range(degree):
            value = 0.0
            for m in range(degree - 1, -1, -1):
                value = value * v + geometry.forward[axis, k, m]
            out[axis, k] = value
    return out


@numba.njit(cache=True, nogil=True)
def place(geometry: Geometry, row: FloatArray, i: int) -> tuple[float, float]:
    """Fine coordinates of pixel i of the row of some `row_polynomials`."""
    s = (i - geometry.centre[0]) / geometry.half[0]
    u, v = 0.0, 0.0
    for k in range(row.shape[1] - 1, -1, -1):
        u = u * s + row[0, k]
        v = v * s + row[1, k]
    return u, v


@numba.njit(cache=True, nogil=True)
def accumulate(
    begin: int,
    end: int,
    strips: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int],
    exposure: tuple[Float32Array, Float32Array, float],
    geometry: Geometry,
    sums: tuple[Float32Array, Float32Array, Float32Array],
) -> None:
    """Add the pixels of an exposure to the normal equations, for some strips of the frame.

    Parameters
    ----------
    begin, end
        Which of the strips.
    strips
        Strips to do; shape (n_strip, 2): first and last + 1 row of the exposure that may lie in each strip;
        height of a strip in rows of the frame.
    exposure
        Values and weights of the pixels, shape (ny, nx), and the sign: 1 to add, -1 to take out.
    geometry
        Where the pixels lie.
    sums
        Normal matrix, shape (rows, columns, NEIGHBOURS), right-hand side and coverage, shape (rows, columns).
    """
    which, rows, height = strips
    value, weight, sign = exposure
    matrix, right, coverage = sums
    n_row, n_column = right.shape
    bu, bv = np.empty(TAPS), np.empty(TAPS)
    for strip in which[begin:end]:
        for j in range(rows[strip, 0], rows[strip, 1]):
            row = row_polynomials(geometry, j)
            for i in range(value.shape[1]):
                w = weight[j, i] * sign
                if w == 0.0:
                    continue
                u, v = place(geometry, row, i)
                k, m = int(np.floor(u)) - 1, int(np.floor(v)) - 1
                if (m + 1) // height != strip or k < 0 or m < 0 or k + TAPS > n_column or m + TAPS > n_row:
                    continue
                bu[:] = spline_weights(u - k - 1, 0)
                bv[:] = spline_weights(v - m - 1, 0)
                coverage[int(np.rint(v)), int(np.rint(u))] += np.float32(w)
                _add_pixel((matrix, right), (m, k), (bv, bu), (w, w * value[j, i]))


@numba.njit(cache=True, nogil=True, fastmath=True)
def _add_pixel(
    sums: tuple[Float32Array, Float32Array],
    first: tuple[int, int],
    taps: tuple[FloatArray, FloatArray],
    weights: tuple[float, float],
) -> None:
    """Add one pixel: its 16 coefficients and their products."""
    matrix, right = sums
    m, k = first
    bv, bu = taps
    w, wd = weights
    for q in range(TAPS):
        for p in range(TAPS):
            h = bv[q] * bu[p]
            right[m + q, k + p] += np.float32(wd * h)
            cell = matrix[m + q, k + p]
            for p2 in range(p, TAPS):
                cell[p2 - p] += np.float32(w * h * bv[q] * bu[p2])
            for q2 in range(q + 1, TAPS):
                base = 4 + (q2 - q - 1) * 7 + 3 - p
                g = w * h * bv[q2]
                for p2 in range(TAPS):
                    cell[base + p2] += np.float32(g * bu[p2])


@numba.njit(cache=True, nogil=True, fastmath=True)
def multiply(
    begin: int,
    end: int,
    matrix: Float32Array,
    smoothing: tuple[float, float],
    vector: FloatArray,
    out: FloatArray,
) -> None:
    """Product of the normal matrix with smoothing and a vector, for some rows of the frame.

    Both have a frame of `PAD` zeros: shape (rows + 2 PAD, columns + 2 PAD, …). ``smoothing`` is the
    weight of the squared second differences along both axes (Eilers & Marx 1996), and that of the squares.
    """
    rough, ridge = smoothing
    n_column = vector.shape[1] - 2 * PAD
    for m in range(begin + PAD, end + PAD):
        for k in range(PAD, n_column + PAD):
            total = (matrix[m, k, 0] + ROUGH_DIAGONAL * rough + ridge) * vector[m, k]
            near = vector[m - 1, k] + vector[m + 1, k] + vector[m, k - 1] + vector[m, k + 1]
            far = vector[m - 2, k] + vector[m + 2, k] + vector[m, k - 2] + vector[m, k + 2]
            total += rough * (far - 4 * near)
            for p in range(1, TAPS):
                total += matrix[m, k, p] * vector[m, k + p] + matrix[m, k - p, p] * vector[m, k - p]
            for q in range(1, TAPS):
                base = 4 + (q - 1) * 7 + 3
                for p in range(-3, TAPS):
                    total += matrix[m, k, base + p] * vector[m + q, k + p]
                    total += matrix[m - q, k - p, base + p] * vector[m - q, k - p]
            out[m, k] = total


@numba.njit(cache=True, nogil=True)
def evaluate(coefficient: FloatArray, u: float, v: float) -> tuple[float, float, float, bool]:
    """Value of the reference at (u, v), its slopes along u and v, and whether the place is in the frame."""
    k, m = int(np.floor(u)) - 1, int(np.floor(v)) - 1
    n_row, n_column = coefficient.shape
    if k < 0 or m < 0 or k + TAPS > n_column or m + TAPS > n_row:
        return 0.0, 0.0, 0.0, False
    tu, tv = u - k - 1, v - m - 1
    bu, bv = spline_weights(tu, 0), spline_weights(tv, 0)
    du, dv = spline_weights(tu, 1), spline_weights(tv, 1)
    value, along_u, along_v = 0.0, 0.0, 0.0
    for q in range(TAPS):
        line, slope = 0.0, 0.0
        for p in range(TAPS):
            c = coefficient[m + q, k + p]
            line += bu[p] * c
            slope += du[p] * c
        value += bv[q] * line
        along_u += bv[q] * slope
        along_v += dv[q] * line
    return value, along_u, along_v, True


@numba.njit(cache=True, nogil=True)
def predict(
    begin: int, end: int, coefficient: FloatArray, geometry: Geometry, out: tuple[Float32Array, Float32Array]
) -> None:
    """What the reference says of some rows of an exposure, and how steep it is there; NaN off the frame.

    ``out``: values and moduli of the slopes per fine pixel, shape (ny, nx).
    """
    value, steepness = out
    for j in range(begin, end):
        row = row_polynomials(geometry, j)
        for i in range(value.shape[1]):
            u, v = place(geometry, row, i)
            r, gu, gv, known = evaluate(coefficient, u, v)
            value[j, i] = np.float32(r) if known else np.float32(np.nan)
            steepness[j, i] = np.float32(np.sqrt(gu * gu + gv * gv))


@numba.njit(cache=True, nogil=True)
def registration_sums(
    coefficient: FloatArray,
    geometry: Geometry,
    exposure: tuple[Float32Array, Float32Array],
    clip: float,
    out: tuple[FloatArray, FloatArray],
) -> float:
    """Normal equations of the registration of an exposure on the reference.

    Parameters
    ----------
    coefficient
        Of the reference, detector units.
    geometry
        Where the pixels lie.
    exposure
        Values and weights of the pixels, shape (ny, nx).
    clip
        Pixels farther from the prediction than so many standard deviations count less (Huber 1964).
    out
        Matrix, shape (PARAMETERS, PARAMETERS), and right-hand side, filled: sky, scale, shifts along u and v,
        and how these change along the scaled x and y of the exposure.

    Returns
    -------
    float
        Number of pixels.
    """
    value, weight = exposure
    matrix, right = out
    column = np.empty(PARAMETERS)
    count = 0.0
    for j in range(value.shape[0]):
        row = row_polynomials(geometry, j)
        y = (j - geometry.centre[1]) / geometry.half[1]
        for i in range(value.shape[1]):
            w = weight[j, i]
            if w == 0.0:
                continue
            u, v = place(geometry, row, i)
            r, gu, gv, known = evaluate(coefficient, u, v)
            if not known:
                continue
            x = (i - geometry.centre[0]) / geometry.half[0]
            residual = value[j, i] - r
            limit = clip / np.sqrt(w)
            if abs(residual) > limit:
                w *= limit / abs(residual)
            column[0], column[1], column[2], column[3] = 1.0, r, gu, gv
            column[4], column[5], column[6], column[7] = gu * x, gu * y, gv * x, gv * y
            count += 1.0
            for a in range(PARAMETERS):
                right[a] += w * residual * column[a]
                for b in range(a + 1):
                    matrix[a, b] += w * column[a] * column[b]
    return count
