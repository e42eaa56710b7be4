"""Light curves and catalogs in PostgreSQL: loading, size, reading, compaction.

A block is one day of one detector: 10,000 objects in 120 exposures, 5 % of the objects with flags. The peer
of sizes and reads is the plain layout in the same cluster: one row a point in order of time, with an index on
object and time. Times of writing, and of reading from disk, are medians; what is in memory is read several
times by ours and the peer in turns, and the shortest time counts: whatever else the machine does only adds
to it.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from bench import objects
from bench.light_curve_blocks import (
    DEC,
    FIRST_DAY,
    N_OBJECT,
    POINTS,
    POSITION_SHARE,
    RA,
    SHAPE_SHARE,
    STRANGER,
    epochs,
    key,
    photometry,
    positions,
    prepare,
    write_day,
    write_other_blocks,
    write_plain_table,
    write_stranger,
)
from bench.record import Figure
from bench.server import BenchServer, bench_server, copy_out, seconds, shortest_seconds
from loaders.compaction.load import Window, compact_window, prepare_windows
from loaders.light_curve.block import BlockPhotometry
from loaders.light_curve.encode import encode_segments
from loaders.light_curve.load import (
    ARRAY_COLUMNS,
    BlockContext,
    BlockPlace,
    BlockSize,
    insert_block,
    open_block,
    segment_rows,
    write_block,
    write_segments,
)
from roman_db import session
from roman_db.bulk import copy_stream
from roman_db.copy_binary import HEADER, TRAILER
from roman_db.retired_partitions import drop_retired

_AREA = "storage"
#: Whole windows, so that the days that are timed begin an empty partition with either history.
_HISTORY_DAYS = 104
_READ_DAYS = range(FIRST_DAY, FIRST_DAY + 5)
_PLAIN = "row per point"


def figures() -> Iterator[Figure]:
    """Measure everything; some minutes and 3 GB of disk."""
    with bench_server() as server:
        yield from _loading(server)
        plain = _fill_for_reading(server)
        yield Figure(_AREA, "stored size of the plain table, with its index", plain, "bytes/point")
        yield from _reading(server)
        yield from _history(server, plain)
        yield from objects.figures(server)


def _loading(server: BenchServer) -> Iterator[Figure]:
    """Load one block after another three ways, in turns."""
    server.use("loading")
    context = prepare()
    ways = (_write_daily, _write_whole, _write_segments_only, _write_encoded)
    times: dict[Callable[..., float], list[float]] = {way: [] for way in ways}
    for turn in range(10):
        for number, way in enumerate(ways):
            times[way].append(way(FIRST_DAY + 1000 * number + turn, context))
    daily, whole, segments, limit = (POINTS / statistics.median(times[way][2:]) / 1e6 for way in ways)
    peer = "COPY BINARY of the same bytes, encoded before, into the same table and index"
    yield Figure(_AREA, "load, fluxes alone", segments, "M points/s", 0.8 * limit, "max", peer, limit)
    yield Figure(_AREA, "load, fluxes and summaries", whole, "M points/s", 5.0, "max", peer, limit)
    name = (
        f"load as the daily job does: fluxes, summaries, positions of {POSITION_SHARE:.0%} and shapes of "
        f"{SHAPE_SHARE:.0%} of the stars; points are those of fluxes"
    )
    yield Figure(_AREA, name, daily, "M points/s", None, "max", peer, limit)


def _write_daily(day: int, context: BlockContext) -> float:
    """Time of a block as the daily job writes it."""
    return _write_block(day, photometry(day, with_bright=True), context)


def _write_whole(day: int, context: BlockContext) -> float:
    """Time of a block without positions and shapes of bright stars."""
    return _write_block(day, photometry(day), context)


def _write_block(day: int, measured: BlockPhotometry, context: BlockContext) -> float:
    """Time of a block."""
    when = epochs(day)

    def write() -> None:
        with session.transaction() as connection:
            write_block(connection, key(day), when, measured, context)

    return seconds(write)


def _write_segments_only(day: int, context: BlockContext) -> float:
    """Time of a block without its summaries."""
    measured = photometry(day)

    def write() -> None:
        with session.transaction() as connection:
            write_segments(connection, _new_place(connection, day, context), measured)

    return seconds(write)


def _write_encoded(day: int, context: BlockContext) -> float:
    """Time of the same bytes without the work of making them."""
    columns = ["object_id", "block_id", "start_mjd", *ARRAY_COLUMNS["light_curve_segment"], "flag_run"]
    with session.transaction() as connection:
        place = _new_place(connection, day, context)
    rows = segment_rows(place, photometry(day))["light_curve_segment"]
    stream = [memoryview(HEADER), *encode_segments(rows), memoryview(TRAILER)]

    def write() -> None:
        with session.transaction() as connection:
            copy_stream(connection, place.partition("light_curve_segment"), columns, iter(stream))

    return seconds(write)


def _new_place(connection: sa.Connection, day: int, context: BlockContext) -> BlockPlace:
    """Make room for a block."""
    place = open_block(connection, day)
    insert_block(connection, place.block_id, key(day), epochs(day), BlockSize(N_OBJECT, POINTS), context)
    return place


def _history(server: BenchServer, plain: float) -> Iterator[Figure]:
    """Load some hundred days, and see whether the next ones, sizes and scans suffer from them."""
    server.use("short")
    contexts = {"short": prepare()}
    write_day(FIRST_DAY, contexts["short"])
    server.use("long")
    contexts["long"] = prepare()
    for day in range(FIRST_DAY, FIRST_DAY + _HISTORY_DAYS):
        write_day(day, contexts["long"])
    yield _constancy(server, contexts)
    server.use("long")
    yield from _sizes("", plain)
    yield from _compaction(contexts["long"])
    yield from _sizes(" after compaction", plain)


def _constancy(server: BenchServer, contexts: dict[str, BlockContext]) -> Figure:
    """Rate at 100 times the history over the rate at once the history: the median of pairs of loads.

    The history is on disk by then; a pair takes half a second, in which a shared machine changes little.
    """
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql("CHECKPOINT")
    times: dict[str, list[float]] = {"short": [], "long": []}
    for turn, name in itertools.product(range(15), times):
        server.use(name)
        times[name].append(_write_whole(FIRST_DAY + _HISTORY_DAYS + turn, contexts[name]))
    pairs = zip(times["short"], times["long"], strict=True)
    return Figure(
        _AREA,
        f"load at {_HISTORY_DAYS} x the history",
        statistics.median(short / long for short, long in pairs),
        "of the rate at 1 x",
        0.9,
        "max",
        "rate at 1 x, M points/s",
        POINTS / statistics.median(times["short"]) / 1e6,
    )


#: Whole windows of the history, which are compacted.
_WINDOWS = [Window(first, first + 8, sealed=False) for first in range(FIRST_DAY, FIRST_DAY + 32, 8)]


def _sizes(when: str, plain: float) -> Iterator[Figure]:
    """Bytes a point of these windows, indexes and TOAST included; ``plain`` are those of the plain table."""
    points = POINTS * sum(window.to_mjd - window.from_mjd for window in _WINDOWS)
    segments, summaries = (_size(name) / points for name in ("light_curve_segment", "light_curve_summary"))
    yield Figure(_AREA, f"stored size of fluxes{when}", segments, "bytes/point", 11, "min", _PLAIN, plain)
    yield Figure(_AREA, f"stored size with summaries{when}", segments + summaries, "bytes/point")


def _size(table: str) -> int:
    """Bytes of the partitions of a table in these windows."""
    query = sa.text(
        "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c, "
        "unnest(CAST(:names AS text[])) AS w (name) WHERE c.relkind = 'r' AND c.relname LIKE w.name"
    )
    names = [f"{table}\\_{window.from_mjd}\\_{window.to_mjd}\\_g%" for window in _WINDOWS]
    with session.reading(session.Role.OWNER) as connection:
        return int(connection.execute(query, {"names": names}).scalar_one())


def _compaction(context: BlockContext) -> Iterator[Figure]:
    """Compact some windows, one after the other."""
    times = []
    prepare_windows(_WINDOWS, 10)
    for window in _WINDOWS:

        def compact(window: Window = window) -> None:
            with session.transaction() as connection:
                compact_window(connection, window, context, lambda done, total: None)

        times.append(seconds(compact))
    drop_retired(10)
    yield Figure(_AREA, "compaction", 8 * POINTS / statistics.median(times) / 1e6, "M points/s")


@dataclass(frozen=True)
class _Question:
    """What is asked, how our layout answers, and how the plain one does."""

    name: str
    target_s: float | None
    ours: str
    plain: str


_COLUMNS = "object_id, exposure_id, midpoint_mjd_tdb, flux, flux_err, flags"
_ARRAYS = "object_id, midpoint_mjd_tdb, flux, flux_err"
_AGGREGATED = (
    "object_id, array_agg(midpoint_mjd_tdb ORDER BY midpoint_mjd_tdb), "
    "array_agg(flux ORDER BY midpoint_mjd_tdb), array_agg(flux_err ORDER BY midpoint_mjd_tdb)"
)
#: Holds a thousand of the objects.
_RADIUS = 0.0223
_IN_CONE = f"SELECT object_id FROM roman.object WHERE q3c_radial_query(ra, dec, {RA}, {DEC}, {_RADIUS})"
_CONE = f"object_id = ANY(ARRAY({_IN_CONE}))"
_CONES = (
    _Question(
        "1000-object cone of 600 points each, rows",
        0.5,
        f"SELECT {_COLUMNS} FROM roman.light_curve WHERE {_CONE}",
        f"SELECT {_COLUMNS} FROM public.point WHERE {_CONE}",
    ),
    _Question(
        "1000-object cone of 600 points each, arrays",
        0.15,
        f"SELECT {_ARRAYS} FROM roman.light_curve_array WHERE {_CONE}",
        f"SELECT {_AGGREGATED} FROM public.point WHERE {_CONE} GROUP BY object_id",
    ),
)
#: Reduced chi square of every object about its mean.
_CHI2 = (
    """
    SELECT object_id, (sum(weighted_m2 + sum_weight * mean_flux ^ 2)
                       - sum(sum_weight * mean_flux) ^ 2 / sum(sum_weight)) / (sum(n_point) - 1)
    FROM roman.light_curve_summary GROUP BY object_id HAVING sum(n_point) > 1
    """,
    """
    SELECT object_id, (sum((flux / flux_err::double precision) ^ 2)
                       - sum(flux / flux_err::double precision ^ 2) ^ 2
                       / sum(1 / flux_err::double precision ^ 2)) / (count(*) - 1)
    FROM public.point WHERE flags & 1 = 0 GROUP BY object_id HAVING count(*) > 1
    """,
)


def _fill_for_reading(server: BenchServer) -> float:
    """Store light curves of 600 points in our tables and in a plain one; return its bytes a point."""
    server.use("reading")
    context = prepare()
    for day in _READ_DAYS:
        write_day(day, context)
    write_other_blocks(context)
    write_stranger(context)
    write_plain_table(_READ_DAYS)
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(
            sa.text("ANALYZE roman.light_curve_segment, roman.light_curve_summary, roman.object")
        )
    return _plain_size()


def _reading(server: BenchServer) -> Iterator[Figure]:
    """Read light curves of 600 points, of ours and of the plain table."""
    server.use("reading")
    yield from _single_curves(server)
    for question in _CONES:
        ours, plain = shortest_seconds(copy_out(question.ours), copy_out(question.plain))
        yield Figure(_AREA, question.name, ours, "s", question.target_s, "min", _PLAIN, plain)
    points = POINTS * len(_READ_DAYS) / 1e6
    ours, plain = (points / shortest for shortest in shortest_seconds(*map(copy_out, _CHI2)))
    yield Figure(
        _AREA, "chi square of every object from summaries", ours, "M points/s", None, "max", _PLAIN, plain
    )


def _plain_size() -> float:
    """Bytes a point of the plain table, its index included."""
    query = sa.text("SELECT pg_total_relation_size('public.point')")
    with session.reading(session.Role.OWNER) as connection:
        return float(connection.execute(query).scalar_one()) / (POINTS * len(_READ_DAYS))


_ROWS = f"SELECT {_COLUMNS} FROM roman.light_curve WHERE object_id = {{}}"
_PLAIN_ROWS = f"SELECT {_COLUMNS} FROM public.point WHERE object_id = {{}}"
_ARRAY = f"SELECT {_ARRAYS} FROM roman.light_curve_array WHERE object_id = {{}}"


def _single_curves(server: BenchServer) -> Iterator[Figure]:
    """Read one light curve, from disk and from memory."""
    object_id = positions()[0]
    cold: dict[str, list[float]] = {_ROWS: [], _ARRAY: [], _PLAIN_ROWS: []}
    for turn in range(7):
        for query, times in cold.items():
            state = server.forget()
            times.append(_read_cold(query, int(object_id[1000 * turn + 500])))
    warm = {query: _read_warm(query, int(object_id[777])) for query in cold}
    yield from _curve_figures(f"cold ({state})", 6, {query: statistics.median(cold[query]) for query in cold})
    yield from _curve_figures("warm", 2, warm)


def _curve_figures(state: str, target_ms: float, times: dict[str, float]) -> Iterator[Figure]:
    """Figures of rows and arrays beside the plain table's."""
    peer = (_PLAIN, 1e3 * times[_PLAIN_ROWS])
    for name, query in (("rows", _ROWS), ("arrays", _ARRAY)):
        title = f"600-point light curve as {name}, {state}"
        yield Figure(_AREA, title, 1e3 * times[query], "ms", target_ms, "min", *peer)


def _read_cold(query: str, object_id: int) -> float:
    """Time to read one light curve when its data are on disk alone.

    Another one, of another window, is read before: the connection is open and knows tables and functions.
    """
    with _reader() as read:
        read(query.format(STRANGER))
        return seconds(lambda: read(query.format(object_id)))


def _read_warm(query: str, object_id: int) -> float:
    """Time to read one light curve again and again on a connection that is open."""
    with _reader() as read:
        return shortest_seconds(lambda: read(query.format(object_id)), turns=25)[0]


@contextmanager
def _reader() -> Iterator[Callable[[str], object]]:
    """Function that fetches a result into arrays as ``roman-db lightcurve`` does, over one connection."""
    with session.arrow_connection() as connection, connection.cursor() as cursor:

        def read(query: str) -> object:
            cursor.execute(query)
            return cursor.fetch_arrow_table()

        yield read
