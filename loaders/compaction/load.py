"""Windows of light curves compacted: read in order of objects, written anew, all seen at one commit."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import psycopg2.extensions
import sqlalchemy as sa

from loaders.astrometry.catalog_states import CatalogStates
from loaders.compaction.catalog_change import Views, restate_offsets, views_of
from loaders.compaction.target import Target
from loaders.light_curve import load as light_curve
from loaders.light_curve.block import BlockKey, BlockPhotometry, Epochs, MeasurementMatrix, epochs_in_order
from loaders.light_curve.decode import DecodedRows, decode_rows, fill_reals
from loaders.light_curve.load import ARRAY_COLUMNS, BlockContext, BlockPlace, BlockSize, stored_epochs
from loaders.light_curve.merge import MergedSegments, MergePlan, merge_means, merge_segments
from loaders.light_curve.summary import SegmentMatrix
from roman_db import session, sqlfile
from roman_db.schema.metadata import table
from roman_db.transactions import wait_for_others

_POINTS_A_CHUNK = 20_000_000
_MEANS = ("reference_flux", "mean_reduced_chi2", "mean_crowding", "mean_background")

#: Told after each chunk of objects: chunks done, chunks in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class MergedBlock:
    """A new block: where its rows go, how old ones go into it, catalog versions of both, how it was seen."""

    place: BlockPlace
    epochs: Epochs
    plan: MergePlan
    catalog_versions: tuple[npt.NDArray[np.int64], int]
    views: Views


@dataclass(frozen=True)
class Window:
    """Days [from_mjd, to_mjd), whole windows of partitions; sealed when their season is over."""

    from_mjd: int
    to_mjd: int
    sealed: bool


def compact_window(
    connection: sa.Connection, window: Window, context: BlockContext, progress: Progress
) -> list[MergedBlock]:
    """Merge all blocks of a window that share field, detector, optical element and kind into one each.

    The window has been prepared (`prepare_windows`). Its writers wait; readers go on and see the old blocks
    until the transaction commits, and those with an older snapshot still see them afterwards, until
    `roman_db.retired_partitions` removes what nobody can see.
    """
    query = sa.text("SELECT generation, place FROM ops.begin_light_curve_compaction(:first, :last, :sealed)")
    bounds = {"first": window.from_mjd, "last": window.to_mjd, "sealed": window.sealed}
    generation, place = connection.execute(query, bounds).one()
    target = Target(generation, place, _last_day(connection, window))
    # Before blocks are merged: what is superseded now was replaced by other points.
    places = {"first": window.from_mjd, "last": window.to_mjd, "last_mjd": target.last_mjd}
    _ask(connection, "replaced_refined", places | {"generation": generation})
    units = _supersede(connection, window)
    merged = [_new_block(connection, members, target, context) for members in units]
    old = np.concatenate([block.plan.block_id for block in merged]) if merged else np.empty(0, np.int64)
    chunks = _object_chunks(connection, window, old)
    n_object = np.zeros(len(merged), np.int64)
    for done, objects in enumerate(chunks):
        n_object += _compact_chunk(connection, _Selection(window, old, objects), merged, context)
        progress(done + 1, len(chunks))
    _note_sizes(connection, merged, n_object)
    return merged


def prepare_windows(windows: Sequence[Window], patience_s: float) -> None:
    """Make room for the merged blocks of windows, and wait until no query is left that would overlook it.

    Raises
    ------
    StillRunning
        If a transaction of the moment still runs after so many seconds; compaction must not begin then.
    """
    statement = sa.text("SELECT ops.prepare_light_curve_compaction(:first, :last)")
    for window in windows:
        with session.transaction() as connection:
            connection.execute(statement, {"first": window.from_mjd, "last": window.to_mjd})
    wait_for_others(patience_s)


def windows_to_compact(connection: sa.Connection, before_mjd: int) -> list[Window]:
    """Unsealed windows that end before a day and hold a unit in more than one current block."""
    query = sa.text(
        """
        SELECT DISTINCT p.from_mjd, p.to_mjd, false FROM ops.light_curve_partition p
        JOIN roman.light_curve_block b ON b.start_mjd >= p.from_mjd AND b.start_mjd < p.to_mjd
        WHERE NOT p.sealed AND p.to_mjd <= CAST(:before AS int) AND b.superseded_at IS NULL
            AND b.detector IS NOT NULL
        GROUP BY p.from_mjd, p.to_mjd, b.field_id, b.detector, b.optical_element, b.photometry_kind
        HAVING count(*) > 1 ORDER BY p.from_mjd
        """
    )
    return [Window(*row) for row in connection.execute(query, {"before": before_mjd})]


def season_window(connection: sa.Connection, survey: str, season: int) -> Window | None:
    """Window of the partitions that a season touches, to be sealed; None where there is nothing to do.

    Partitions that live on for blocks which are not merged, those of mosaics and of others, are never sealed.
    """
    query = sa.text(
        """
        SELECT min(p.from_mjd), max(p.to_mjd),
               coalesce(bool_and(p.sealed) FILTER (WHERE EXISTS (
                   SELECT FROM roman.light_curve_block b
                   WHERE b.start_mjd >= p.from_mjd AND b.start_mjd < p.to_mjd AND b.superseded_at IS NULL
                       AND b.detector IS NOT NULL)), true)
        FROM ops.light_curve_partition p, roman.season s
        WHERE s.survey = :survey AND s.season = :season AND p.from_mjd < s.end_mjd AND p.to_mjd > s.start_mjd
        """
    )
    first, last, sealed = connection.execute(query, {"survey": survey, "season": season}).one()
    if first is None or (sealed and not _has_several(connection, first, last)):
        return None
    return Window(first, last, True)


def _has_several(connection: sa.Connection, first: int, last: int) -> bool:
    """Whether a unit has more than one current block in some days."""
    blocks = table("roman.light_curve_block").c
    unit = (blocks.field_id, blocks.detector, blocks.optical_element, blocks.photometry_kind)
    several = sa.select(*unit).where(*_current(first, last)).group_by(*unit).having(sa.func.count() > 1)
    return connection.execute(several.limit(1)).first() is not None


def _last_day(connection: sa.Connection, window: Window) -> int:
    """Last day of the first partition of a window, which is the one that takes the merged blocks."""
    partitions = table("ops.light_curve_partition").c
    inside = partitions.from_mjd >= window.from_mjd, partitions.to_mjd <= window.to_mjd
    return int(connection.execute(sa.select(sa.func.min(partitions.to_mjd)).where(*inside)).scalar_one()) - 1


def _current(first: int, last: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Conditions of the current blocks of some days that can be merged: those of exposures."""
    blocks = table("roman.light_curve_block").c
    of_exposures = blocks.detector.is_not(None)
    return blocks.start_mjd >= first, blocks.start_mjd < last, blocks.superseded_at.is_(None), of_exposures


