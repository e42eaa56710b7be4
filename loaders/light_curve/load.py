"""Blocks, segments and summaries into the database."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.light_curve.block import (
    NONE,
    BlockKey,
    BlockPhotometry,
    Epochs,
    Int64Array,
    MeasurementMatrix,
)
from loaders.light_curve.encode import SegmentRows, encode_segments
from loaders.light_curve.flag_run import encode_flag_run
from loaders.light_curve.summary import SummaryArray, summarise
from loaders.rejection import Rejected
from roman_db.bulk import copy_rows, copy_stream
from roman_db.copy_binary import HEADER, TRAILER
from roman_db.schema.metadata import table

#: What runs touch that rewrite partitions: one of them works at a time.
PARTITIONS = "partitions"
#: Columns of the segment tables after the key, in the order in which `encode_segments` writes them.
ARRAY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "light_curve_segment": ("flux", "flux_err"),
    "astrometry_segment": ("offset_ra", "offset_dec", "offset_ra_err", "offset_dec_err"),
    "shape_segment": ("size_excess", "e1", "e2", "size_excess_err", "e1_err", "e2_err", "reduced_chi2"),
}


#: Whether some objects have their light curves on shards.
HAS_SHARDS = "EXISTS (SELECT FROM ops.shard_range)"


@dataclass(frozen=True)
class BlockContext:
    """Whence a block comes: its run, the catalog it used, and the flags that exclude points."""

    load_run_id: int
    catalog_version_id: int
    excluding_flags: int


@dataclass(frozen=True)
class BlockSize:
    """How much a block holds: objects with a segment, and points whose flux is not NaN."""

    n_object: int
    n_point: int


@dataclass(frozen=True)
class NewBlock:
    """A block to be written.

    Parameters
    ----------
    key, epochs
        What it is of.
    photometry
        Gives its photometry; called once, when its turn comes, so that many blocks need not fit in memory.
    """

    key: BlockKey
    epochs: Epochs
    photometry: Callable[[], BlockPhotometry]


@dataclass(frozen=True)
class BlockPlace:
    """Where a new block goes.

    Parameters
    ----------
    block_id, start_mjd
        Its key.
    place
        Place of its rows, ``roman_partition.<table>_<place>``.
    has_shards
        Whether rows of some objects go to other servers.
    """

    block_id: int
    start_mjd: int
    place: str
    has_shards: bool

    def partition(self, name: str) -> str:
        """Full name of the partition of a table, for COPY to write to without routing row by row."""
        return f"roman_partition.{name}_{self.place}"


@dataclass(frozen=True)
class StoredBlock:
    """A current block."""

    block_id: int
    start_mjd: int
    exposure_id: tuple[int, ...]


def write_block(
    connection: sa.Connection,
    key: BlockKey,
    epochs: Epochs,
    photometry: BlockPhotometry,
    context: BlockContext,
) -> int:
    """Store one block as `write_blocks` does, and return its identifier."""
    return write_blocks(connection, [NewBlock(key, epochs, lambda: photometry)], context)[0]


def write_blocks(
    connection: sa.Connection,
    blocks: Sequence[NewBlock],
    context: BlockContext,
    withdrawn: Sequence[int] = (),
) -> list[int]:
    """Store blocks with their segments and summaries, in place of current blocks of the same exposures.

    Two writers of the same detector, optical element and kind take turns, so that neither misses the other.

    Parameters
    ----------
    blocks
        Blocks of one detector, optical element and kind, in order of their days.
    context
        Whence they come.
    withdrawn
        Exposures not among the new ones that the blocks which are replaced may hold all the same.

    Returns
    -------
    list of int
        The identifiers of the new blocks.

    Raises
    ------
    ValueError
        If a current block of the kind holds some but not all of its exposures among the new and the withdrawn
        ones: replacing it would lose points. Or if the photometry of a block has another number of epochs.
    """
    key = blocks[0].key
    _take_turns(connection, key)
    # All windows are kept from compaction before any row of a block is locked: compaction does the same.
    places = [open_block(connection, block.key.start_mjd) for block in blocks]
    replaced = [block.epochs.exposure_id for block in blocks] + [np.array(withdrawn, np.int64)]
    supersede(connection, key.photometry_kind, np.concatenate(replaced))
    for place, block in zip(places, blocks, strict=True):
        _write(connection, place, block, context)
    return [place.block_id for place in places]


def withdraw_exposures(connection: sa.Connection, key: BlockKey, exposure_id: Sequence[int]) -> None:
    """Mark the blocks of exposures as superseded, with none in their place.

    Raises
    ------
    Rejected
        Code ``block_kept`` if such a block holds other exposures, too.
    """
    _take_turns(connection, key)
    supersede(connection, key.photometry_kind, np.array(exposure_id, np.int64))


def _write(connection: sa.Connection, place: BlockPlace, block: NewBlock, context: BlockContext) -> None:
    """Store one block where it belongs."""
    photometry = block.photometry()
    flux = photometry.segments.flux
    if flux.shape[1] != block.epochs.exposure_id.size:
        raise ValueError(
            f"photometry of {flux.shape[1]} epochs for {block.epochs.exposure_id.size} exposures"
        )
    size = BlockSize(photometry.object_id.size, int(np.count_nonzero(~np.isnan(flux))))
    insert_block(connection, place.block_id, block.key, block.epochs, size, context)
    write_rows(connection, place, block.epochs, photometry, context.excluding_flags)


def write_rows(
    connection: sa.Connection,
    place: BlockPlace,
    epochs: Epochs,
    photometry: BlockPhotometry,
    excluding_flags: int,
) -> None:
    """Append the segments and summaries of a block to its partitions."""
    # The summaries are computed while the server takes in the segments.
    with ThreadPoolExecutor(1) as pool:
        summaries = pool.submit(
            summarise, photometry.segments, epochs.mjd_tdb, photometry.reference_flux, excluding_flags
        )
        write_segments(connection, place, photometry)
        copy_summaries(connection, place, photometry, summaries.result())


def write_segments(connection: sa.Connection, place: BlockPlace, photometry: BlockPhotometry) -> None:
    """Append the segments of a block to their partitions."""
    for name, rows in segment_rows(place, photometry).items():
        copy_segments(connection, place, name, rows)


def _take_turns(connection: sa.Connection, key: BlockKey) -> None:
    """Wait until no other transaction writes blocks that could hold the same exposures."""
    name = f"{key.photometry_kind} light curves of {key.detector} {key.optical_element}"
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))


def open_block(connection: sa.Connection, day: int) -> BlockPlace:
    """Make room for a new block of a day."""
    query = sa.text(f"SELECT block_id, place, {HAS_SHARDS} FROM ops.open_light_curve_block(:day)")
    block_id, place, has_shards = connection.execute(query, {"day": day}).one()
    return BlockPlace(block_id, day, place, has_shards)


def current_blocks(connection: sa.Connection, kind: str, exposure_id: Int64Array) -> list[StoredBlock]:
    """Blocks of a kind of photometry, not superseded, that hold any of the exposures."""
    query = sa.text("SELECT * FROM ops.current_light_curve_blocks(:kind, CAST(:wanted AS bigint[]))")
    rows = connection.execute(query, {"kind": kind, "wanted": exposure_id.tolist()})
    return [StoredBlock(row[0], row[1], tuple(row[2])) for row in rows]


def supersede(connection: sa.Connection, kind: str, exposure_id: Int64Array) -> None:
    """Mark the current blocks of these exposures as superseded.

    Where a compaction replaces such a block meanwhile, its merged block is found at the next look.
    """
    new = set(exposure_id.tolist())
    blocks = table("roman.light_curve_block")
    while found := current_blocks(connection, kind, exposure_id):
        for block in found:
            if lost := sorted(set(block.exposure_id) - new):
                raise _kept(block.block_id, lost)
        mine = blocks.c.block_id.in_([block.block_id for block in found]) & blocks.c.superseded_at.is_(None)
        connection.execute(blocks.update().where(mine).values(superseded_at=sa.func.now()))


def _kept(block_id: int, lost: Sequence[int]) -> Rejected:
    """Why a stored block stays: points of exposures would be lost that cannot be measured again."""
    some = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
    what = f"stays as it was: its exposures {some} are not among those that were measured again"
    remedy = "See why they were refused, put their files back, then run it again"
    return Rejected(f"light-curve block {block_id}", what, remedy, "block_kept")


def insert_block(
    connection: sa.Connection,
    block_id: int,
    key: BlockKey,
    epochs: Epochs,
    size: BlockSize,
    context: BlockContext,
) -> None:
    """Store the row of a block."""
    row = {
        "block_id": block_id,
        "field_id": key.field_id,
        "detector": key.detector,
        "optical_element": key.optical_element,
        "photometry_kind": key.photometry_kind,
        "start_mjd": key.start_mjd,
        "end_mjd": key.end_mjd,
        "n_epoch": epochs.exposure_id.size,
        "exposure_id": epochs.exposure_id.tolist(),
        "file_id": _nullable(epochs.file_id),
        "psf_model_id": _nullable(epochs.psf_model_id),
        "midpoint_mjd_tdb": epochs.mjd_tdb.tolist(),
        "midpoint_bjd_tdb": epochs.bjd_tdb.tolist(),
        "n_object": size.n_object,
        "n_point": size.n_point,
        "catalog_version_id": context.catalog_version_id,
        "load_run_id": context.load_run_id,
    }
    connection.execute(table("roman.light_curve_block").insert(), row)


def stored_epochs(row: Mapping[str, Any]) -> Epochs:
    """Epochs of a row of ``roman.light_curve_block``."""
    return Epochs(
        np.array(row["exposure_id"], np.int64),
        np.array(row["midpoint_mjd_tdb"], np.float64),
        np.array(row["midpoint_bjd_tdb"], np.float64),
        _identifiers(row["file_id"]),
        _identifiers(row["psf_model_id"]),
    )


def _nullable(identifier: Int64Array) -> list[int | None]:
    """Identifiers as they are stored."""
    return [None if one == NONE else one for one in identifier.tolist()]


def _identifiers(stored: Sequence[int | None]) -> Int64Array:
    """Identifiers from how they are stored."""
    return np.array([NONE if one is None else one for one in stored], np.int64)


def segment_rows(place: BlockPlace, photometry: BlockPhotometry) -> dict[str, SegmentRows]:
    """Rows of the segment tables, by name of the table."""
    key = (place.block_id, place.start_mjd)
    segments = photometry.segments
    fluxes = (segments.flux, segments.flux_err)
    flags = encode_flag_run(segments.flags)
    rows = {"light_curve_segment": SegmentRows(photometry.object_id, *key, fluxes, flags)}
    measured = {"astrometry_segment": photometry.astrometry, "shape_segment": photometry.shape}
    for name, matrix in measured.items():
        if matrix.object_id.size:
            rows[name] = SegmentRows(matrix.object_id, *key, matrix.arrays)
    return rows


def copy_segments(connection: sa.Connection, place: BlockPlace, name: str, rows: SegmentRows) -> int:
    """Append the rows of one segment table to its partition."""
    flags = ["flag_run"] if rows.flag_runs is not None else []
    columns = ["object_id", "block_id", "start_mjd", *ARRAY_COLUMNS[name], *flags]
    with _target(connection, place, name) as target:
        return copy_stream(connection, target, columns, _framed(encode_segments(rows)))


def copy_summaries(
    connection: sa.Connection, place: BlockPlace, photometry: BlockPhotometry, summaries: SummaryArray
) -> int:
    """Append the summaries of a block to its partition."""
    n = photometry.object_id.size
    names: Sequence[str] = summaries.dtype.names or ()
    columns = {
        "object_id": photometry.object_id,
        "block_id": np.full(n, place.block_id, np.int64),
        "start_mjd": np.full(n, place.start_mjd, np.int64),
        **{name: summaries[name] for name in names},
        "reference_flux": photometry.reference_flux,
        "mean_reduced_chi2": photometry.mean_reduced_chi2,
        "mean_crowding": photometry.mean_crowding,
        "mean_background": photometry.mean_background,
    }
    name = "light_curve_summary"
    with _target(connection, place, name) as target:
        return copy_rows(connection, f"roman.{name}", columns, target)


@contextmanager
def _target(connection: sa.Connection, place: BlockPlace, name: str) -> Iterator[str]:
    """Table to copy rows of a block to: its partition, or where some objects are on shards a temporary table.

    COPY would send each row to a shard by itself; from the temporary table they go by the thousand.
    """
    partition = place.partition(name)
    if not place.has_shards:
        yield partition
        return
    staged = f"pg_temp.staged_{name}"
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE staged_{name} (LIKE roman.{name}) ON COMMIT DROP")
    yield staged
    connection.exec_driver_sql(f"INSERT INTO {partition} SELECT * FROM {staged}")
    connection.exec_driver_sql(f"DROP TABLE {staged}")


def empty_measurements(n_epoch: int, n_column: int) -> MeasurementMatrix:
    """Measurements of no object."""
    return MeasurementMatrix(
        np.empty(0, np.int64), [np.empty((0, n_epoch), np.float32) for _ in range(n_column)]
    )


def _framed(chunks: Iterator[memoryview]) -> Iterator[memoryview]:
    """Put header and trailer around the rows."""
    return itertools.chain([memoryview(HEADER)], chunks, [memoryview(TRAILER)])
