"""An effective PSF laid out for speed: sixteen multiply-adds a pixel, in contiguous memory.

Between grid points the PSF is the interpolating cubic B-spline of `loaders.psf.render`. As a pixel is a
whole number of grid steps, all pixels of a star share one set of 4 × 4 spline weights; the coefficients
are stored as one plane for each position of a grid point within the pixel (a polyphase layout), so that
the pixels of a row are neighbours in memory and the loop over them runs in vector instructions. The nodes
are blended once for all stars of a small cell of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.ndimage import correlate1d

from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import spline_coefficients
from roman_db.compiled import compiled

Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

STAMP = 12
"""Pixels along one side of the stamp of a star; even, so that it reaches equally far on both sides."""

BEFORE = STAMP // 2 - 1
"""Pixels of a stamp before the one in which the centre of the star falls."""

_PAD = 16
"""Pixels of zeros around the support of the PSF: more than a stamp or a vector can reach beyond it."""


_CUBIC_TAPS = {False: np.array([1, 4, 1]) / 6, True: np.array([1, 23, 23, 1]) / 48}
_LINEAR_TAPS = {False: np.ones(1), True: np.array([0.5, 0.5])}
"""Weights of the numbers around a grid point (False), and around the middle between two of them (True)."""


FourFloats: TypeAlias = tuple[float, float, float, float]
FourRuns: TypeAlias = tuple[tuple[int, int, int, int], tuple[np.float32, np.float32, np.float32, np.float32]]


class Planes(NamedTuple):
    """What the compiled functions read of one PSF, or of one at each of several nodes.

    Parameters
    ----------
    coefficient
        Shape (phase y, phase x, row, column), or that with a leading axis of nodes.
    step
        Grid steps per pixel.
    centre
        Grid index of the centre of the PSF.
    pad
        Pixels that the planes begin before the support of the PSF; negative if they begin inside of it.
    """

    coefficient: Float32Array
    step: int
    centre: int
    pad: int


class Nodes(NamedTuple):
    """Up to four nodes around each of n positions, shape (n, 4), and their bilinear weights, shape (n, 4)."""

    node: IntArray
    weight: Float32Array


@dataclass(frozen=True)
class PsfTable:
    """An effective PSF ready for evaluation.

    Parameters
    ----------
    full, core
        Spline coefficients of all nodes: everything, and the part that stamps need.
    value
        The PSF at the grid points of all nodes, laid out as ``full``: enough where linear interpolation is.
    half_width
        Distance in pixels beyond which the PSF is zero.
    envelope, linear_error
        Shape (n,): largest absolute value of the PSF, and of the error of linear interpolation, at or beyond
        a Chebyshev distance of 0, 1, 2 … pixels.
    x_node, y_node
        Detector pixel coordinates of the nodes.
    """

    full: Planes
    core: Planes
    value: Planes
    half_width: float
    envelope: FloatArray
    linear_error: FloatArray
    x_node: FloatArray
    y_node: FloatArray

    @classmethod
    def of(cls, psf: EffectivePsf) -> PsfTable:
        """Lay out an effective PSF."""
        stamps = psf.stamps.reshape(-1, psf.size, psf.size)
        framed = spline_coefficients(stamps)
        full = _polyphase(psf, framed)
        core = cls._cut(full, STAMP // 2)
        value = _polyphase(psf, np.pad(stamps, ((0, 0), (1, 1), (1, 1))))
        light, error = _beyond(psf, np.abs(stamps)), _beyond(psf, _linear_error(framed, stamps))
        return cls(full, core, value, psf.half_width, light, error, psf.x_node, psf.y_node)

    def within(self, reach: int) -> tuple[Planes, Planes]:
        """Coefficients and values of all nodes as far as stars drawn to ``reach`` pixels need them."""
        return self._cut(self.full, reach), self._cut(self.value, reach)

    @staticmethod
    def _cut(planes: Planes, reach: int) -> Planes:
        """The part within some pixels of the centre, and room for the pixels that a vector reads beyond."""
        middle = planes.pad + planes.centre // planes.step
        low = max(middle - reach - 2, 0)
        part = planes.coefficient[..., low : middle + reach + 3, low : middle + reach + 3]
        return Planes(np.ascontiguousarray(part), planes.step, planes.centre, planes.pad - low)

    def nodes(self, x: FloatArray, y: FloatArray) -> Nodes:
        """Nodes around detector positions and their weights, held at the outermost nodes."""
        column, u = _cells(self.x_node, x)
        row, v = _cells(self.y_node, y)
        n_x = self.x_node.size
        right, up = np.minimum(column + 1, n_x - 1), np.minimum(row + 1, self.y_node.size - 1)
        index = np.stack([row * n_x + column, row * n_x + right, up * n_x + column, up * n_x + right], axis=1)
        weight = np.stack([(1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u], axis=1)
        return Nodes(index, weight.astype(np.float32))

    def radius(self, flux: FloatArray, floor: float) -> FloatArray:
        """Half-width of the square beyond which stars of given flux stay below ``floor`` in any pixel."""
        return self._reach(self.envelope, flux, floor)

    def cubic_radius(self, flux: FloatArray, floor: float) -> FloatArray:
        """Half-width of the square beyond which linear interpolation errs by less than ``floor``."""
        return self._reach(self.linear_error, flux, floor)

    def _reach(self, envelope: FloatArray, flux: FloatArray, floor: float) -> FloatArray:
        needed = floor / np.maximum(np.abs(flux), np.finfo(float).tiny)
        reach = envelope.size - np.searchsorted(envelope[::-1], needed, side="right")
        return np.asarray(np.clip(reach, STAMP // 2, max(self.half_width, STAMP // 2)), dtype=float)


def _polyphase(psf: EffectivePsf, framed: FloatArray) -> Planes:
    """Numbers at the grid points of every node, with a frame of one, as one plane a phase within zeros."""
    step = psf.oversampling
    side = -(-framed.shape[-1] // step)
    before, after = _PAD * step, _PAD * step + side * step - framed.shape[-1]
    framed = np.pad(framed, ((0, 0), (before, after), (before, after)))
    shape = (framed.shape[0], side + 2 * _PAD, step, side + 2 * _PAD, step)
    planes = np.ascontiguousarray(framed.reshape(shape).transpose(0, 2, 4, 1, 3), dtype=np.float32)
    return Planes(planes, step, (psf.size - 1) // 2, _PAD)


def _linear_error(framed: FloatArray, stamps: FloatArray) -> FloatArray:
    """Largest error of linear interpolation halfway to the next grid points, shape of ``stamps``."""
    worst = np.zeros_like(stamps)
    for half in ((True, True), (True, False), (False, True)):
        true = _weigh_taps(framed, [_CUBIC_TAPS[h] for h in half])[..., 1:-1, 1:-1]
        error = np.abs(true - _weigh_taps(stamps, [_LINEAR_TAPS[h] for h in half]))
        # Beyond the last grid point there is nothing to interpolate.
        error[..., -1, :], error[..., :, -1] = 0.0, 0.0
        worst = np.maximum(worst, error)
    return worst


def _weigh_taps(grid: FloatArray, taps: list[FloatArray]) -> FloatArray:
    """Weigh neighbouring grid points along y and x; an even number of taps lies around half a step on."""
    for axis, weights in zip((-2, -1), taps, strict=True):
        origin = -1 if weights.size % 2 == 0 else 0
        grid = correlate1d(grid, weights, axis=axis, origin=origin, mode="constant")
    return grid


def _beyond(psf: EffectivePsf, magnitude: FloatArray) -> FloatArray:
    """Largest magnitude over all nodes at or beyond each whole Chebyshev distance, falling."""
    peak = magnitude.max(axis=0)
    offset = np.abs(np.arange(psf.size) - (psf.size - 1) // 2) / psf.oversampling
    distance = np.maximum(offset[:, None], offset[None, :])
    rings = np.arange(int(np.floor(psf.half_width)) + 1)
    return np.array([peak[distance >= ring].max() for ring in rings])


def _cells(node: FloatArray, value: FloatArray) -> tuple[IntArray, FloatArray]:
    """Index of the node before each value and the fraction of the way to the next, held at the edges."""
    if node.size == 1:
        return np.zeros(value.size, dtype=np.int64), np.zeros(value.size)
    k = np.clip(np.searchsorted(node, value, side="right") - 1, 0, node.size - 2)
    return k.astype(np.int64), np.clip((value - node[k]) / (node[k + 1] - node[k]), 0.0, 1.0)


@compiled(fastmath=True)
def blend(planes: Planes, nodes: Nodes, cell: int, out: Float32Array) -> Planes:
    """Blend the PSFs of the nodes around a cell into ``out``, shape (phase y, phase x, row, column)."""
    flat = out.reshape(-1)
    flat[:] = np.float32(0.0)
    for k in range(4):
        share = nodes.weight[cell, k]
        if share != 0.0:
            source = planes.coefficient[nodes.node[cell, k]].reshape(-1)
            for i in range(flat.size):
                flat[i] += share * source[i]
    return Planes(out, planes.step, planes.centre, planes.pad)


@compiled()
def spline_weights(t: float, order: int) -> tuple[float, float, float, float]:
    """Cubic B-spline weights (order 0), or their derivative (order 1), of the coefficients around a point."""
    s = 1.0 - t
    if order == 0:
        return s**3 / 6, (4 - 6 * t * t + 3 * t**3) / 6, (4 - 6 * s * s + 3 * s**3) / 6, t**3 / 6
    return -s * s / 2, (3 * t * t - 4 * t) / 2, (4 * s - 3 * s * s) / 2, t * t / 2


@compiled()
def locate(first: int, position: float, planes: Planes) -> tuple[int, float]:
    """Padded coefficient index before pixel ``first`` of a star at ``position``, and the phase beyond it."""
    at = planes.centre + planes.step * (first - position)
    cell = int(np.floor(at))
    return cell + planes.pad * planes.step, at - cell


@compiled()
def _flat_index(psf: Planes, row: int, column: int) -> int:
    """Where the number at a padded grid point is in the flattened planes; pixels along x are neighbours."""
    _, _, rows, columns = psf.coefficient.shape
    plane = (row % psf.step) * psf.step + column % psf.step
    return int((plane * rows + row // psf.step) * columns + column // psf.step)


@compiled(fastmath=True)
def _add_run(
    source: Float32Array,
    start: tuple[int, int, int, int],
    weight: tuple[np.float32, np.float32, np.float32, np.float32],
    target: Float32Array,
    at: int,
    n: int,
) -> None:
    """Add four weighted runs of one vector to a run of another.

    Unsigned indices spare the test for negative ones, so that the loop runs in vector instructions.
    """
    k0, k1, k2, k3 = np.uint64(start[0]), np.uint64(start[1]), np.uint64(start[2]), np.uint64(start[3])
    w0, w1, w2, w3 = weight
    out = np.uint64(at)
    for i in range(np.uint64(n)):
        target[out + i] += (w0 * source[k0 + i] + w1 * source[k1 + i]) + (
            w2 * source[k2 + i] + w3 * source[k3 + i]
        )


@compiled()
def _four(psf: Planes, row: int, column: int, of_row: float, of_column: FourFloats) -> FourRuns:
    """Four grid points along x from one on: where they are, and their weights."""
    start = (
        _flat_index(psf, row, column),
        _flat_index(psf, row, column + 1),
        _flat_index(psf, row, column + 2),
        _flat_index(psf, row, column + 3),
    )
    a, b, c, d = of_column
    weight = np.float32(of_row * a), np.float32(of_row * b), np.float32(of_row * c), np.float32(of_row * d)
    return start, weight


@compiled()
def add_cubic(
    psf: Planes,
    corner: tuple[int, int],
    weights: tuple[FourFloats, FourFloats],
    image: Float32Array,
    pixels: tuple[int, int, int, int],
) -> None:
    """Add the values of the PSF in a rectangle of pixels, interpolated by cubic splines.

    Parameters
    ----------
    psf
        Planes of the spline coefficients of one PSF.
    corner
        What `locate` says of the first row and column.
    weights
        `spline_weights` along y and x, times anything.
    image
        Shape (ny, nx).
    pixels
        First row, number of rows, first column, number of columns.
    """
    flat, out = psf.coefficient.reshape(-1), image.reshape(-1)
    first, n_row, left, n = pixels
    for b in range(4):
        (k0, k1, k2, k3), weight = _four(psf, corner[0] + b, corner[1], weights[0][b], weights[1])
        for j in range(n_row):
            step = j * psf.coefficient.shape[3]
            start = (k0 + step, k1 + step, k2 + step, k3 + step)
            _add_run(flat, start, weight, out, (first + j) * image.shape[1] + left, n)


@compiled()
def add_linear(
    psf: Planes,
    corner: tuple[int, int],
    weights: tuple[tuple[float, float], tuple[float, float]],
    image: Float32Array,
    pixels: tuple[int, int, int, int],
) -> None:
    """Add what `add_cubic` would, interpolated linearly: ``psf`` holds values, weights are of two points."""
    flat, out = psf.coefficient.reshape(-1), image.reshape(-1)
    first, n_row, left, n = pixels
    row, column = corner[0] + 1, corner[1] + 1
    k0, k1 = _flat_index(psf, row, column), _flat_index(psf, row, column + 1)
    k2, k3 = _flat_index(psf, row + 1, column), _flat_index(psf, row + 1, column + 1)
    (a, b), (c, d) = weights
    weight = np.float32(a * c), np.float32(a * d), np.float32(b * c), np.float32(b * d)
    for j in range(n_row):
        step = j * psf.coefficient.shape[3]
        start = (k0 + step, k1 + step, k2 + step, k3 + step)
        _add_run(flat, start, weight, out, (first + j) * image.shape[1] + left, n)


@compiled()
def fill_stamp(psf: Planes, at: tuple[float, float], order: tuple[int, int], out: Float32Array) -> None:
    """Evaluate the PSF in the stamp of a star.

    Parameters
    ----------
    psf
        Planes of one PSF.
    at
        Position (x, y) of the star; its stamp begins `BEFORE` pixels before the pixel of the centre.
    order
        Order (0 or 1) of the derivative with the offset from the star along (x, y).
    out
        Shape (STAMP, STAMP), overwritten.
    """
    step, half = psf.step, psf.centre / psf.step
    i0, j0 = int(np.floor(at[0])) - BEFORE, int(np.floor(at[1])) - BEFORE
    column, u = locate(i0, at[0], psf)
    row, v = locate(j0, at[1], psf)
    # Whole rows of the planes, of which a stamp is the beginning: one run of memory for the whole stamp.
    width = psf.coefficient.shape[3]
    lines = np.zeros(STAMP * width, dtype=np.float32)
    flat, length = psf.coefficient.reshape(-1), (STAMP - 1) * width + STAMP
    along_y, along_x = spline_weights(v, order[1]), spline_weights(u, order[0])
    for b in range(4):
        start, weight = _four(psf, row + b, column, along_y[b], along_x)
        _add_run(flat, start, weight, lines, 0, length)
    scale = np.float32(float(step) ** (order[0] + order[1]))
    for j in range(STAMP):
        for i in range(STAMP):
            out[j, i] = scale * lines[j * width + i]
    if half < STAMP // 2:
        _clear_beyond((i0 - at[0], j0 - at[1]), half, out)


@compiled()
def _clear_beyond(offset: tuple[float, float], half: float, out: Float32Array) -> None:
    """Zero what lies beyond the support of the PSF; ``offset`` is that of the first pixel."""
    for k in range(STAMP):
        if abs(offset[0] + k) > half:
            out[:, k] = np.float32(0.0)
        if abs(offset[1] + k) > half:
            out[k, :] = np.float32(0.0)
