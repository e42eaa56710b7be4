"""Stars drawn into an image with an effective PSF, and the transpose of it.

Between its grid points an effective PSF *is* the interpolating cubic B-spline (Unser 1999, IEEE Signal
Process. Mag. 16, 22): whoever reads a stamp between its grid points, here or elsewhere, means this curve.
As the grid has a whole number of steps per pixel, all pixels of a star share one set of 4 × 4 weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
from scipy.ndimage import spline_filter

from loaders.psf.model import EffectivePsf, FloatArray

Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stars:
    """Stars to draw.

    Parameters
    ----------
    x, y
        Shape (n,): positions in 0-based pixels of the image, pixel centres at integers.
    flux
        Shape (n,): total fluxes.
    radius
        Shape (n,): half the width, in pixels, of the square in which a star is drawn.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    radius: IntArray


def spline_coefficients(stamps: FloatArray) -> FloatArray:
    """B-spline coefficients of stamps, framed by one mirrored row and column for the spline's reach.

    Parameters
    ----------
    stamps
        Shape (..., size, size).

    Returns
    -------
    ndarray
        Shape (..., size + 2, size + 2).
    """
    flat = stamps.reshape(-1, *stamps.shape[-2:])
    filtered = np.stack([np.pad(spline_filter(stamp, order=3, mode="mirror"), 1, "reflect") for stamp in flat])
    return np.ascontiguousarray(filtered.reshape(*stamps.shape[:-2], *filtered.shape[-2:]))


@dataclass(frozen=True)
class SplinePsf:
    """An effective PSF as the coefficients of its splines, ready to be drawn.

    Parameters
    ----------
    coefficients
        Shape (n_y, n_x, size + 2, size + 2): see `spline_coefficients`.
    oversampling
        Grid steps per pixel.
    x_node, y_node
        Detector pixel coordinates of the nodes.
    """

    coefficients: FloatArray
    oversampling: int
    x_node: FloatArray
    y_node: FloatArray

    @classmethod
    def of(cls, psf: EffectivePsf) -> SplinePsf:
        """Prepare an effective PSF."""
        return cls(spline_coefficients(psf.stamps), psf.oversampling, psf.x_node, psf.y_node)


def draw(image: FloatArray, psf: SplinePsf, stars: Stars, order: tuple[int, int] = (0, 0)) -> None:
    """Add stars to an image.

    Parameters
    ----------
    image
        Shape (ny, nx), float64, changed in place.
    psf
        The effective PSF.
    stars
        Stars; what lies outside of the image is clipped.
    order
        Orders of the derivative (0 or 1) with respect to the star's position in (y, x).
    """
    _draw(image, psf.coefficients, psf.oversampling, *_nodes(psf, stars), *_columns(stars), order)


def project(image: FloatArray, psf: SplinePsf, stars: Stars, order: tuple[int, int] = (0, 0)) -> FloatArray:
    """Sum of an image times each star of unit flux: the transpose of `draw` in the fluxes.

    Returns
    -------
    ndarray
        Shape (n,): ``sum_p image[p] P(p - star)``, or with the derivative of P.
    """
    out = np.zeros(stars.x.size)
    _project(image, psf.coefficients, psf.oversampling, *_nodes(psf, stars), *_columns(stars), order, out)
    return out


def accumulate(image: FloatArray, psf: SplinePsf, stars: Stars) -> FloatArray:
    """Sum an image over the stars on the grid of the PSF: the transpose of `draw` in the coefficients.

    Returns
    -------
    ndarray
        Shape of ``psf.coefficients``.
    """
    out = np.zeros_like(psf.coefficients)
    _accumulate(image, out, psf.oversampling, *_nodes(psf, stars), *_columns(stars))
    return out


def _columns(stars: Stars) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    return stars.x, stars.y, stars.flux, stars.radius


