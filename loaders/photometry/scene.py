"""The light of stars drawn into an image out to the radius that their brightness asks for."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from loaders.photometry.parallel import Workers
from loaders.photometry.psf_table import (
    BEFORE,
    STAMP,
    Float32Array,
    IntArray,
    Nodes,
    Planes,
    PsfTable,
    add_row,
    blend,
    locate,
    spline_weights,
)
from loaders.photometry.tiling import Grid, starts
from loaders.psf.model import FloatArray

_SMALLEST_CELL = 32
"""Smallest side in pixels of the cells within which one PSF is drawn for all stars."""


class Drawn(NamedTuple):
    """Stars to draw.

    Parameters
    ----------
    x, y, flux
        Shape (n,): positions in pixels of the image and fluxes.
    radius
        Shape (n,): half-width of the square in which a star is drawn, pixels.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    radius: FloatArray

    def take(self, index: IntArray) -> Drawn:
        """The stars of given indices."""
        return Drawn(self.x[index], self.y[index], self.flux[index], self.radius[index])


class Canvas(NamedTuple):
    """An image with a frame around it, and where it lies on the detector.

    Parameters
    ----------
    image
        Shape (ny + 2 frame, nx + 2 frame).
    frame
        Pixels before pixel (0, 0) of the image.
    origin
        Detector coordinates (x, y) of pixel (0, 0) of the image.
    """

    image: Float32Array
    frame: int
    origin: tuple[float, float]


def draw_stars(
    canvas: Canvas, table: PsfTable, stars: Drawn, workers: Workers, skip_stamp: bool = False
) -> None:
    """Add the light of stars to an image in place.

    Parameters
    ----------
    canvas
        The image.
    table
        The PSF.
    stars
        Stars, anywhere.
    workers
        Threads.
    skip_stamp
        Leave out the pixels of each star's stamp, which the joint fit keeps up to date itself.
    """
    if stars.x.size == 0:
        return
    frame = canvas.frame
    ny, nx = canvas.image.shape
    reach = int(np.ceil(min(stars.radius.max(), table.half_width)))
    grid = Grid((ny - 2 * frame, nx - 2 * frame), max(_SMALLEST_CELL, 2 * reach + 2))
    cell = grid.cell_of(stars.x, stars.y)
    order = np.argsort(cell, kind="stable")
    x, y = grid.centres()
    nodes = table.nodes(x + canvas.origin[0], y + canvas.origin[1])
    own, ordered = starts(cell[order], x.size), stars.take(order)
    for colour in grid.colours():
        arguments = ((colour, own), ordered, (table.full, nodes), (canvas.image, frame), skip_stamp)
        workers.run(_draw_cells, colour.size, *arguments)


@numba.njit(cache=True, nogil=True)
def _draw_cells(
    begin: int,
    end: int,
    cells: tuple[IntArray, IntArray],
    stars: Drawn,
    psf: tuple[Planes, Nodes],
    target: tuple[Float32Array, int],
    skip_stamp: bool,
) -> None:
    colour, own = cells
    planes, nodes = psf
    buffer = np.empty(planes.coefficient.shape[1:], dtype=np.float32)
    for k in range(begin, end):
        cell = colour[k]
        if own[cell] == own[cell + 1]:
            continue
        blended = blend(planes, nodes, cell, buffer)
        for s in range(own[cell], own[cell + 1]):
            _draw_star(target, blended, stars, s, skip_stamp)


@numba.njit(cache=True, nogil=True)
def _draw_star(target: tuple[Float32Array, int], psf: Planes, stars: Drawn, s: int, skip_stamp: bool) -> None:
    image, frame = target
    x, y, radius = stars.x[s], stars.y[s], min(stars.radius[s], psf.centre / psf.step)
    i0, i1 = max(int(np.ceil(x - radius)), -frame), min(int(np.floor(x + radius)), image.shape[1] - frame - 1)
    j0, j1 = max(int(np.ceil(y - radius)), -frame), min(int(np.floor(y + radius)), image.shape[0] - frame - 1)
    if i0 > i1 or j0 > j1 or stars.flux[s] == 0.0:
        return
    column, u = locate(i0, x, psf)
    row, v = locate(j0, y, psf)
    weights = (spline_weights(u, 0), spline_weights(v, 0))
    left, low = int(np.floor(x)) - BEFORE, int(np.floor(y)) - BEFORE
    count = i1 - i0 + 1
    # Whole vectors of eight pixels: what lies beyond the radius is computed and not used.
    line = np.empty((count + 7) // 8 * 8, dtype=np.float32)
    flux = np.float32(stars.flux[s])
    for j in range(j0, j1 + 1):
        line[:] = np.float32(0.0)
        add_row(psf, row + psf.step * (j - j0), column, weights, line)
        if skip_stamp and low <= j < low + STAMP:
            line[max(left - i0, 0) : max(left - i0 + STAMP, 0)] = np.float32(0.0)
        target_row = image[j + frame, i0 + frame :]
        for i in range(count):
            target_row[i] += flux * line[i]
