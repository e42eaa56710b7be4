"""Windows of light curves compacted: read in order of objects, written anew, swapped in one transaction."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import psycopg2.extensions
import sqlalchemy as sa

from loaders.light_curve import load as light_curve
from loaders.light_curve.block import BlockKey, BlockPhotometry, Epochs, MeasurementMatrix, epochs_in_order
from loaders.light_curve.decode import DecodedRows, decode_rows
from loaders.light_curve.encode import SegmentRows
from loaders.light_curve.load import ARRAY_COLUMNS, BlockContext
from loaders.light_curve.merge import MergedSegments, MergePlan, merge_means, merge_segments
from loaders.light_curve.summary import SegmentMatrix, summarise
from roman_db.schema.metadata import table

_SUFFIX = "_compacted"
_POINTS_A_CHUNK = 20_000_000
_MEANS = ("reference_flux", "mean_reduced_chi2", "mean_crowding", "mean_background")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class MergedBlock:
    """A new block and how the old ones go into it."""

    block_id: int
    key: BlockKey
    epochs: Epochs
    plan: MergePlan


@dataclass(frozen=True)
class Window:
    """Days [from_mjd, to_mjd) that become one partition; sealed when their season is over."""

    from_mjd: int
    to_mjd: int
    sealed: bool


def compact_window(
    connection: sa.Connection, window: Window, context: BlockContext, progress: Progress
) -> list[MergedBlock]:
    """Merge all blocks of a window that share field, detector, optical element and kind into one each.

    Writers of the window wait; readers see the old rows until the transaction commits. Superseded blocks are
    left behind.
    """
    connection.execute(sa.text("SELECT ops.lock_light_curve_partition(:a, :b)"), _bounds(window))
    merged = _new_blocks(connection, window, context)
    for name in (*ARRAY_COLUMNS, "light_curve_summary"):
        _build(connection, name, window)
    chunks = _object_chunks(connection, window)
    for done, (first, last) in enumerate(chunks):
        _compact_chunk(connection, window, (first, last), merged, context)
        progress(done + 1, len(chunks))
    statement = sa.text("SELECT ops.swap_light_curve_partition(:a, :b, :suffix, :sealed)")
    connection.execute(statement, _bounds(window) | {"suffix": _SUFFIX, "sealed": window.sealed})
    return merged


def windows_to_compact(connection: sa.Connection, before_mjd: int) -> list[Window]:
    """Unsealed windows that end before a day and hold a unit in more than one current block."""
    query = sa.text(
        """
        SELECT DISTINCT p.from_mjd, p.to_mjd, false FROM ops.light_curve_partition p
        JOIN roman.light_curve_block b ON b.start_mjd >= p.from_mjd AND b.start_mjd < p.to_mjd
        WHERE NOT p.sealed AND p.to_mjd <= CAST(:before AS int) AND b.superseded_at IS NULL
        GROUP BY p.from_mjd, p.to_mjd, b.field_id, b.detector, b.optical_element, b.photometry_kind
        HAVING count(*) > 1 ORDER BY p.from_mjd
        """
    )
    return [Window(*row) for row in connection.execute(query, {"before": before_mjd})]


def season_window(connection: sa.Connection, survey: str, season: int) -> Window | None:
    """Window of the partitions that a season touches, to be sealed; None where there are none."""
    query = sa.text(
        """
        SELECT min(p.from_mjd), max(p.to_mjd) FROM ops.light_curve_partition p, roman.season s
        WHERE s.survey = :survey AND s.season = :season AND p.from_mjd < s.end_mjd AND p.to_mjd > s.start_mjd
        """
    )
    row = connection.execute(query, {"survey": survey, "season": season}).one()
    return None if row[0] is None else Window(row[0], row[1], True)


def _new_blocks(connection: sa.Connection, window: Window, context: BlockContext) -> list[MergedBlock]:
    """Supersede the blocks of a window and store the rows of the merged ones."""
    blocks = table("roman.light_curve_block")
    here = (
        blocks.c.start_mjd >= window.from_mjd,
        blocks.c.start_mjd < window.to_mjd,
        blocks.c.superseded_at.is_(None),
    )
    rows = connection.execute(sa.select(blocks).where(*here).order_by(blocks.c.block_id)).all()
    connection.execute(blocks.update().where(*here).values(superseded_at=sa.func.now()))
    units: dict[tuple[object, ...], list[sa.Row[tuple[object, ...]]]] = {}
    for row in rows:
        unit = (row.field_id, row.detector, row.optical_element, row.photometry_kind)
        units.setdefault(unit, []).append(row)
    return [_new_block(connection, members, context) for members in units.values()]


def _new_block(
    connection: sa.Connection, members: Sequence[sa.Row[tuple[object, ...]]], context: BlockContext
) -> MergedBlock:
    """Store the row of one merged block."""
    first = members[0]
    key = BlockKey(
        first.field_id,
        first.detector,
        first.optical_element,
        first.photometry_kind,
        min(row.start_mjd for row in members),
        max(row.end_mjd for row in members),
    )
    epochs, column, start = epochs_in_order([_epochs(row) for row in members])
    plan = MergePlan(np.array([row.block_id for row in members], np.int64), column, start)
    catalog = max(row.catalog_version_id for row in members)
    newest = BlockContext(context.load_run_id, catalog, context.excluding_flags)
    n_object = max(row.n_object for row in members)
    block_id = light_curve.insert_block(connection, key, epochs, n_object, newest)
    return MergedBlock(block_id, key, epochs, plan)


def _epochs(row: sa.Row[tuple[object, ...]]) -> Epochs:
    """Epochs of a stored block."""
    return Epochs(
        np.array(row.exposure_id, np.int64),
        np.array(row.midpoint_mjd_tdb, np.float64),
        np.array(row.midpoint_bjd_tdb, np.float64),
    )


def _build(connection: sa.Connection, name: str, window: Window) -> None:
    """Make one of the tables that will be swapped in."""
    statement = sa.text("SELECT ops.build_light_curve_partition(:name, :target, :a, :b)")
    connection.execute(
        statement, {"name": name, "target": _target(name, window).split(".")[1], **_bounds(window)}
    )


def _target(name: str, window: Window) -> str:
    """Full name of a table that will be swapped in."""
    return f"roman_partition.{name}_{window.from_mjd}_{window.to_mjd}{_SUFFIX}"


def _bounds(window: Window) -> dict[str, int]:
    """Days of a window as parameters."""
    return {"a": window.from_mjd, "b": window.to_mjd}


def _object_chunks(connection: sa.Connection, window: Window) -> list[tuple[int, int]]:
    """Ranges of object_id, both ends included, with about as many points each as fit in memory."""
    query = sa.text(
        """
        WITH size AS (
            SELECT object_id, sum(n_point + n_flagged) AS n FROM roman.light_curve_summary
            WHERE start_mjd >= :a AND start_mjd < :b GROUP BY object_id
        ), numbered AS (
            SELECT object_id, (sum(n) OVER (ORDER BY object_id))::bigint / CAST(:most AS bigint) AS chunk
            FROM size
        )
        SELECT min(object_id), max(object_id) FROM numbered GROUP BY chunk ORDER BY chunk
        """
    )
    rows = connection.execute(query, _bounds(window) | {"most": _POINTS_A_CHUNK})
    return [(int(row[0]), int(row[1])) for row in rows]


def _compact_chunk(
    connection: sa.Connection,
    window: Window,
    objects: tuple[int, int],
    merged: Sequence[MergedBlock],
    context: BlockContext,
) -> None:
    """Rewrite the rows of some objects."""
    decoded = {name: _read_segments(connection, name, window, objects) for name in ARRAY_COLUMNS}
    means = _read_means(connection, window, objects)
    for block in merged:
        photometry = _merge(block, decoded, means)
        if photometry.object_id.size:
            _write(connection, window, block, photometry, context)


def _merge(
    block: MergedBlock, decoded: dict[str, DecodedRows], means: npt.NDArray[np.void]
) -> BlockPhotometry:
    """Merge the rows of one new block."""
    flux = merge_segments(decoded["light_curve_segment"], block.plan)
    mine = means[np.isin(means["block_id"], block.plan.block_id)]
    mean = merge_means(flux.object_id, mine, _MEANS)
    return BlockPhotometry(
        flux.object_id,
        SegmentMatrix(flux.arrays[0], flux.arrays[1], flux.flags),
        mean["reference_flux"],
        _measurements(merge_segments(decoded["astrometry_segment"], block.plan)),
        _measurements(merge_segments(decoded["shape_segment"], block.plan)),
        *(mean[name] for name in _MEANS[1:]),
    )


def _measurements(merged: MergedSegments) -> MeasurementMatrix:
    """Merged segments without flags."""
    return MeasurementMatrix(merged.object_id, merged.arrays)


def _write(
    connection: sa.Connection,
    window: Window,
    block: MergedBlock,
    photometry: BlockPhotometry,
    context: BlockContext,
) -> None:
    """Append the merged rows to the tables that will be swapped in."""
    rows: dict[str, SegmentRows] = light_curve.segment_rows(block.block_id, block.key.start_mjd, photometry)
    for name, segment in rows.items():
        light_curve.copy_segments(connection, _target(name, window), name, segment)
    summaries = summarise(
        photometry.segments, block.epochs.mjd_tdb, photometry.reference_flux, context.excluding_flags
    )
    key = (block.block_id, block.key.start_mjd)
    light_curve.copy_summaries(connection, _target("light_curve_summary", window), key, photometry, summaries)


def _read_segments(
    connection: sa.Connection, name: str, window: Window, objects: tuple[int, int]
) -> DecodedRows:
    """Read the rows of some objects from one segment table."""
    columns = ARRAY_COLUMNS[name]
    has_flags = name == "light_curve_segment"
    selected = ", ".join(("object_id", "block_id", *columns, *(("flag_run",) if has_flags else ())))
    query = (
        f"SELECT {selected} FROM roman.{name} WHERE start_mjd >= {window.from_mjd} "
        f"AND start_mjd < {window.to_mjd} AND object_id BETWEEN {objects[0]} AND {objects[1]}"
    )
    return decode_rows(_copy_out(connection, query), len(columns), has_flags)


def _copy_out(connection: sa.Connection, query: str) -> bytes:
    """Result of a query as a binary COPY stream."""
    raw = cast(psycopg2.extensions.connection, connection.connection.driver_connection)
    buffer = io.BytesIO()
    with raw.cursor() as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", buffer, size=1 << 20)
    return buffer.getvalue()


def _read_means(connection: sa.Connection, window: Window, objects: tuple[int, int]) -> npt.NDArray[np.void]:
    """Read the means of some objects from their summaries; NULL becomes NaN."""
    names = ("object_id", "block_id", "n_point", *_MEANS)
    query = sa.text(
        f"SELECT {', '.join(names)} FROM roman.light_curve_summary "
        "WHERE start_mjd >= :a AND start_mjd < :b AND object_id BETWEEN :first AND :last"
    )
    bounds = _bounds(window) | {"first": objects[0], "last": objects[1]}
    return np.array(list(_without_null(connection.execute(query, bounds))), _means_dtype(names))


def _means_dtype(names: Sequence[str]) -> np.dtype[np.void]:
    """Fields of the means."""
    return np.dtype([(name, "i8" if k < 2 else "f8") for k, name in enumerate(names)])


def _without_null(rows: sa.CursorResult[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """Rows with NaN for NULL."""
    for row in rows:
        yield tuple(np.nan if value is None else value for value in row)