def _supersede(connection: sa.Connection, window: Window) -> list[list[sa.Row[Any]]]:
    """Supersede the blocks of a window and return them unit by unit, in the order of their identifiers."""
    blocks = table("roman.light_curve_block")
    here = _current(window.from_mjd, window.to_mjd)
    gone = {"superseded_at": sa.func.now(), "is_merged": True}
    statement = blocks.update().where(*here).values(gone).returning(blocks)
    units: dict[tuple[object, ...], list[sa.Row[Any]]] = {}
    for row in sorted(connection.execute(statement), key=lambda row: row.block_id):
        unit = (row.field_id, row.detector, row.optical_element, row.photometry_kind)
        units.setdefault(unit, []).append(row)
    return list(units.values())


def _new_block(
    connection: sa.Connection,
    members: Sequence[sa.Row[Any]],
    target: Target,
    context: BlockContext,
) -> MergedBlock:
    """Store the row of one merged block."""
    first = members[0]
    key = BlockKey(
        first.field_id,
        first.detector,
        first.optical_element,
        first.photometry_kind,
        # What a season has only later on stands with its first days, too: within the season, where they end.
        min(target.last_mjd, *(row.start_mjd for row in members)),
        max(row.end_mjd for row in members),
    )
    epochs, column, start = epochs_in_order([stored_epochs(row._asdict()) for row in members])
    plan = MergePlan(np.array([row.block_id for row in members], np.int64), column, start)
    versions = np.array([row.catalog_version_id for row in members], np.int64)
    catalog = int(versions.max())
    origin = replace(context, catalog_version_id=catalog)
    # How many objects there are is known when they are written; points are neither lost nor made.
    size = BlockSize(0, sum(row.n_point for row in members))
    query = sa.text(f"SELECT ops.new_light_curve_block_id(:generation), {light_curve.HAS_SHARDS}")
    block_id, has_shards = connection.execute(query, {"generation": target.generation}).one()
    light_curve.insert_block(connection, block_id, key, epochs, size, origin)
    place = BlockPlace(block_id, key.start_mjd, target.place, has_shards)
    return MergedBlock(place, epochs, plan, (versions, catalog), _views(connection, epochs))


def _note_sizes(
    connection: sa.Connection, merged: Sequence[MergedBlock], n_object: npt.NDArray[np.int64]
) -> None:
    """Note in the rows of the merged blocks how many objects they hold."""
    blocks = table("roman.light_curve_block")
    for block, count in zip(merged, n_object.tolist(), strict=True):
        mine = blocks.c.block_id == block.place.block_id
        connection.execute(blocks.update().where(mine).values(n_object=count))


@dataclass(frozen=True)
class _Selection:
    """Rows of some blocks and of some objects, both ends of the range included."""

    window: Window
    block_id: npt.NDArray[np.int64]
    objects: tuple[int, int]

    def __str__(self) -> str:
        """Condition of the rows in SQL."""
        return (
            f"start_mjd >= {self.window.from_mjd} AND start_mjd < {self.window.to_mjd} "
            f"AND object_id BETWEEN {self.objects[0]} AND {self.objects[1]} "
            f"AND block_id = ANY('{{{','.join(map(str, self.block_id.tolist()))}}}')"
        )


