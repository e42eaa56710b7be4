"""Stars sorted into the square cells of an image, and the neighbours that a cell must know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from loaders.photometry.psf_table import IntArray
from loaders.psf.model import FloatArray
from roman_db.compiled import compiled


@dataclass(frozen=True)
class Grid:
    """Square cells over an image.

    Parameters
    ----------
    shape
        Shape (ny, nx) of the image.
    size
        Pixels along one side of a cell.
    """

    shape: tuple[int, int]
    size: int

    @property
    def rows(self) -> int:
        """Number of rows of cells."""
        return -(-self.shape[0] // self.size)

    @property
    def columns(self) -> int:
        """Number of cells in a row."""
        return -(-self.shape[1] // self.size)

    def cell_of(self, x: FloatArray, y: FloatArray) -> IntArray:
        """Cell (row by row) that holds each position; the nearest one for positions off the image."""
        column = np.clip(np.floor((x + 0.5) / self.size), 0, self.columns - 1).astype(np.int64)
        row = np.clip(np.floor((y + 0.5) / self.size), 0, self.rows - 1).astype(np.int64)
        return row * self.columns + column

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Pixel coordinates x and y of the centre of every cell, row by row."""
        row, column = np.divmod(np.arange(self.rows * self.columns), self.columns)
        return (column + 0.5) * self.size - 0.5, (row + 0.5) * self.size - 0.5

    def colours(self) -> list[IntArray]:
        """Cells in four sets within which no two cells touch: each set may be written to in parallel."""
        row, column = np.divmod(np.arange(self.rows * self.columns), self.columns)
        colour = 2 * (row % 2) + column % 2
        return [np.flatnonzero(colour == k) for k in range(4) if (colour == k).any()]


def starts(cell: IntArray, count: int) -> IntArray:
    """Where each of ``count`` cells begins in a sorted list of cells, shape (count + 1,)."""
    return np.searchsorted(cell, np.arange(count + 1)).astype(np.int64)


class Tiles(NamedTuple):
    """For each tile the stars it solves for.

    Parameters
    ----------
    start
        Shape (n_tile + 1,): where a tile begins in ``member``.
    margin
        Shape (n_tile,): number of members that belong to other tiles; they come first.
    member
        Indices of stars: those within the margin around the tile, then the tile's own.
    own
        Shape (n_tile + 1,): the tile's own stars are ``own[t]:own[t + 1]``.
    """

    start: IntArray
    margin: IntArray
    member: IntArray
    own: IntArray


def build_tiles(grid: Grid, x: FloatArray, y: FloatArray, margin: float) -> Tiles:
    """List the stars of every tile and of the margin around it.

    Parameters
    ----------
    grid
        The tiles.
    x, y
        Shape (n,): positions, sorted by tile.
    margin
        Width of the margin in pixels, less than the size of a tile.
    """
    own = starts(grid.cell_of(x, y), grid.rows * grid.columns)
    count = np.zeros(own.size - 1, dtype=np.int64)
    shape = (grid.rows, grid.columns, grid.size)
    nothing = np.empty(0, dtype=np.int64)
    _list_margins(shape, margin, (x, y, own), (count, nothing, nothing))
    total = count + np.diff(own)
    start = np.concatenate([[0], np.cumsum(total)]).astype(np.int64)
    member = np.empty(start[-1], dtype=np.int64)
    _list_margins(shape, margin, (x, y, own), (count, start, member))
    return Tiles(start, count, member, own)


@compiled()
def _list_margins(
    grid: tuple[int, int, int],
    margin: float,
    stars: tuple[FloatArray, FloatArray, IntArray],
    out: tuple[IntArray, IntArray, IntArray],
) -> None:
    """Count the stars in the margin of every tile and, given room for them, list all members."""
    rows, columns, size = grid
    x, y, own = stars
    count, start, member = out
    for tile in range(rows * columns):
        row, column = tile // columns, tile % columns
        left, top = column * size - 0.5 - margin, row * size - 0.5 - margin
        right, bottom = left + size + 2 * margin, top + size + 2 * margin
        found = 0
        for j in range(max(row - 1, 0), min(row + 2, rows)):
            for i in range(max(column - 1, 0), min(column + 2, columns)):
                neighbour = j * columns + i
                for s in range(own[neighbour], own[neighbour + 1]):
                    inside = left <= x[s] < right and top <= y[s] < bottom
                    if neighbour != tile and inside:
                        if member.size:
                            member[start[tile] + found] = s
                        found += 1
        count[tile] = found
        if member.size:
            for k in range(own[tile + 1] - own[tile]):
                member[start[tile] + found + k] = own[tile] + k
