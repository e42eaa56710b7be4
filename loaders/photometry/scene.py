"""The light of stars drawn into an image out to the radius that their brightness asks for."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

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
    add_cubic,
    add_linear,
    blend,
    locate,
    spline_weights,
)
from loaders.photometry.tiling import Grid, starts
from loaders.psf.model import FloatArray
from roman_db.compiled import compiled

Rectangle: TypeAlias = tuple[int, int, int, int]
"""First and last column, first and last row of some pixels, in the image without its frame."""

Spot: TypeAlias = tuple[Float32Array, int, float, float, float]
"""Image with frame, width of the frame, position (x, y) and flux of a star."""

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
    cubic
        Shape (n,): half-width of the square within which the PSF is interpolated by cubic splines, pixels;
        beyond it, where that makes no difference, it is interpolated linearly in a quarter of the time.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    radius: FloatArray
    cubic: FloatArray

    def take(self, index: IntArray) -> Drawn:
        """The stars of given indices."""
        return Drawn(self.x[index], self.y[index], self.flux[index], self.radius[index], self.cubic[index])


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
        arguments = (
            (colour, own),
            ordered,
            (*table.within(reach), nodes),
            (canvas.image, frame),
            skip_stamp,
        )
        workers.run(_draw_cells, colour.size, *arguments)


@compiled()
def _draw_cells(
    begin: int,
    end: int,
    cells: tuple[IntArray, IntArray],
    stars: Drawn,
    psf: tuple[Planes, Planes, Nodes],
    target: tuple[Float32Array, int],
    skip_stamp: bool,
) -> None:
    colour, own = cells
    planes, values, nodes = psf
    spline = np.empty(planes.coefficient.shape[1:], dtype=np.float32)
    linear = np.empty(values.coefficient.shape[1:], dtype=np.float32)
    for k in range(begin, end):
        cell = colour[k]
        if own[cell] == own[cell + 1]:
            continue
        pair = (blend(planes, nodes, cell, spline), blend(values, nodes, cell, linear))
        for s in range(own[cell], own[cell + 1]):
            _draw_star(target, pair, stars, s, skip_stamp)


@compiled()
def _draw_star(
    target: tuple[Float32Array, int], psf: tuple[Planes, Planes], stars: Drawn, s: int, skip_stamp: bool
) -> None:
    """Draw a star: its core by splines, what is around it linearly, its stamp unless that is skipped."""
    image, frame = target
    x, y, flux = stars.x[s], stars.y[s], stars.flux[s]
    radius = min(stars.radius[s], psf[0].centre / psf[0].step)
    cubic = min(stars.cubic[s], radius)
    i0, i1 = max(int(np.ceil(x - radius)), -frame), min(int(np.floor(x + radius)), image.shape[1] - frame - 1)
    j0, j1 = max(int(np.ceil(y - radius)), -frame), min(int(np.floor(y + radius)), image.shape[0] - frame - 1)
    if i0 > i1 or j0 > j1 or flux == 0.0:
        return
    stamp = _stamp_within(x, y, (i0, i1, j0, j1))
    near = _square_around(x, y, cubic, stamp, (i0, i1, j0, j1))
    spot = (image, frame, x, y, flux)
    _draw_around(spot, psf[1], (i0, i1, j0, j1), near, True)
    if skip_stamp:
        _draw_around(spot, psf[0], near, stamp, False)
    else:
        _draw_rectangle(spot, psf[0], near, False)


@compiled()
def draw_whole(image: Float32Array, psf: Planes, x: float, y: float, flux: float) -> None:
    """Draw a star, all of it by splines, into an image without a frame."""
    radius = psf.centre / psf.step
    i0, i1 = max(int(np.ceil(x - radius)), 0), min(int(np.floor(x + radius)), image.shape[1] - 1)
    j0, j1 = max(int(np.ceil(y - radius)), 0), min(int(np.floor(y + radius)), image.shape[0] - 1)
    _draw_rectangle((image, 0, x, y, flux), psf, (i0, i1, j0, j1), False)


@compiled()
def _stamp_within(x: float, y: float, limits: Rectangle) -> Rectangle:
    """Pixels of the stamp of a star within limits; empty at their edge if it lies outside."""
    left, low = int(np.floor(x)) - BEFORE, int(np.floor(y)) - BEFORE
    i0, i1, j0, j1 = limits
    a, c = min(max(left, i0), i1 + 1), min(max(low, j0), j1 + 1)
    return a, max(min(left + STAMP - 1, i1), a - 1), c, max(min(low + STAMP - 1, j1), c - 1)


@compiled()
def _square_around(x: float, y: float, radius: float, stamp: Rectangle, limits: Rectangle) -> Rectangle:
    """Pixels within a square around a star, at least its stamp, within limits."""
    a, b = min(int(np.ceil(x - radius)), stamp[0]), max(int(np.floor(x + radius)), stamp[1])
    c, d = min(int(np.ceil(y - radius)), stamp[2]), max(int(np.floor(y + radius)), stamp[3])
    return max(a, limits[0]), min(b, limits[1]), max(c, limits[2]), min(d, limits[3])


@compiled()
def _draw_around(spot: Spot, psf: Planes, outer: Rectangle, inner: Rectangle, linear: bool) -> None:
    """Draw the pixels of a rectangle that are not in one inside of it."""
    i0, i1, j0, j1 = outer
    a, b, c, d = inner
    _draw_rectangle(spot, psf, (i0, i1, j0, c - 1), linear)
    _draw_rectangle(spot, psf, (i0, i1, d + 1, j1), linear)
    _draw_rectangle(spot, psf, (i0, a - 1, c, d), linear)
    _draw_rectangle(spot, psf, (b + 1, i1, c, d), linear)


@compiled()
def _draw_rectangle(spot: Spot, psf: Planes, pixels: Rectangle, linear: bool) -> None:
    """Draw some pixels of a star."""
    image, frame, x, y, flux = spot
    i0, i1, j0, j1 = pixels
    if i0 > i1 or j0 > j1:
        return
    column, u = locate(i0, x, psf)
    row, v = locate(j0, y, psf)
    rectangle = (j0 + frame, j1 - j0 + 1, i0 + frame, i1 - i0 + 1)
    if linear:
        add_linear(psf, (row, column), ((flux * (1 - v), flux * v), (1 - u, u)), image, rectangle)
    else:
        w0, w1, w2, w3 = spline_weights(v, 0)
        weights = ((flux * w0, flux * w1, flux * w2, flux * w3), spline_weights(u, 0))
        add_cubic(psf, (row, column), weights, image, rectangle)
