"""Compiled sums for the kernel that matches a super-sampled template to an image."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from loaders.reference.kernels import Float32Array, FloatArray, Geometry, evaluate, place, row_polynomials


@numba.njit(cache=True, nogil=True)
def sample_template(
    begin: int,
    end: int,
    coefficient: FloatArray,
    geometry: Geometry,
    offsets: npt.NDArray[np.float64],
    out: Float32Array,
) -> None:
    """Template around every pixel of some rows of an image, one value for each offset of the kernel.

    Parameters
    ----------
    begin, end
        Rows.
    coefficient
        Spline coefficients of the template.
    geometry
        Where the pixels of the image lie in it.
    offsets
        Shape (k, 2): offsets (u, v) in fine pixels.
    out
        Shape (ny, nx, k); NaN where the template does not reach.
    """
    for j in range(begin, end):
        row = row_polynomials(geometry, j)
        for i in range(out.shape[1]):
            u, v = place(geometry, row, i)
            for k in range(offsets.shape[0]):
                value, _, _, known = evaluate(coefficient, u + offsets[k, 0], v + offsets[k, 1])
                out[j, i, k] = np.float32(value) if known else np.float32(np.nan)


@numba.njit(cache=True, nogil=True, fastmath=True)
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
        Matrices, shape (n_cell, k, k), lower triangle, and right-hand sides, shape (n_cell, k); filled.
    """
    size, columns = cells
    value, weight = images
    matrix, right = sums
    ny, nx = value.shape
    n = samples.shape[2]
    for cell in range(begin, end):
        top, left = (cell // columns) * size, (cell % columns) * size
        for j in range(top, min(top + size, ny)):
            for i in range(left, min(left + size, nx)):
                w = weight[j, i]
                if w == np.float32(0.0):
                    continue
                t = samples[j, i]
                for a in range(n):
                    wa = w * t[a]
                    right[cell, a] += wa * value[j, i]
                    for b in range(a + 1):
                        matrix[cell, a, b] += wa * t[b]


@numba.njit(cache=True, nogil=True, fastmath=True)
def convolve(
    begin: int, end: int, samples: Float32Array, kernels: tuple[FloatArray, FloatArray], out: Float32Array
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
    out
        Shape (ny, nx), overwritten.
    """
    coefficient, powers = kernels
    ny, nx, n = samples.shape
    kernel = np.empty(n)
    for j in range(begin, end):
        y = 2.0 * j / max(ny - 1, 1) - 1.0
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
