"""Compiled sums for the kernel that matches a super-sampled template to an image."""

from __future__ import annotations

import numpy as np

from loaders.photometry.psf_table import spline_weights
from loaders.reference.kernels import (
    TAPS,
    Float32Array,
    FloatArray,
    Geometry,
    place,
    row_polynomials,
)
from roman_db.compiled import compiled


@compiled(fastmath=True)
def sample_template(
    begin: int, end: int, coefficient: FloatArray, geometry: Geometry, half: int, out: Float32Array
) -> None:
    """Template around every pixel of some rows of an image, at whole steps of its fine pixels.

    All these places lie alike between the fine pixels, so that one set of weights along each axis serves.

    Parameters
    ----------
    begin, end
        Rows.
    coefficient
        Spline coefficients of the template.
    geometry
        Where the pixels of the image lie in it.
    half
        Steps to either side.
    out
        Shape (ny, nx, k) with k >= (2 half + 1)², of which as many are filled, row by row; NaN where the
        template does not reach all of them.
    """
    side = 2 * half + 1
    line = np.empty((side + TAPS - 1, side))
    n_row, n_column = coefficient.shape
    for j in range(begin, end):
        row = row_polynomials(geometry, j)
        for i in range(out.shape[1]):
            u, v = place(geometry, row, i)
            k, m = int(np.floor(u)) - 1 - half, int(np.floor(v)) - 1 - half
            if k < 0 or m < 0 or k + side + TAPS - 1 > n_column or m + side + TAPS - 1 > n_row:
                out[j, i, : side * side] = np.float32(np.nan)
                continue
            bu, bv = spline_weights(u - np.floor(u), 0), spline_weights(v - np.floor(v), 0)
            for q in range(side + TAPS - 1):
                for p in range(side):
                    total = 0.0
                    for t in range(TAPS):
                        total += bu[t] * coefficient[m + q, k + p + t]
                    line[q, p] = total
            for q in range(side):
                for p in range(side):
                    total = 0.0
                    for t in range(TAPS):
                        total += bv[t] * line[q + t, p]
                    out[j, i, q * side + p] = np.float32(total)


@compiled()
def cell_sums(
    begin: int,
    end: int,
    cells: tuple[int, int],
    images: tuple[Float32Array, Float32Array],
    samples: Float32Array,
    sums: tuple[FloatArray, FloatArray],
) -> None:
    """Normal equations of a kernel that is constant within each cell, for some cells.

    Parameters
    ----------
    begin, end
        Cells, counted row by row.
    cells
        Side of a cell in pixels, and cells a row.
    images
        Value and weight of the pixels, shape (ny, nx); weight 0 where the template does not reach.
    samples
        See `sample_template`.
    sums
        Matrices, shape (n_cell, k, k), and right-hand sides, shape (n_cell, k); filled.
    """
    size, columns = cells
    value, weight = images
    matrix, right = sums
    ny, nx = value.shape
    n = samples.shape[2]
    design, scaled = np.empty((size * size, n)), np.empty(size * size)
    for cell in range(begin, end):
        top, left = (cell // columns) * size, (cell % columns) * size
        count = 0
        for j in range(top, min(top + size, ny)):
            for i in range(left, min(left + size, nx)):
                if weight[j, i] > 0:
                    root = np.sqrt(weight[j, i])
                    scaled[count] = root * value[j, i]
                    for a in range(n):
                        design[count, a] = root * samples[j, i, a]
                    count += 1
        np.dot(design[:count].T, design[:count], matrix[cell])
        np.dot(design[:count].T, scaled[:count], right[cell])


@compiled(fastmath=True)
def convolve(
    begin: int,
    end: int,
    samples: Float32Array,
    kernels: tuple[FloatArray, FloatArray],
    rows: tuple[int, int],
    out: Float32Array,
) -> None:
    """Template convolved with a kernel that varies as a polynomial, for some rows.

    Parameters
    ----------
    begin, end
        Rows.
    samples
        See `sample_template`.
    kernels
        Coefficients, shape (n_term, k), and powers of the scaled x and y of each term, shape (n_term, 2).
    rows
        Row of the image that is the first here, and rows of all of it.
    out
        Shape (ny, nx), overwritten.
    """
    coefficient, powers = kernels
    first, ny = rows
    _, nx, n = samples.shape
    kernel = np.empty(n)
    for j in range(begin, end):
        y = 2.0 * (first + j) / max(ny - 1, 1) - 1.0
        for i in range(nx):
            x = 2.0 * i / max(nx - 1, 1) - 1.0
            kernel[:] = 0.0
            for t in range(coefficient.shape[0]):
                term = x ** powers[t, 0] * y ** powers[t, 1]
                for k in range(n):
                    kernel[k] += term * coefficient[t, k]
            total = 0.0
            for k in range(n):
                total += kernel[k] * samples[j, i, k]
            out[j, i] = np.float32(total)
