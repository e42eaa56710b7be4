"""An effective PSF laid out for speed: sixteen multiply-adds a pixel, in contiguous memory.

Between grid points the PSF is the interpolating cubic B-spline of `loaders.psf.render`. As a pixel is a
whole number of grid steps, all pixels of a star share one set of 4 × 4 spline weights; the coefficients
are stored as one plane for each position of a grid point within the pixel (a polyphase layout), so that
the pixels of a row are neighbours in memory and the loop over them runs in vector instructions. The nodes
are blended once for all stars of a small cell of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import spline_coefficients

Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

STAMP = 12
"""Pixels along one side of the stamp of a star; even, so that it reaches equally far on both sides."""

BEFORE = STAMP // 2 - 1
"""Pixels of a stamp before the one in which the centre of the star falls."""

_PAD = 16
"""Pixels of zeros around the support of the PSF: more than a stamp or a vector can reach beyond it."""

_CORE_REACH = STAMP // 2 + 2
"""Half the side, in pixels, of the part of the PSF that stamps are made of."""


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
    half_width
        Distance in pixels beyond which the PSF is zero.
    envelope
        Shape (n,): largest absolute value of the PSF at or beyond a Chebyshev distance of 0, 1, 2 … pixels.
    x_node, y_node
        Detector pixel coordinates of the nodes.
    """

    full: Planes
    core: Planes
    half_width: float
    envelope: FloatArray
    x_node: FloatArray
    y_node: FloatArray

    @classmethod
    def of(cls, psf: EffectivePsf) -> PsfTable:
        """Lay out an effective PSF."""
        full = _polyphase(psf)
        middle = full.pad + full.centre // full.step
        low, high = middle - _CORE_REACH, middle + _CORE_REACH + 1
        part = np.ascontiguousarray(full.coefficient[..., low:high, low:high])
        core = Planes(part, full.step, full.centre, full.pad - low)
        return cls(full, core, psf.half_width, _envelope(psf), psf.x_node, psf.y_node)

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
        needed = floor / np.maximum(np.abs(flux), np.finfo(float).tiny)
        reach = self.envelope.size - np.searchsorted(self.envelope[::-1], needed, side="right")
        return np.asarray(np.clip(reach, STAMP // 2, max(self.half_width, STAMP // 2)), dtype=float)


def _polyphase(psf: EffectivePsf) -> Planes:
    """Coefficients of every node, one plane a phase, framed by zeros."""
    step = psf.oversampling
    framed = spline_coefficients(psf.stamps.reshape(-1, psf.size, psf.size))
    side = -(-framed.shape[-1] // step)
    before, after = _PAD * step, _PAD * step + side * step - framed.shape[-1]
    framed = np.pad(framed, ((0, 0), (before, after), (before, after)))
    shape = (framed.shape[0], side + 2 * _PAD, step, side + 2 * _PAD, step)
    planes = np.ascontiguousarray(framed.reshape(shape).transpose(0, 2, 4, 1, 3), dtype=np.float32)
    return Planes(planes, step, (psf.size - 1) // 2, _PAD)


def _envelope(psf: EffectivePsf) -> FloatArray:
    """Largest absolute value over all nodes at or beyond each whole Chebyshev distance, falling."""
    peak = np.abs(psf.stamps).max(axis=(0, 1))
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


@numba.njit(cache=True, nogil=True, fastmath=True)
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


@numba.njit(cache=True, nogil=True)
def spline_weights(t: float, order: int) -> tuple[float, float, float, float]:
    """Cubic B-spline weights (order 0), or their derivative (order 1), of the coefficients around a point."""
    s = 1.0 - t
    if order == 0:
        return s**3 / 6, (4 - 6 * t * t + 3 * t**3) / 6, (4 - 6 * s * s + 3 * s**3) / 6, t**3 / 6
    return -s * s / 2, (3 * t * t - 4 * t) / 2, (4 * s - 3 * s * s) / 2, t * t / 2


@numba.njit(cache=True, nogil=True)
def locate(first: int, position: float, planes: Planes) -> tuple[int, float]:
    """Padded coefficient index before pixel ``first`` of a star at ``position``, and the phase beyond it."""
    at = planes.centre + planes.step * (first - position)
    cell = int(np.floor(at))
    return cell + planes.pad * planes.step, at - cell


@numba.njit(cache=True, nogil=True, fastmath=True)
def add_row(
    psf: Planes,
    row: int,
    column: int,
    weights: tuple[tuple[float, float, float, float], tuple[float, float, float, float]],
    line: Float32Array,
) -> None:
    """Add the values of the PSF in one row of pixels, ``row`` and ``column`` being those of `locate`."""
    step, coefficient = psf.step, psf.coefficient
    p0, p1, p2, p3 = column % step, (column + 1) % step, (column + 2) % step, (column + 3) % step
    i0, i1, i2, i3 = column // step, (column + 1) // step, (column + 2) // step, (column + 3) // step
    n = line.size
    wx, wy = weights
    for b in range(4):
        planes, r = coefficient[(row + b) % step], (row + b) // step
        w0, w1 = np.float32(wy[b] * wx[0]), np.float32(wy[b] * wx[1])
        w2, w3 = np.float32(wy[b] * wx[2]), np.float32(wy[b] * wx[3])
        c0, c1 = planes[p0, r, i0 : i0 + n], planes[p1, r, i1 : i1 + n]
        c2, c3 = planes[p2, r, i2 : i2 + n], planes[p3, r, i3 : i3 + n]
        for i in range(n):
            line[i] += (w0 * c0[i] + w1 * c1[i]) + (w2 * c2[i] + w3 * c3[i])


@numba.njit(cache=True, nogil=True)
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
    weights = (spline_weights(u, order[0]), spline_weights(v, order[1]))
    out[:] = np.float32(0.0)
    for j in range(STAMP):
        add_row(psf, row + step * j, column, weights, out[j])
    if order != (0, 0):
        out *= np.float32(float(step) ** (order[0] + order[1]))
    if half < STAMP // 2:
        _clear_beyond((i0 - at[0], j0 - at[1]), half, out)


@numba.njit(cache=True, nogil=True)
def _clear_beyond(offset: tuple[float, float], half: float, out: Float32Array) -> None:
    """Zero what lies beyond the support of the PSF; ``offset`` is that of the first pixel."""
    for k in range(STAMP):
        if abs(offset[0] + k) > half:
            out[:, k] = np.float32(0.0)
        if abs(offset[1] + k) > half:
            out[k, :] = np.float32(0.0)
