"""Compiled sums over the pixels of exposures: normal equations, predictions, and registration.

The reference is the function ``R(u, v) = Σ c_km β(u - k) β(v - m)`` with cubic B-splines β on the fine grid
(Unser 1999, IEEE Signal Process. Mag. 16, 22). A pixel of an exposure whose centre lies at (u, v) sees 16
coefficients. In what it adds to the normal matrix, the product of those at (k, m) and (k + p, m + q)
equals that of those at (k + p, m) and (k, m + q), because the weight of a coefficient is one factor along u
times one along v. So a coefficient keeps 16 products: those with itself and with what lies 0 to 3 beyond it
along both axes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from loaders.photometry.psf_table import spline_weights
from loaders.reference.vectors import add_scaled_4, add_scaled_16
from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

TAPS = 4
BLOCK = 64
"""Pixels of a row that are added at a time, so that the sums which rows share stay near the processor."""

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


@compiled()
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


@compiled()
def place(geometry: Geometry, row: FloatArray, i: int) -> tuple[float, float]:
    """Fine coordinates of pixel i of the row of some `row_polynomials`."""
    s = (i - geometry.centre[0]) / geometry.half[0]
    u, v = 0.0, 0.0
    for k in range(row.shape[1] - 1, -1, -1):
        u = u * s + row[0, k]
        v = v * s + row[1, k]
    return u, v


@compiled()
def accumulate(
    begin: int,
    end: int,
    strips: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int],
    exposure: tuple[Float32Array, Float32Array, float],
    where: tuple[Geometry, FloatArray],
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
    where
        Where the pixels lie; shape (ny, n): v of every `BLOCK`-th pixel along the rows, the last beyond them.
    sums
        Normal matrix, shape (rows + 2 PAD, TAPS, columns + 2 PAD, TAPS): the product of a coefficient with
        that q beyond it along v and p along u is at [row + PAD, q, column + PAD, p]; right-hand side and
        coverage, shape (rows, columns).
    """
    which, rows, height = strips
    geometry, v = where
    n_column = exposure[0].shape[1]
    for strip in which[begin:end]:
        limits = (strip * height, (strip + 1) * height)
        for block in range(v.shape[1] - 1):
            for j in range(rows[strip, 0], rows[strip, 1]):
                first, last = inside(v[j, block], v[j, block + 1], limits)
                if last > first:
                    run = (j, BLOCK * block + first, min(BLOCK * block + last, n_column))
                    _add_run((strip, height), exposure, geometry, run, sums)


@compiled()
def inside(one: float, other: float, limits: tuple[int, int]) -> tuple[int, int]:
    """Pixels of a block, the first and the last + 1, that may lie between two rows of the frame.

    Over so few pixels v is straight; half a row and a pixel are granted for what it is not.
    """
    low, high = limits[0] - 0.5 - one, limits[1] + 0.5 - one
    slope = (other - one) / BLOCK
    if abs(slope) < 1e-3:
        return (0, BLOCK) if low <= 0.0 <= high else (0, 0)
    least, most = min(low / slope, high / slope), max(low / slope, high / slope)
    return int(min(max(least, 0.0), BLOCK)), int(min(max(most, -2.0), BLOCK - 2)) + 2


@compiled()
def _add_run(
    part: tuple[int, int],
    exposure: tuple[Float32Array, Float32Array, float],
    geometry: Geometry,
    run: tuple[int, int, int],
    sums: tuple[Float32Array, Float32Array, Float32Array],
) -> None:
    """Add the pixels of a run along a row of the exposure that lie in one strip."""
    value, weight, sign = exposure
    matrix, right, coverage = sums
    n_row, n_column = right.shape
    strip, height = part
    j, first, last = run
    row = row_polynomials(geometry, j)
    flat, flat_right = matrix.reshape(-1), right.reshape(-1)
    weights, along_u = np.empty(TAPS, np.float32), np.zeros(TAPS * TAPS, np.float32)
    for i in range(first, last):
        w = weight[j, i] * np.float32(sign)
        if w == 0:
            continue
        u, v = place(geometry, row, i)
        k, m = int(np.floor(u)) - 1, int(np.floor(v)) - 1
        if (m + 1) // height != strip or k < 0 or m < 0 or k + TAPS > n_column or m + TAPS > n_row:
            continue
        coverage[int(np.rint(v)), int(np.rint(u))] += w
        bu, bv = single_weights(np.float32(u - k - 1)), single_weights(np.float32(v - m - 1))
        weights[0], weights[1], weights[2], weights[3] = bu
        _fill_products(bu, along_u)
        start = ((m + PAD) * TAPS * (n_column + 2 * PAD) + k + PAD) * TAPS
        _add_products(flat, start, (n_column + 2 * PAD) * TAPS, along_u, bv, w)
        for q in range(TAPS):
            add_scaled_4(flat_right, (m + q) * n_column + k, w * value[j, i] * bv[q], weights)


