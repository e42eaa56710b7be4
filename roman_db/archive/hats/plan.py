"""Which tiles a catalog has, and what the content of each follows from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roman_db.archive.hats.storage import Cells
from roman_db.archive.hats.tile import (
    DRIFT,
    FINEST,
    Tile,
    contains,
    divide,
    occupied,
    surroundings,
    with_neighbours,
)
from roman_db.archive.hats.tile_file import Record, Work

IntArray = npt.NDArray[np.int64]

#: Raised when files of the same rows would be written otherwise.
_FORMAT = 1


def plan(cells: Cells, limit: int, margin: float, schema: pa.Schema) -> list[Work]:
    """Tiles of a catalog, in the order of their pixels on the sky.

    Parameters
    ----------
    cells
        What is where.
    limit
        Most that a tile should weigh.
    margin
        Width of the margin, arcsec; 0 for none.
    schema
        Stored schema of the files.
    """
    heavy = cells.weight > 0
    around, weight = with_neighbours(cells.order, cells.cell[heavy], cells.weight[heavy], DRIFT)
    basis = f"{_FORMAT} {margin!r} {schema.to_string(show_field_metadata=True)}"
    tiles = divide(cells.order, around, weight, limit)
    works = (_work(tile, cells, margin, basis) for tile in tiles)
    return [work for work in works if work.ids.size]


def _work(tile: Tile, cells: Cells, margin: float, basis: str) -> Work:
    """What is to be done for a tile, and the version of its content."""
    ids = occupied(surroundings(tile, margin + DRIFT), cells.order, cells.cell)
    shift = 2 * (FINEST - cells.order)
    first = np.searchsorted(cells.cell, ids[:, 0] >> shift)
    end = np.searchsorted(cells.cell, (ids[:, 1] - 1) >> shift, side="right")
    held = np.unique(np.concatenate([np.arange(0), *map(np.arange, first, end)])).astype(np.int64)
    digest = np.bitwise_xor.reduce(cells.digest[held]) if held.size else 0
    content = f"{basis} {digest} {held.size} {cells.weight[held].sum()}"
    version = hashlib.sha256(content.encode()).hexdigest()[:32]
    own = contains(np.array([tile.ids]), cells.cell << shift)
    around = surroundings(tile, margin) if margin else np.zeros((0, 2), np.int64)
    return Work(tile, ids, around, int(cells.weight[own].sum()), version)


def with_strays(works: Sequence[Work], records: Iterable[Record], order: int, margin: float) -> list[Work]:
    """Tiles with the objects that they would not find, as these have moved far.

    Where no tile is, one of an order is added: it holds nothing else.
    """
    far = [(object_id, pixel, record.version) for record in records for object_id, pixel in record.far]
    if not far:
        return list(works)
    pixel = np.array([one[1] for one in far], np.int64)
    tiles = np.array([work.tile.ids for work in works], np.int64)
    shift = 2 * (FINEST - order)
    new = [Tile(order, int(one)) for one in np.unique(pixel[~contains(tiles, pixel)] >> shift)]
    nothing = np.zeros((0, 2), np.int64)
    added = [Work(tile, nothing, surroundings(tile, margin) if margin else nothing, 0, "") for tile in new]
    return [_with_strays(work, far) for work in (*works, *added)]


def _with_strays(work: Work, far: Sequence[tuple[int, int, str]]) -> Work:
    """Tile with those of some objects that belong to it or to its margin."""
    object_id, pixel = (np.array([one[place] for one in far], np.int64) for place in (0, 1))
    here = contains(np.array([work.tile.ids]), pixel)
    here |= contains(work.margin, pixel)
    here &= ~contains(work.ids, object_id)
    strays = tuple(sorted((far[at][0], far[at][2]) for at in np.flatnonzero(here).tolist()))
    return replace(work, strays=strays)
