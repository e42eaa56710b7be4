"""How significant a star would be at every place: the matched filter over all images.

For residuals r of inverse variance W and a star of unit flux P at some place, the flux that fits best there
is ``Σ W P r / Σ W P²`` with the variance ``1 / Σ W P²``; the sums run over the pixels of all images (e.g.
Zackay & Ofek 2017, ApJ 836, 187, for the sum over images). Light of stars that are modelled already counts as
noise in proportion to the error of the PSF, so that the imperfect subtraction of a bright star is no
detection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from loaders.photometry.joint_fit import FRAME
from loaders.photometry.parallel import Workers
from loaders.photometry.psf_table import STAMP, Float32Array, Planes, PsfTable, blend, fill_stamp
from loaders.photometry.tiling import Grid
from loaders.psf.model import FloatArray
from loaders.wfi.placement import Placement
from roman_db.compiled import compiled

_PHASES = 8
"""Positions within a pixel, along either axis, for which the PSF is tabulated."""

_CORE = slice(STAMP // 2 - 4, STAMP // 2 + 4)
"""Pixels of a stamp that are summed over; what lies beyond holds a few per cent of the information."""

_ROUGH = 1.3
"""Excess of the noise from which it counts: so few nodes do not tell less."""

_CELL = 256
"""Side in pixels of the frame of the cells within which one PSF is used."""


class Residual(NamedTuple):
    """An image less its model, all with a frame of `FRAME` pixels.

    Parameters
    ----------
    weighted
        Shape (ny + 2 FRAME, nx + 2 FRAME): inverse variance times residual.
    weight
        The same shape: inverse variance, 0 where a pixel does not count.
    weighted_light
        The same shape: inverse variance times the light of all modelled stars.
    """

    weighted: Float32Array
    weight: Float32Array
    weighted_light: Float32Array


@dataclass(frozen=True)
class Sums:
    """Sums over all images at every node of the frame, shape (rows, columns).

    ``asked`` is Σ W P r, ``information`` Σ W P², and ``light`` Σ W P L with the light L of modelled stars.
    ``nodes`` is the number of nodes a pixel of the frame along either axis.
    """

    nodes: int
    asked: Float32Array
    information: Float32Array
    light: Float32Array

    @classmethod
    def over(cls, shape: tuple[int, int], nodes: int) -> Sums:
        """Zero sums over the nodes of a frame of given shape in pixels."""
        size = (shape[0] * nodes, shape[1] * nodes)
        return cls(nodes, *(np.zeros(size, dtype=np.float32) for _ in range(3)))

    def signal_to_noise(self, psf_error: float, halo_error: float, halo: float) -> Float32Array:
        """Best flux of a star at every node over its standard error, modelled light being uncertain.

        Parameters
        ----------
        psf_error
            Error of the modelled light, as a fraction of it at the place itself.
        halo_error
            The same, as a fraction of the brightest star around.
        halo
            How far that star may be, pixels of the frame along either axis.
        """
        information = np.where(self.information > 0, self.information, np.float32(np.inf))
        brightest = maximum_filter(self.light / information, size=2 * round(halo * self.nodes) + 1)
        doubt = psf_error * self.light + halo_error * self.information * brightest
        return np.asarray(self.asked / np.sqrt(information + doubt**2), dtype=np.float32)


def excess_noise(significance: Float32Array, seen: npt.NDArray[np.bool_], cell: int) -> Float32Array:
    """By how much noise is larger than it should be, as the negative side of a map of significance says.

    What is not modelled, as the wings of stars beyond the edge, and what a wrong PSF leaves, makes the map
    rough. Its bright side is taken for stars and fitted away; the dark side stays.

    Parameters
    ----------
    significance
        Shape (rows, columns): best flux of a star at every node over its standard error.
    seen
        The same shape: nodes that some image shows.
    cell
        Side of the cells, nodes.

    Returns
    -------
    ndarray
        The same shape: how far the percentile that is one standard deviation below zero lies there, or half
        of that of two, in the cell and half a cell around; 1 where that is less than 1.3, as by chance.
    """
    rows, columns = (-(-length // cell) for length in significance.shape)
    out = np.ones((rows, columns), dtype=np.float32)
    for j, i in np.ndindex(rows, columns):
        part = np.s_[
            max(j * cell - cell // 2, 0) : (j + 1) * cell + cell // 2,
            max(i * cell - cell // 2, 0) : (i + 1) * cell + cell // 2,
        ]
        values = significance[part][seen[part]]
        if values.size > cell:
            low, lower = np.percentile(values, [15.8655, 2.275])
            rough = max(-float(low), -float(lower) / 2)
            out[j, i] = rough if rough > _ROUGH else 1.0
    return np.asarray(
        np.kron(out, np.ones((cell, cell), np.float32))[: significance.shape[0], : significance.shape[1]]
    )


def nodes_along(count: int, nodes: int) -> FloatArray:
    """Coordinates in pixels of that many nodes along an axis."""
    return np.asarray((np.arange(count) + 0.5) / nodes - 0.5)


def add_image(
    sums: Sums,
    residual: Residual,
    psf: tuple[PsfTable, tuple[float, float]],
    place: Placement,
    workers: Workers,
) -> None:
    """Add what an image says of a star at every node.

    Parameters
    ----------
    sums
        Sums over the nodes of the frame, updated.
    residual
        The image.
    psf
        Its PSF, and the detector coordinates (x, y) of its pixel (0, 0).
    place
        Map from the frame to the image.
    workers
        Threads.
    """
    rows, columns = sums.asked.shape
    grid = Grid((rows, columns), _CELL * sums.nodes)
    x, y = ((centre + 0.5) / sums.nodes - 0.5 for centre in grid.centres())
    table, origin = psf
    u, v = place(np.minimum(x, columns / sums.nodes - 1), np.minimum(y, rows / sums.nodes - 1))
    nodes = table.nodes(u + origin[0], v + origin[1])
    buffer = np.empty(table.core.coefficient.shape[1:], dtype=np.float32)
    along_x, along_y = nodes_along(columns, sums.nodes), nodes_along(rows, sums.nodes)
    for cell in range(x.size):
        row, column = (k * grid.size for k in divmod(cell, grid.columns))
        part = np.s_[row : row + grid.size, column : column + grid.size]
        at = place.grid(along_x[part[1]], along_y[part[0]])
        stamps = _tabulate(blend(table.core, nodes, cell, buffer))
        out = (sums.asked[part], sums.information[part], sums.light[part])
        workers.run(_add_rows, at[0].shape[0], at, stamps, residual, out)


def _tabulate(psf: Planes) -> Float32Array:
    """The core of the PSF at all phases, shape (_PHASES, _PHASES, 8, 8), axes (phase y, phase x, y, x)."""
    stamp = np.empty((STAMP, STAMP), dtype=np.float32)
    size = _CORE.stop - _CORE.start
    out = np.empty((_PHASES, _PHASES, size, size), dtype=np.float32)
    for j in range(_PHASES):
        for i in range(_PHASES):
            fill_stamp(psf, ((i + 0.5) / _PHASES, (j + 0.5) / _PHASES), (0, 0), stamp)
            out[j, i] = stamp[_CORE, _CORE]
    return out


@compiled(fastmath=True)
def _add_rows(
    begin: int,
    end: int,
    at: tuple[FloatArray, FloatArray],
    stamps: Float32Array,
    residual: Residual,
    out: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]],
) -> None:
    """Sums at the nodes of some rows whose places in the image are given; nodes off the image get nothing."""
    asked, information, light = out
    size = stamps.shape[-1]
    before = size // 2 - 1
    ny, nx = residual.weight.shape[0] - 2 * FRAME, residual.weight.shape[1] - 2 * FRAME
    for j in range(begin, end):
        for i in range(at[0].shape[1]):
            x, y = at[0][j, i], at[1][j, i]
            if not (-0.5 <= x < nx - 0.5 and -0.5 <= y < ny - 0.5):
                continue
            column, row = int(np.floor(x)), int(np.floor(y))
            stamp = stamps[int((y - row) * _PHASES), int((x - column) * _PHASES)]
            top, left = row - before + FRAME, column - before + FRAME
            a, b, c = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for q in range(size):
                wr = residual.weighted[top + q, left : left + size]
                w = residual.weight[top + q, left : left + size]
                wl = residual.weighted_light[top + q, left : left + size]
                p = stamp[q]
                for k in range(size):
                    a += wr[k] * p[k]
                    b += w[k] * p[k] * p[k]
                    c += wl[k] * p[k]
            asked[j, i] += a
            information[j, i] += b
            light[j, i] += c
