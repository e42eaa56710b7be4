"""Stars drawn into an image with an effective PSF, and the transpose of it.

Between its grid points an effective PSF *is* the interpolating cubic B-spline (Unser 1999, IEEE Signal
Process. Mag. 16, 22): whoever reads a stamp between its grid points, here or elsewhere, means this curve.
As the grid has a whole number of steps per pixel, all pixels of a star share one set of 4 × 4 weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import spline_filter
from scipy.sparse import csc_array

from loaders.psf import kernels
from loaders.psf.model import EffectivePsf, FloatArray

IntArray = npt.NDArray[np.int64]

_STEPS = 17
"""Positions, both ends included, that are told apart between two nodes of a PSF."""


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

    def __post_init__(self) -> None:
        sizes = self.x.size, self.y.size, self.flux.size, self.radius.size
        if len(set(sizes)) != 1:
            raise ValueError(f"x, y, flux and radius must have the same size, got {sizes}")

    def table(self) -> FloatArray:
        """Columns x, y, flux, radius, shape (n, 4)."""
        return np.stack([self.x, self.y, self.flux, self.radius.astype(np.float64)], axis=1)


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
    filtered = [np.pad(spline_filter(stamp, order=3, mode="mirror"), 1, "reflect") for stamp in flat]
    return np.ascontiguousarray(np.stack(filtered).reshape(*stamps.shape[:-2], *filtered[0].shape))


def effective(psf: SplinePsf) -> EffectivePsf:
    """Stamps of spline coefficients: their values at the grid points; the inverse of `SplinePsf.of`."""
    c = psf.coefficients
    rows = (c[..., :-2, :] + 4 * c[..., 1:-1, :] + c[..., 2:, :]) / 6
    stamps = (rows[..., :-2] + 4 * rows[..., 1:-1] + rows[..., 2:]) / 6
    return EffectivePsf(stamps, psf.oversampling, psf.x_node, psf.y_node)


def draw(
    image: FloatArray, psf: SplinePsf, stars: Stars, order: tuple[int, int] = (0, 0), hole: int = -1
) -> None:
    """Add stars to an image.

    Parameters
    ----------
    image
        Shape (ny, nx), float64, changed in place.
    psf
        The effective PSF.
    stars
        Stars; what lies outside of the image or of the PSF's stamp is left out.
    order
        Orders of the derivative (0 or 1) with respect to the star's position in (y, x).
    hole
        Half the width, in pixels, of a square around every star that is left out; -1 for none.
    """
    groups, table = _groups(psf, stars), stars.table()
    kernels.draw(image, (psf.coefficients, psf.oversampling), groups, table, order, hole)


def columns(weight: FloatArray, psf: SplinePsf, stars: Stars, order: tuple[int, int] = (0, 0)) -> csc_array:
    """The images of all stars, times a weight, as the columns of a sparse matrix.

    Its product with fluxes draws the stars, its transpose times an image sums the image over each of them.

    Parameters
    ----------
    weight
        Shape (ny, nx).
    psf, stars, order
        As for `draw`.

    Returns
    -------
    csc_array
        Shape (ny nx, n).
    """
    table, shape = stars.table(), (weight.shape[0], weight.shape[1])
    count = np.zeros(stars.x.size, dtype=np.int64)
    kernels.count_pixels(table, psf.coefficients.shape[-1], psf.oversampling, shape, count)
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    pixel, value = np.empty(start[-1], dtype=np.int64), np.empty(start[-1])
    shared = (psf.coefficients, psf.oversampling), _groups(psf, stars), table, order
    kernels.fill_columns(weight, *shared, (start, pixel, value))
    # Indices of 32 bits halve what the products read.
    parts = value, pixel.astype(np.int32), start.astype(np.int32)
    return csc_array(parts, shape=(weight.size, stars.x.size))


def accumulate(image: FloatArray, psf: SplinePsf, stars: Stars, hole: int = -1) -> FloatArray:
    """Sum an image over the stars on the grid of the PSF: the transpose of `draw` in the coefficients.

    ``hole`` is that of `draw`.

    Returns
    -------
    ndarray
        Shape of ``psf.coefficients``.
    """
    out = np.zeros_like(psf.coefficients)
    kernels.accumulate(image, (out, psf.oversampling), _groups(psf, stars), stars.table(), hole)
    return out


def _groups(psf: SplinePsf, stars: Stars) -> kernels.Groups:
    """Stars that share a blend of nodes: between nodes, positions count in steps of a 16th of the way."""
    row, v = _cells(psf.y_node, stars.y)
    column, u = _cells(psf.x_node, stars.x)
    key = ((row * _STEPS + v) * psf.x_node.size + column) * _STEPS + u
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    row, v, column, u = (part[order[first]] for part in (row, v, column, u))
    n_x, up, right = (
        psf.x_node.size,
        np.minimum(row + 1, psf.y_node.size - 1),
        np.minimum(column + 1, psf.x_node.size - 1),
    )
    index = np.stack([row * n_x + column, row * n_x + right, up * n_x + column, up * n_x + right], axis=1)
    p, q = u / (_STEPS - 1), v / (_STEPS - 1)
    weight = np.stack([(1 - q) * (1 - p), (1 - q) * p, q * (1 - p), q * p], axis=1)
    return order, np.append(first, order.size), index, weight


def _cells(node: FloatArray, value: FloatArray) -> tuple[IntArray, IntArray]:
    """Index of the node before each value, and steps from there towards the next, held at the edges."""
    if node.size == 1:
        return np.zeros(value.size, dtype=np.int64), np.zeros(value.size, dtype=np.int64)
    k = np.clip(np.searchsorted(node, value, side="right") - 1, 0, node.size - 2)
    fraction = np.clip((value - node[k]) / (node[k + 1] - node[k]), 0.0, 1.0)
    return k.astype(np.int64), np.round(fraction * (_STEPS - 1)).astype(np.int64)