def _nodes(psf: SplinePsf, stars: Stars) -> tuple[IntArray, FloatArray]:
    """Flat indices (n, 4) of the nodes around every star and their bilinear weights (n, 4)."""
    row, v = _cells(psf.y_node, stars.y)
    column, u = _cells(psf.x_node, stars.x)
    n_x = psf.x_node.size
    right, up = np.minimum(column + 1, n_x - 1), np.minimum(row + 1, psf.y_node.size - 1)
    index = np.stack([row * n_x + column, row * n_x + right, up * n_x + column, up * n_x + right], axis=1)
    weight = np.stack([(1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u], axis=1)
    return index, weight


def _cells(node: FloatArray, value: FloatArray) -> tuple[IntArray, FloatArray]:
    """Index of the node before each value and the fraction of the way to the next, held at the edges."""
    if node.size == 1:
        return np.zeros(value.size, dtype=np.int64), np.zeros(value.size)
    k = np.clip(np.searchsorted(node, value, side="right") - 1, 0, node.size - 2)
    return k.astype(np.int64), np.clip((value - node[k]) / (node[k + 1] - node[k]), 0.0, 1.0)


@numba.njit(cache=True, nogil=True)
def _weights(t, order):  # type: ignore[no-untyped-def]  # numba infers
    """Cubic B-spline weights, or those of the derivative, of the four coefficients around a point."""
    s = 1.0 - t
    if order == 0:
        return s**3 / 6, (4 - 6 * t * t + 3 * t**3) / 6, (4 - 6 * s * s + 3 * s**3) / 6, t**3 / 6
    return -s * s / 2, (3 * t * t - 4 * t) / 2, (4 * s - 3 * s * s) / 2, t * t / 2


@numba.njit(cache=True, nogil=True)
def _span(position, radius, step, size, limit):  # type: ignore[no-untyped-def]
    """First and last pixel of a star along an axis, the spline cell of the first one, and the phase."""
    centre = (size - 3) // 2
    reach = min(float(radius), centre / step)
    first = max(int(np.ceil(position - reach)), 0)
    last = min(int(np.floor(position + reach)), limit - 1)
    at = max(centre + step * (first - position), 0.0)
    cell = int(np.floor(at))
    # A pixel exactly on the outermost grid point belongs to the cell inside of it.
    if cell + step * (last - first) > size - 4:
        cell -= 1
    return first, last, cell, at - cell


@numba.njit(cache=True, nogil=True)
def _axis(position, radius, step, size, limit, order):  # type: ignore[no-untyped-def]
    """Pixels, spline cell and weights of a star along an axis."""
    first, last, cell, phase = _span(position, radius, step, size, limit)
    w = _weights(phase, order)
    if order == 1:
        w = (-step * w[0], -step * w[1], -step * w[2], -step * w[3])
    return first, last, cell, w


@numba.njit(cache=True, nogil=True)
def _blend_rows(coefficients, node, share, row, wy, columns, out):  # type: ignore[no-untyped-def]
    """Blend four spline rows, of up to four nodes, into one row of coefficients, in some columns."""
    n_x = coefficients.shape[1]
    first, last = columns
    out[first:last] = 0.0
    for k in range(4):
        if share[k] == 0.0:
            continue
        plane = coefficients[node[k] // n_x, node[k] % n_x]
        w0, w1, w2, w3 = share[k] * wy[0], share[k] * wy[1], share[k] * wy[2], share[k] * wy[3]
        for c in range(first, last):
            out[c] += w0 * plane[row, c] + w1 * plane[row + 1, c] + w2 * plane[row + 2, c] + w3 * plane[row + 3, c]


@numba.njit(cache=True, nogil=True)
def _draw(image, coefficients, step, node, share, x, y, flux, radius, order):  # type: ignore[no-untyped-def]
    size = coefficients.shape[-1]
    line = np.empty(size)
    for s in range(x.size):
        i0, i1, ci, wx = _axis(x[s], radius[s], step, size, image.shape[1], order[1])
        j0, j1, cj, wy = _axis(y[s], radius[s], step, size, image.shape[0], order[0])
        columns = (ci, ci + step * (i1 - i0) + 4)
        for j in range(j0, j1 + 1):
            _blend_rows(coefficients, node[s], share[s], cj + step * (j - j0), wy, columns, line)
            for i in range(i0, i1 + 1):
                c = ci + step * (i - i0)
                value = wx[0] * line[c] + wx[1] * line[c + 1] + wx[2] * line[c + 2] + wx[3] * line[c + 3]
                image[j, i] += flux[s] * value


@numba.njit(cache=True, nogil=True)
def _project(image, coefficients, step, node, share, x, y, flux, radius, order, out):  # type: ignore[no-untyped-def]
    size = coefficients.shape[-1]
    line = np.empty(size)
    for s in range(x.size):
        i0, i1, ci, wx = _axis(x[s], radius[s], step, size, image.shape[1], order[1])
        j0, j1, cj, wy = _axis(y[s], radius[s], step, size, image.shape[0], order[0])
        columns = (ci, ci + step * (i1 - i0) + 4)
        for j in range(j0, j1 + 1):
            _blend_rows(coefficients, node[s], share[s], cj + step * (j - j0), wy, columns, line)
            for i in range(i0, i1 + 1):
                c = ci + step * (i - i0)
                value = wx[0] * line[c] + wx[1] * line[c + 1] + wx[2] * line[c + 2] + wx[3] * line[c + 3]
                out[s] += image[j, i] * value


@numba.njit(cache=True, nogil=True)
def _accumulate(image, out, step, node, share, x, y, flux, radius):  # type: ignore[no-untyped-def]
    size, n_x = out.shape[-1], out.shape[1]
    line = np.empty(size)
    for s in range(x.size):
        i0, i1, ci, wx = _axis(x[s], radius[s], step, size, image.shape[1], 0)
        j0, j1, cj, wy = _axis(y[s], radius[s], step, size, image.shape[0], 0)
        columns = (ci, ci + step * (i1 - i0) + 4)
        for j in range(j0, j1 + 1):
            line[columns[0] : columns[1]] = 0.0
            for i in range(i0, i1 + 1):
                c = ci + step * (i - i0)
                for a in range(4):
                    line[c + a] += flux[s] * image[j, i] * wx[a]
            for k in range(4):
                if share[s, k] == 0.0:
                    continue
                plane = out[node[s, k] // n_x, node[s, k] % n_x]
                for b in range(4):
                    row = cj + step * (j - j0) + b
                    for c in range(columns[0], columns[1]):
                        plane[row, c] += share[s, k] * wy[b] * line[c]