def _object_chunks(
    connection: sa.Connection, window: Window, block_id: npt.NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Ranges of object_id, both ends included, with about as many points each as fit in memory."""
    query = sa.text(
        """
        WITH size AS (
            SELECT s.object_id, sum(b.n_epoch) AS n FROM roman.light_curve_summary s
            JOIN roman.light_curve_block b ON b.block_id = s.block_id
            WHERE s.start_mjd >= :first AND s.start_mjd < :last
              AND b.block_id = ANY(CAST(:blocks AS bigint[]))
            GROUP BY s.object_id
        ), numbered AS (
            SELECT object_id, (sum(n) OVER (ORDER BY object_id))::bigint / CAST(:most AS bigint) AS chunk
            FROM size
        )
        SELECT min(object_id), max(object_id) FROM numbered GROUP BY chunk ORDER BY chunk
        """
    )
    values = {"first": window.from_mjd, "last": window.to_mjd, "blocks": block_id.tolist()}
    rows = connection.execute(query, values | {"most": _POINTS_A_CHUNK})
    return [(int(row[0]), int(row[1])) for row in rows]


def _compact_chunk(
    connection: sa.Connection, selection: _Selection, merged: Sequence[MergedBlock], context: BlockContext
) -> list[int]:
    """Rewrite the rows of some objects and return how many each merged block got."""
    decoded = {name: _read_segments(connection, name, selection) for name in ARRAY_COLUMNS}
    means = _read_means(connection, selection)
    oldest = min((int(block.catalog_versions[0].min()) for block in merged), default=0)
    first, last = selection.objects
    changed = _ask(connection, "catalog_state", {"first": first, "last": last, "oldest": oldest})
    states = CatalogStates.of_rows(changed)
    counts = []
    for block in merged:
        photometry = _merge(block, decoded, means)
        _restate(block, photometry.astrometry, states)
        counts.append(photometry.object_id.size)
        if photometry.object_id.size:
            light_curve.write_rows(connection, block.place, block.epochs, photometry, context.excluding_flags)
    return counts


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


def _restate(block: MergedBlock, astrometry: MeasurementMatrix, states: CatalogStates) -> None:
    """Tell offsets from what the catalog version of the new block says."""
    if states.object_id.size and astrometry.object_id.size:
        east, north = astrometry.arrays[:2]
        versions = block.catalog_versions
        restate_offsets(astrometry.object_id, (east, north), block.plan, versions, states, block.views)


def _views(connection: sa.Connection, epochs: Epochs) -> Views:
    """When and from where exposures were taken."""
    exposures = ",".join(map(str, epochs.exposure_id.tolist()))
    rows = _ask(connection, "ephemeris", {"exposure_id": f"{{{exposures}}}"})
    return views_of(epochs.mjd_tdb, np.array([list(row) for row in rows], np.float64))


def _measurements(merged: MergedSegments) -> MeasurementMatrix:
    """Merged segments without flags."""
    return MeasurementMatrix(merged.object_id, merged.arrays)


def _read_segments(connection: sa.Connection, name: str, selection: _Selection) -> DecodedRows:
    """Read the selected rows of one segment table."""
    columns = ARRAY_COLUMNS[name]
    has_flags = name == "light_curve_segment"
    selected = ", ".join(("object_id", "block_id", *columns, *(("flag_run",) if has_flags else ())))
    stream = _copy_out(connection, f"SELECT {selected} FROM roman.{name} WHERE {selection}")
    return decode_rows(stream, len(columns), has_flags)


def _read_means(connection: sa.Connection, selection: _Selection) -> npt.NDArray[np.void]:
    """Read the means of the selected rows from their summaries; NULL becomes NaN."""
    names = ("n_point", *_MEANS)
    values = ", ".join(f"coalesce({name}, 'NaN')" for name in _MEANS)
    query = (
        f"SELECT object_id, block_id, ARRAY[n_point, {values}]::real[] "
        f"FROM roman.light_curve_summary WHERE {selection}"
    )
    rows = decode_rows(_copy_out(connection, query), 1, False)
    found = np.empty((rows.object_id.size, len(names)), np.float32)
    each = np.arange(rows.object_id.size), np.zeros(rows.object_id.size, np.int64)
    fill_reals(rows, 0, each, (np.arange(len(names)), np.array([0, len(names)])), found)
    means = np.empty(
        rows.object_id.size, [("object_id", "i8"), ("block_id", "i8"), *((n, "f8") for n in names)]
    )
    means["object_id"], means["block_id"] = rows.object_id, rows.block_id
    for k, name in enumerate(names):
        means[name] = found[:, k]
    return means


def _ask(connection: sa.Connection, job: str, values: dict[str, Any]) -> Sequence[sa.Row[Any]]:
    """Rows of a query of ``queries/jobs``."""
    return sqlfile.run(connection, sqlfile.find("jobs", job), values).all()


def _copy_out(connection: sa.Connection, query: str) -> bytes:
    """Result of a query as a binary COPY stream."""
    raw = cast(psycopg2.extensions.connection, connection.connection.driver_connection)
    buffer = io.BytesIO()
    with raw.cursor() as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", buffer, size=1 << 20)
    return buffer.getvalue()
