"""The compiled loops over the pixels of stars: drawing with an effective PSF and its transposes.

Arguments that all of them share: ``psf`` is the pair of spline coefficients, shape (n_y, n_x, size, size),
and grid steps per pixel; ``nodes`` the pair of flat node indices and weights, each of shape (n, 4);
``stars`` the columns x, y, flux and radius, shape (n, 4); ``order`` the orders of the derivative with
respect to the star's position in (y, x).
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Weights = tuple[float, float, float, float]
Psf = tuple[FloatArray, int]
Nodes = tuple[npt.NDArray[np.int64], FloatArray]


@numba.njit(cache=True, nogil=True)
def spline_weights(t: float, order: int) -> Weights:
    """Cubic B-spline weights (order 0), or their derivative (order 1), of the four coefficients at hand."""
    s = 1.0 - t
    if order == 0:
        return s**3 / 6, (4 - 6 * t * t + 3 * t**3) / 6, (4 - 6 * s * s + 3 * s**3) / 6, t**3 / 6
    return -s * s / 2, (3 * t * t - 4 * t) / 2, (4 * s - 3 * s * s) / 2, t * t / 2


@numba.njit(cache=True, nogil=True)
def span(position: float, radius: float, psf: Psf, limit: int) -> tuple[int, int, int, float]:
    """First and last pixel of a star along an axis of ``limit`` pixels, spline cell of the first, phase."""
    coefficients, step = psf
    size = coefficients.shape[-1]
    centre = (size - 3) // 2
    reach = min(radius, centre / step)
    first = max(int(np.ceil(position - reach)), 0)
    last = min(int(np.floor(position + reach)), limit - 1)
    at = max(centre + step * (first - position), 0.0)
    cell = int(np.floor(at))
    # A pixel exactly on the outermost grid point belongs to the cell inside of it.
    if cell + step * (last - first) > size - 4:
        cell -= 1
    return first, last, cell, at - cell


@numba.njit(cache=True, nogil=True)
def position_weights(phase: float, step: int, order: int) -> Weights:
    """Weights of the PSF, or of its derivative with respect to the star's position in pixels."""
    w = spline_weights(phase, order)
    scale = 1.0 if order == 0 else -float(step)
    return scale * w[0], scale * w[1], scale * w[2], scale * w[3]


