"""Blocks, segments and summaries into the database."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from loaders.light_curve.block import BlockKey, BlockPhotometry, Epochs, Int64Array, MeasurementMatrix
from loaders.light_curve.encode import SegmentRows, encode_segments
from loaders.light_curve.flag_run import encode_flag_run
from loaders.light_curve.summary import SummaryArray, summarise
from roman_db.bulk import copy_rows, copy_stream
from roman_db.copy_binary import HEADER, TRAILER
from roman_db.schema.metadata import table

#: Columns of the segment tables after the key, in the order in which `encode_segments` writes them.
ARRAY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "light_curve_segment": ("flux", "flux_err"),
    "astrometry_segment": ("offset_ra", "offset_dec", "offset_ra_err", "offset_dec_err"),
    "shape_segment": ("size_excess", "e1", "e2", "size_excess_err", "e1_err", "e2_err", "reduced_chi2"),
}


@dataclass(frozen=True)
class BlockContext:
    """Whence a block comes: its run, the catalog it used, and the flags that exclude points."""

    load_run_id: int
    catalog_version_id: int
    excluding_flags: int


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
    """Store one block with its segments and summaries, in place of current blocks of the same exposures.

    Returns
    -------
    int
        The new block's identifier.

    Raises
    ------
    ValueError
        If a current block of the kind holds some but not all of its exposures among the new ones: replacing
        it would lose points.
    """
    connection.execute(sa.select(sa.func.ops.ensure_light_curve_partition(key.start_mjd)))
    supersede(connection, key.photometry_kind, epochs.exposure_id)
    block_id = insert_block(connection, key, epochs, photometry.object_id.size, context)
    for name, rows in segment_rows(block_id, key.start_mjd, photometry).items():
        copy_segments(connection, partition_of(connection, name, key.start_mjd), name, rows)
    summaries = summarise(
        photometry.segments, epochs.mjd_tdb, photometry.reference_flux, context.excluding_flags
    )
    target = partition_of(connection, "light_curve_summary", key.start_mjd)
    copy_summaries(connection, target, (block_id, key.start_mjd), photometry, summaries)
    return block_id


def current_blocks(connection: sa.Connection, kind: str, exposure_id: Int64Array) -> list[StoredBlock]:
    """Blocks of a kind of photometry, not superseded, that hold any of the exposures."""
    blocks = table("roman.light_curve_block")
    wanted = sa.cast(sa.bindparam("wanted", exposure_id.tolist()), sa.ARRAY(sa.BigInteger))
    query = sa.select(blocks.c.block_id, blocks.c.start_mjd, blocks.c.exposure_id).where(
        blocks.c.exposure_id.op("&&")(wanted),
        blocks.c.photometry_kind == kind,
        blocks.c.superseded_at.is_(None),
    )
    return [StoredBlock(row[0], row[1], tuple(row[2])) for row in connection.execute(query)]


def supersede(connection: sa.Connection, kind: str, exposure_id: Int64Array) -> None:
    """Mark the current blocks of these exposures as superseded."""
    new = set(exposure_id.tolist())
    blocks = current_blocks(connection, kind, exposure_id)
    for block in blocks:
        if lost := sorted(set(block.exposure_id) - new):
            raise ValueError(
                f"block {block.block_id} holds exposures {lost[:5]} that are not among the new ones: "
                "reprocess all exposures of the block together"
            )
    column = table("roman.light_curve_block").c
    statement = table("roman.light_curve_block").update().values(superseded_at=sa.func.now())
    connection.execute(statement.where(column.block_id.in_([block.block_id for block in blocks])))


def insert_block(
    connection: sa.Connection, key: BlockKey, epochs: Epochs, n_object: int, context: BlockContext
) -> int:
    """Store the row of a block and return its identifier."""
    blocks = table("roman.light_curve_block")
    row = {
        "field_id": key.field_id,
        "detector": key.detector,
        "optical_element": key.optical_element,
        "photometry_kind": key.photometry_kind,
        "start_mjd": key.start_mjd,
        "end_mjd": key.end_mjd,
        "n_epoch": epochs.exposure_id.size,
        "exposure_id": epochs.exposure_id.tolist(),
        "midpoint_mjd_tdb": epochs.mjd_tdb.tolist(),
        "midpoint_bjd_tdb": epochs.bjd_tdb.tolist(),
        "n_object": n_object,
        "catalog_version_id": context.catalog_version_id,
        "load_run_id": context.load_run_id,
    }
    return int(connection.execute(blocks.insert().returning(blocks.c.block_id), row).scalar_one())


def segment_rows(block_id: int, start_mjd: int, photometry: BlockPhotometry) -> dict[str, SegmentRows]:
    """Rows of the segment tables, by name of the table."""
    segments = photometry.segments
    rows = {
        "light_curve_segment": SegmentRows(
            photometry.object_id,
            block_id,
            start_mjd,
            (segments.flux, segments.flux_err),
            encode_flag_run(segments.flags),
        )
    }
    measured = {"astrometry_segment": photometry.astrometry, "shape_segment": photometry.shape}
    for name, matrix in measured.items():
        if matrix.object_id.size:
            rows[name] = SegmentRows(matrix.object_id, block_id, start_mjd, matrix.arrays)
    return rows


def partition_of(connection: sa.Connection, name: str, day: int) -> str:
    """Full name of the partition that holds a day, for COPY to write to without routing row by row."""
    query = sa.text(
        "SELECT format('roman_partition.%I', CAST(:name AS text) || '_' || from_mjd || '_' || to_mjd) "
        "FROM ops.light_curve_partition WHERE CAST(:day AS int) >= from_mjd AND CAST(:day AS int) < to_mjd"
    )
    return str(connection.execute(query, {"name": name, "day": day}).scalar_one())


def copy_segments(connection: sa.Connection, target: str, name: str, rows: SegmentRows) -> int:
    """Append the rows of one segment table to a partition."""
    flags = ["flag_run"] if rows.flag_runs is not None else []
    columns = ["object_id", "block_id", "start_mjd", *ARRAY_COLUMNS[name], *flags]
    return copy_stream(connection, target, columns, _framed(encode_segments(rows)))


def copy_summaries(
    connection: sa.Connection,
    target: str,
    key: tuple[int, int],
    photometry: BlockPhotometry,
    summaries: SummaryArray,
) -> int:
    """Append the summaries of a block, whose identifier and first day are the key, to a partition."""
    n = photometry.object_id.size
    names: Sequence[str] = summaries.dtype.names or ()
    columns = {
        "object_id": photometry.object_id,
        "block_id": np.full(n, key[0], np.int64),
        "start_mjd": np.full(n, key[1], np.int64),
        **{name: summaries[name] for name in names},
        "reference_flux": photometry.reference_flux,
        "mean_reduced_chi2": photometry.mean_reduced_chi2,
        "mean_crowding": photometry.mean_crowding,
        "mean_background": photometry.mean_background,
    }
    return copy_rows(connection, "roman.light_curve_summary", columns, target)


def empty_measurements(n_epoch: int, n_column: int) -> MeasurementMatrix:
    """Measurements of no object."""
    return MeasurementMatrix(
        np.empty(0, np.int64), [np.empty((0, n_epoch), np.float32) for _ in range(n_column)]
    )


def _framed(chunks: Iterator[memoryview]) -> Iterator[memoryview]:
    """Put header and trailer around the rows."""
    return itertools.chain([memoryview(HEADER)], chunks, [memoryview(TRAILER)])