@compiled(fastmath=True)
def single_weights(t: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Cubic B-spline weights of the four coefficients around a point, in single precision."""
    s, sixth = np.float32(1) - t, np.float32(1 / 6)
    b1 = (np.float32(4) + t * t * (np.float32(3) * t - np.float32(6))) * sixth
    b2 = (np.float32(4) + s * s * (np.float32(3) * s - np.float32(6))) * sixth
    return s * s * s * sixth, b1, b2, t * t * t * sixth


@compiled(fastmath=True)
def _fill_products(b: tuple[np.float32, np.float32, np.float32, np.float32], out: Float32Array) -> None:
    """Products of weights p and p + d at ``out[TAPS p + d]``; 0 where there is no such weight."""
    out[0], out[1], out[2], out[3] = b[0] * b[0], b[0] * b[1], b[0] * b[2], b[0] * b[3]
    out[4], out[5], out[6] = b[1] * b[1], b[1] * b[2], b[1] * b[3]
    out[8], out[9] = b[2] * b[2], b[2] * b[3]
    out[12] = b[3] * b[3]


@compiled(fastmath=True)
def _add_products(
    flat: Float32Array,
    start: int,
    stride: int,
    along_u: Float32Array,
    b: tuple[np.float32, np.float32, np.float32, np.float32],
    w: np.float32,
) -> None:
    """Add the products of the 16 coefficients of one pixel: those along v times those along u."""
    for q in range(TAPS):
        f = w * b[q]
        for d in range(TAPS - q):
            add_scaled_16(flat, start + (TAPS * q + d) * stride, f * b[q + d], along_u)


@compiled(fastmath=True)
def multiply(
    begin: int,
    end: int,
    matrix: Float32Array,
    smoothing: tuple[float, float],
    vector: FloatArray,
    out: FloatArray,
) -> None:
    """Product of the normal matrix with smoothing and a vector, for some rows of the frame.

    Both have a frame of `PAD` zeros: shape (rows + 2 PAD, TAPS, columns + 2 PAD, TAPS) and
    (rows + 2 PAD, columns + 2 PAD). ``smoothing`` is the
    weight of the squared second differences along both axes (Eilers & Marx 1996), and that of the squares.
    """
    rough, ridge = smoothing
    n_column = vector.shape[1] - 2 * PAD
    for m in range(begin + PAD, end + PAD):
        for k in range(PAD, n_column + PAD):
            total = (matrix[m, 0, k, 0] + ROUGH_DIAGONAL * rough + ridge) * vector[m, k]
            near = vector[m - 1, k] + vector[m + 1, k] + vector[m, k - 1] + vector[m, k + 1]
            far = vector[m - 2, k] + vector[m + 2, k] + vector[m, k - 2] + vector[m, k + 2]
            total += rough * (far - 4 * near)
            for p in range(1, TAPS):
                total += matrix[m, 0, k, p] * vector[m, k + p] + matrix[m, 0, k - p, p] * vector[m, k - p]
            for q in range(1, TAPS):
                total += matrix[m, q, k, 0] * vector[m + q, k]
                total += matrix[m - q, q, k, 0] * vector[m - q, k]
                for p in range(1, TAPS):
                    total += matrix[m, q, k, p] * vector[m + q, k + p]
                    total += matrix[m, q, k - p, p] * vector[m + q, k - p]
                    total += matrix[m - q, q, k, p] * vector[m - q, k + p]
                    total += matrix[m - q, q, k - p, p] * vector[m - q, k - p]
            out[m, k] = total


@compiled()
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


@compiled()
def pulls(
    begin: int,
    end: int,
    coefficient: FloatArray,
    geometry: Geometry,
    exposure: tuple[Float32Array, Float32Array, float],
    granted: tuple[float, float],
    out: Float32Array,
) -> None:
    """How many standard deviations the pixels of some rows are off what the reference says; 0 off the frame.

    ``exposure``: values and weights of the pixels, shape (ny, nx), and the growth of their variance; see
    `loaders.reference.normal.ExposurePixels`. ``granted``: errors of the place in fine pixels and of the
    prediction as a fraction of it.
    """
    value, weight, growth = exposure
    for j in range(begin, end):
        row = row_polynomials(geometry, j)
        for i in range(value.shape[1]):
            out[j, i] = np.float32(0.0)
            if weight[j, i] == 0.0:
                continue
            u, v = place(geometry, row, i)
            r, gu, gv, known = evaluate(coefficient, u, v)
            if known:
                variance = (1 + growth * max(r, 0.0)) / weight[j, i]
                variance += granted[0] ** 2 * (gu * gu + gv * gv) + (granted[1] * r) ** 2
                out[j, i] = np.float32(abs(value[j, i] - r) / np.sqrt(variance))


@compiled()
def mark_outliers(
    begin: int, end: int, pull: Float32Array, limits: tuple[float, float], out: npt.NDArray[np.bool_]
) -> None:
    """Pixels of some rows whose pull is beyond the first limit, or beyond the second beside such a one."""
    n_row, n_column = pull.shape
    for j in range(begin, end):
        for i in range(n_column):
            out[j, i] = pull[j, i] > limits[0]
            if limits[1] < pull[j, i] <= limits[0]:
                for q in range(max(j - 1, 0), min(j + 2, n_row)):
                    for p in range(max(i - 1, 0), min(i + 2, n_column)):
                        out[j, i] |= pull[q, p] > limits[0]


@compiled()
def registration_sums(
    begin: int,
    end: int,
    coefficient: FloatArray,
    geometry: Geometry,
    exposure: tuple[Float32Array, Float32Array, float],
    clip: tuple[float, float, float],
    out: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    """Normal equations of the registration of some rows of an exposure on the reference.

    Parameters
    ----------
    begin, end
        Which rows.
    coefficient
        Of the reference, detector units.
    geometry
        Where the pixels lie.
    exposure
        As in `pulls`.
    clip
        Pixels farther from the prediction than so many standard deviations count less, the
        less the farther they are; the error
        of the place in fine pixels that is part of the standard deviation here; and the error of the
        prediction as a fraction of it, which keeps single bright stars that vary from deciding everything.
    out
        Filled for every row: matrix, shape (ny, PARAMETERS, PARAMETERS), right-hand side and number of
        pixels. Parameters are sky, scale, shifts along u and v, and how these change along the scaled x and y
        of the exposure.
    """
    value, weight, growth = exposure
    column = np.empty(PARAMETERS)
    for j in range(begin, end):
        matrix, right = out[0][j], out[1][j]
        row = row_polynomials(geometry, j)
        y = (j - geometry.centre[1]) / geometry.half[1]
        for i in range(value.shape[1]):
            if weight[j, i] == 0.0:
                continue
            u, v = place(geometry, row, i)
            r, gu, gv, known = evaluate(coefficient, u, v)
            if not known:
                continue
            x = (i - geometry.centre[0]) / geometry.half[0]
            residual = value[j, i] - r
            variance = (1 + growth * max(r, 0.0)) / weight[j, i] + (clip[2] * r) ** 2
            w = 1 / variance
            limit = clip[0] * np.sqrt(variance + clip[1] ** 2 * (gu * gu + gv * gv))
            if abs(residual) > limit:
                w *= (limit / residual) ** 2
            column[0], column[1], column[2], column[3] = 1.0, r, gu, gv
            column[4], column[5], column[6], column[7] = gu * x, gu * y, gv * x, gv * y
            out[2][j] += 1.0
            for a in range(PARAMETERS):
                right[a] += w * residual * column[a]
                for b in range(a + 1):
                    matrix[a, b] += w * column[a] * column[b]