@numba.njit(cache=True, nogil=True)
def blend_rows(
    psf: Psf,
    node: npt.NDArray[np.int64],
    share: FloatArray,
    at: tuple[int, Weights],
    columns: tuple[int, int],
    out: FloatArray,
) -> None:
    """Blend four spline rows from ``at[0]`` on, of up to four nodes, in some columns of coefficients."""
    coefficients, row, w = psf[0], at[0], at[1]
    n_x = coefficients.shape[1]
    out[columns[0] : columns[1]] = 0.0
    for k in range(4):
        if share[k] == 0.0:
            continue
        plane = coefficients[node[k] // n_x, node[k] % n_x]
        w0, w1, w2, w3 = share[k] * w[0], share[k] * w[1], share[k] * w[2], share[k] * w[3]
        r0, r1, r2, r3 = plane[row], plane[row + 1], plane[row + 2], plane[row + 3]
        for c in range(columns[0], columns[1]):
            out[c] += w0 * r0[c] + w1 * r1[c] + w2 * r2[c] + w3 * r3[c]


@numba.njit(cache=True, nogil=True)
def draw(
    image: FloatArray, psf: Psf, nodes: Nodes, stars: FloatArray, order: tuple[int, int], hole: int
) -> None:
    """Add stars to an image, except for a square of half-width ``hole`` around each."""
    step = psf[1]
    line = np.empty(psf[0].shape[-1])
    for s in range(stars.shape[0]):
        x, y, flux, radius = stars[s, 0], stars[s, 1], stars[s, 2], stars[s, 3]
        i0, i1, ci, u = span(x, radius, psf, image.shape[1])
        j0, j1, cj, v = span(y, radius, psf, image.shape[0])
        wx, wy = position_weights(u, step, order[1]), position_weights(v, step, order[0])
        columns = (ci, ci + step * (i1 - i0) + 4)
        for j in range(j0, j1 + 1):
            blend_rows(psf, nodes[0][s], nodes[1][s], (cj + step * (j - j0), wy), columns, line)
            spared = abs(j - y) <= hole
            for i in range(i0, i1 + 1):
                if spared and abs(i - x) <= hole:
                    continue
                c = ci + step * (i - i0)
                value = wx[0] * line[c] + wx[1] * line[c + 1] + wx[2] * line[c + 2] + wx[3] * line[c + 3]
                image[j, i] += flux * value


@numba.njit(cache=True, nogil=True)
def project(
    image: FloatArray, psf: Psf, nodes: Nodes, stars: FloatArray, order: tuple[int, int], out: FloatArray
) -> None:
    """Add to ``out``, shape (n,), the sum of an image times each star of unit flux."""
    step = psf[1]
    line = np.empty(psf[0].shape[-1])
    for s in range(stars.shape[0]):
        i0, i1, ci, u = span(stars[s, 0], stars[s, 3], psf, image.shape[1])
        j0, j1, cj, v = span(stars[s, 1], stars[s, 3], psf, image.shape[0])
        wx, wy = position_weights(u, step, order[1]), position_weights(v, step, order[0])
        columns = (ci, ci + step * (i1 - i0) + 4)
        for j in range(j0, j1 + 1):
            blend_rows(psf, nodes[0][s], nodes[1][s], (cj + step * (j - j0), wy), columns, line)
            for i in range(i0, i1 + 1):
                c = ci + step * (i - i0)
                value = wx[0] * line[c] + wx[1] * line[c + 1] + wx[2] * line[c + 2] + wx[3] * line[c + 3]
                out[s] += image[j, i] * value


@numba.njit(cache=True, nogil=True)
def accumulate(image: FloatArray, psf: Psf, nodes: Nodes, stars: FloatArray) -> None:
    """Add an image, times the flux of every star, to the coefficients that its pixels draw on."""
    out, step = psf
    line = np.empty(out.shape[-1])
    for s in range(stars.shape[0]):
        flux = stars[s, 2]
        i0, i1, ci, u = span(stars[s, 0], stars[s, 3], psf, image.shape[1])
        j0, j1, cj, v = span(stars[s, 1], stars[s, 3], psf, image.shape[0])
        wx, wy = spline_weights(u, 0), spline_weights(v, 0)
        columns = (ci, ci + step * (i1 - i0) + 4)
        for j in range(j0, j1 + 1):
            line[columns[0] : columns[1]] = 0.0
            for i in range(i0, i1 + 1):
                c = ci + step * (i - i0)
                value = flux * image[j, i]
                line[c] += value * wx[0]
                line[c + 1] += value * wx[1]
                line[c + 2] += value * wx[2]
                line[c + 3] += value * wx[3]
            spread_rows(out, (nodes[0][s], nodes[1][s]), (cj + step * (j - j0), wy), columns, line)


@numba.njit(cache=True, nogil=True)
def spread_rows(
    out: FloatArray, nodes: Nodes, at: tuple[int, Weights], columns: tuple[int, int], line: FloatArray
) -> None:
    """Spread one row of coefficients over four spline rows of up to four nodes, transposing `blend_rows`."""
    n_x = out.shape[1]
    for k in range(4):
        share = nodes[1][k]
        if share == 0.0:
            continue
        plane = out[nodes[0][k] // n_x, nodes[0][k] % n_x]
        for b in range(4):
            w = share * at[1][b]
            row = plane[at[0] + b]
            for c in range(columns[0], columns[1]):
                row[c] += w * line[c]
