"""Tiles of the sky: which there are, where they lie, and what of the sky around them they need.

A tile is a nested HEALPix pixel, as the IVOA's note on HATS 1.0 has it (Hierarchical Adaptive Tiling Scheme,
2025-08-22). Objects are stored by ``object_id``, the pixel of order 29 in which they were first catalogued,
so that a tile is a range of identifiers, but for those that have moved since.
"""

from __future__ import annotations

from dataclasses import dataclass

import cdshealpix.nested
import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

#: Order of identifiers and of ``_healpix_29``.
FINEST = 29
#: How far an object may have moved from the place of its identifier, arcsec.
DRIFT = 5.0
#: Order of pixels that are less than that across, wherever they are.
WITHIN = 18
#: Side of a square with the area of a pixel of order 0, arcsec.
_SIDE = np.sqrt(4 * np.pi / 12) * 180 / np.pi * 3600
#: Least width of a pixel over that side: where pixels are most distorted, in the polar caps; and up to this
#: sine of the declination, where they are rhombi in longitude and sine (Gorski et al. 2005, ApJ 622, 759).
_NARROWEST, _NARROWEST_AT_EQUATOR, _EQUATOR = 0.4, 0.95, 0.65
#: Order from which on a tile is less than half a degree wide.
_SMALL = 7


@dataclass(frozen=True, order=True)
class Tile:
    """A nested HEALPix pixel."""

    order: int
    pixel: int

    @property
    def ids(self) -> tuple[int, int]:
        """First pixel of order 29 in the tile, and the first after it."""
        shift = 2 * (FINEST - self.order)
        return self.pixel << shift, (self.pixel + 1) << shift

    @property
    def path(self) -> str:
        """Path of its file below ``dataset``."""
        return f"Norder={self.order}/Dir={self.pixel // 10_000 * 10_000}/Npix={self.pixel}.parquet"


def divide(order: int, cells: IntArray, weight: IntArray, limit: int) -> list[Tile]:
    """Tiles that hold all cells, each as large as its weight allows.

    Parameters
    ----------
    order
        Order of the cells, and the highest of a tile, which may then weigh more than the limit.
    cells
        Pixels of that order, ascending, shape (n,).
    weight
        What they hold, such as rows, shape (n,).
    limit
        Most that a tile should hold.

    Returns
    -------
    list of Tile
        In the order of their pixels on the sky; no two overlap.
    """
    tiles = []
    for level in range(order + 1):
        if cells.size == 0:
            break
        parent = cells >> 2 * (order - level)
        pixel, first = np.unique(parent, return_index=True)
        fits = (np.add.reduceat(weight, first) <= limit) | (level == order)
        tiles += [Tile(level, int(one)) for one in pixel[fits]]
        rest = ~fits[np.searchsorted(pixel, parent)]
        cells, weight = cells[rest], weight[rest]
    return sorted(tiles, key=lambda tile: tile.ids)


def with_neighbours(order: int, cells: IntArray, weight: IntArray, reach: float) -> tuple[IntArray, IntArray]:
    """Cells and those around them up to a distance in arcsec, which weigh nothing; ascending."""
    around = cells
    for _ in range(int(np.ceil(reach / _width(order)))):
        around = np.union1d(around, _neighbours(around, order))
    heavy = np.zeros(around.size, np.int64)
    heavy[np.searchsorted(around, cells)] = weight
    return around, heavy


def surroundings(tile: Tile, reach: float) -> IntArray:
    """Ranges of pixels of order 29 that hold a tile and all within a distance of it, and some more.

    Parameters
    ----------
    reach
        Distance, arcsec; 0 for the tile alone.

    Returns
    -------
    Array
        Half-open ranges, ascending, shape (n, 2).
    """
    if reach == 0:
        return np.array([tile.ids], np.int64)
    order = _order_of(tile, reach)
    if tile.order < order:
        edge, corner = cdshealpix.nested.external_neighbours(
            np.array([tile.pixel]), tile.order, order - tile.order
        )
        around = np.concatenate([edge.ravel().astype(np.int64), corner.ravel().astype(np.int64)])
    else:
        core = np.array([tile.pixel >> 2 * (tile.order - order)], np.int64)
        around = np.union1d(core, _neighbours(core, order))
    first = around[around >= 0] << 2 * (FINEST - order)
    ranges = np.stack([first, first + (1 << 2 * (FINEST - order))], axis=1)
    return _joined(np.concatenate([ranges, [tile.ids]]))


def occupied(ranges: IntArray, order: int, cells: IntArray) -> IntArray:
    """Ranges without those that hold nothing of the cells, ascending, that there are."""
    shift = 2 * (FINEST - order)
    first = np.searchsorted(cells, ranges[:, 0] >> shift)
    last = np.searchsorted(cells, (ranges[:, 1] - 1) >> shift, side="right")
    return ranges[first < last]


def contains(ranges: IntArray, pixels: IntArray) -> npt.NDArray[np.bool_]:
    """Whether pixels of order 29 are in ranges, which are ascending and do not overlap."""
    if len(ranges) == 0:
        return np.zeros(pixels.size, np.bool_)
    place = np.searchsorted(ranges[:, 0], pixels, side="right") - 1
    return np.asarray((place >= 0) & (pixels < ranges[np.maximum(place, 0), 1]))


def _width(order: int, share: float = _NARROWEST) -> float:
    """Width that pixels of an order have at least, arcsec."""
    return float(share * _SIDE / 2**order)


def _order_of(tile: Tile, width: float) -> int:
    """Highest order whose pixels around a tile are as wide as that, arcsec, or order 0."""
    lat = cdshealpix.nested.vertices(np.array([tile.pixel]), tile.order)[1].rad
    # A small tile and the pixels around it are all on one side of the border.
    at_equator = tile.order >= _SMALL and np.abs(np.sin(lat)).max() < _EQUATOR
    share = _NARROWEST_AT_EQUATOR if at_equator else _NARROWEST
    return max(order for order in range(FINEST + 1) if order == 0 or _width(order, share) >= width)


def _neighbours(cells: IntArray, order: int) -> IntArray:
    """Cells and their neighbours, with repetitions."""
    found = np.asarray(cdshealpix.nested.neighbours(cells.astype(np.uint64), order), np.int64).ravel()
    return found[found >= 0]


def _joined(ranges: IntArray) -> IntArray:
    """Ranges, ascending, those that touch or overlap as one."""
    ranges = ranges[np.argsort(ranges[:, 0])]
    end = np.maximum.accumulate(ranges[:, 1])
    begins = np.flatnonzero(np.r_[True, ranges[1:, 0] > end[:-1]])
    return np.stack([ranges[begins, 0], end[np.r_[begins[1:] - 1, len(ranges) - 1]]], axis=1)
