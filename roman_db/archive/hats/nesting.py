"""Light curves of objects as nested columns: one row an object, its points as lists of equal length.

That is a struct of lists, which nested-pandas and LSDB take for a nested table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roman_db.compiled import compiled

IntArray = npt.NDArray[np.int64]

#: Columns of points, in their order, with their types; the names are those of ``roman.light_curve``.
POINT = {
    "optical_element": pa.string(),
    "exposure_id": pa.int64(),
    "midpoint_mjd_tdb": pa.float64(),
    "midpoint_bjd_tdb": pa.float64(),
    "flux": pa.float32(),
    "flux_err": pa.float32(),
    "flags": pa.int32(),
}


@dataclass(frozen=True)
class Blocks:
    """Exposures of blocks, one after the other in the order in which a light curve has them.

    Parameters
    ----------
    block_id
        Blocks, shape (n,): by optical element, then by their days.
    start
        Where the exposures of each begin, and the end of the last, shape (n + 1,).
    element
        Optical element of each exposure, a dictionary array of shape (m,).
    exposure_id, mjd, bjd
        Exposures and their midpoints, MJD TDB and BJD TDB, shape (m,).
    """

    block_id: IntArray
    start: IntArray
    element: pa.DictionaryArray
    exposure_id: IntArray
    mjd: npt.NDArray[np.float64]
    bjd: npt.NDArray[np.float64]

    @classmethod
    def of(cls, table: pa.Table) -> Blocks:
        """Blocks from the rows of ``queries/exports/hats/block.sql``."""
        table = table.sort_by(
            [("optical_element", "ascending"), ("start_mjd", "ascending"), ("block_id", "ascending")]
        ).combine_chunks()
        lists = {
            name: _whole(table[name]) for name in ("exposure_id", "midpoint_mjd_tdb", "midpoint_bjd_tdb")
        }
        start = _offsets(lists["exposure_id"])
        element = _whole(table["optical_element"]).dictionary_encode()
        repeated = np.repeat(element.indices.to_numpy(), np.diff(start))
        return cls(
            table["block_id"].to_numpy(),
            start,
            pa.DictionaryArray.from_arrays(pa.array(repeated), element.dictionary),
            *(values.flatten().to_numpy() for values in lists.values()),
        )


def nest(object_id: IntArray, segments: pa.Table, blocks: Blocks) -> tuple[pa.StructArray, IntArray]:
    """Light curves of objects from their segments.

    A point is left out where its flux is NaN and no flag is set, as in ``roman.light_curve``.

    Parameters
    ----------
    object_id
        Objects in the order of the rows, shape (n,).
    segments
        Rows of ``queries/exports/hats/light_curve_segment.sql``, in any order, of these objects alone.
    blocks
        Exposures of all their blocks.

    Returns
    -------
    tuple
        Light curves, a struct of lists with the columns `POINT`, of n rows, and the number of segments of
        each object.

    Raises
    ------
    ValueError
        If a segment has not as many fluxes as its block has exposures.
    """
    row = _places(object_id, segments["object_id"].to_numpy())
    block = _places(blocks.block_id, segments["block_id"].to_numpy())
    order = np.lexsort((block, row))
    flux, flux_err = (_whole(segments[name]) for name in ("flux", "flux_err"))
    first, size = _offsets(flux), np.diff(_offsets(flux))
    _check_lengths(segments, size, np.diff(_offsets(flux_err)), np.diff(blocks.start)[block])
    flags = _expanded(_whole(segments["flag_run"]), first)
    values = flux.flatten().to_numpy(), flux_err.flatten().to_numpy(), flags
    kept, epoch, n_point = _chosen(order, first, blocks.start[block], values[0], flags)
    of_object = np.bincount(row[order], n_point, object_id.size)
    offset = np.concatenate([[0], np.cumsum(of_object)]).astype(np.int32)
    columns = {
        "optical_element": blocks.element.take(pa.array(epoch)).cast(pa.string()),
        "exposure_id": blocks.exposure_id[epoch],
        "midpoint_mjd_tdb": blocks.mjd[epoch],
        "midpoint_bjd_tdb": blocks.bjd[epoch],
        "flux": values[0][kept],
        "flux_err": values[1][kept],
        "flags": values[2][kept],
    }
    return _struct(offset, columns), np.bincount(row, minlength=object_id.size)


def _struct(offset: npt.NDArray[np.int32], columns: Mapping[str, object]) -> pa.StructArray:
    """Struct of lists that share where they begin."""
    where = pa.array(offset)
    lists = [pa.ListArray.from_arrays(where, pa.array(columns[name], kind)) for name, kind in POINT.items()]
    return pa.StructArray.from_arrays(lists, names=list(POINT))


def _places(known: IntArray, wanted: IntArray) -> IntArray:
    """Where numbers stand among others that hold all of them."""
    sorter = np.argsort(known, kind="stable")
    return sorter[np.searchsorted(known, wanted, sorter=sorter)]


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Column in one piece that begins at its beginning."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _offsets(lists: pa.ListArray) -> IntArray:
    """Where lists begin in their flattened values, and the end of the last."""
    size = np.diff(lists.offsets.to_numpy()).astype(np.int64)
    if lists.null_count:
        size[lists.is_null().to_numpy(zero_copy_only=False)] = 0
    return np.concatenate([[0], np.cumsum(size)])


def _check_lengths(segments: pa.Table, flux: IntArray, flux_err: IntArray, epochs: IntArray) -> None:
    """Raise if a segment does not fit its block."""
    wrong = np.flatnonzero((flux != epochs) | (flux_err != epochs))
    if wrong.size:
        at = int(wrong[0])
        object_id, block_id = (segments[name][at].as_py() for name in ("object_id", "block_id"))
        raise ValueError(
            f"object {object_id} has {flux[at]} fluxes and {flux_err[at]} errors in block {block_id}, "
            f"which has {epochs[at]} exposures: run roman-db audit"
        )


def _expanded(runs: pa.ListArray, first: IntArray) -> npt.NDArray[np.int32]:
    """Flags of all points of segments that begin at ``first``."""
    flags = np.zeros(first[-1], np.int32)
    _set_flags(runs.flatten().to_numpy(), _offsets(runs), first, flags)
    return flags


@compiled()
def _set_flags(runs: IntArray, begin: IntArray, first: IntArray, flags: npt.NDArray[np.int32]) -> None:
    """Write runs, each first * 2^32 + length * 2^16 + bits, into the flags of their segments."""
    for segment in range(first.size - 1):
        for at in range(begin[segment], begin[segment + 1]):
            start = first[segment] + (runs[at] >> 32)
            end = min(start + ((runs[at] >> 16) & 65535), first[segment + 1])
            flags[start:end] = runs[at] & 65535


@compiled()
def _chosen(
    order: IntArray, first: IntArray, epoch: IntArray, flux: npt.NDArray[np.float32], flags: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Points that are kept in order, the exposure of each, and how many there are of each segment."""
    kept = np.empty(flux.size, np.int64)
    exposure = np.empty(flux.size, np.int64)
    n_point = np.zeros(order.size, np.int64)
    total = 0
    for at in range(order.size):
        segment = order[at]
        for point in range(first[segment], first[segment + 1]):
            if flux[point] == flux[point] or flags[point] != 0:
                kept[total] = point
                exposure[total] = epoch[segment] + point - first[segment]
                n_point[at] += 1
                total += 1
    return kept[:total], exposure[:total], n_point
