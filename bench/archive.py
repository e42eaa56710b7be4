"""Catalogs out of the database: HATS collections, Parquet, crossmatches, statistics of all light curves.

The database is filled once: a million objects of a detector without fluxes, and light curves of ten thousand
more with realistic noise, whose errors follow the flux; ``--scale 0.1`` makes all of it smaller. Peers are
plain pyarrow and hats-import for objects, COPY BINARY of the same rows for light curves, q3c_join and LSDB
for crossmatches, and DuckDB for statistics, where they are installed.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import parquet

from bench.archive_peers import duckdb_statistics, hats_import, lsdb_crossmatch, plain_pyarrow
from bench.light_curve_blocks import FIRST_DAY, N_EPOCH, N_OBJECT, epochs, key, object_columns, prepare
from bench.record import Figure
from bench.sample import scaled
from bench.server import bench_server, copy_out, seconds, shortest_seconds
from loaders.light_curve.block import BlockPhotometry
from loaders.light_curve.load import BlockContext, empty_measurements, write_block
from loaders.light_curve.summary import SegmentMatrix
from roman_db import session
from roman_db.archive.hats.export import Options, export
from roman_db.archive.hats.statistics import flux_statistics, tile_files
from roman_db.bulk import copy_stream, upsert_rows
from roman_db.copy_binary import encode_column, encode_rows
from roman_db.crossmatch import crossmatch

_AREA = "archive"
_OBJECTS, _DAYS, _MATCHED = scaled(1_000_000), scaled(25), scaled(1_000_000)
_POINTS = _DAYS * N_OBJECT * N_EPOCH
_EXCLUDING = 1
_SEGMENTS = "SELECT object_id, block_id, flux, flux_err, flag_run FROM roman.light_curve_segment"
_JOIN = (
    "SELECT count(*) FROM public.first a, public.second b "
    "WHERE q3c_join(a.ra, a.dec, b.ra, b.dec, 1 / 3600.0)"
)
_OBJECT = (
    "SELECT object_id, ra, dec, ra_err, dec_err, ref_epoch, pm_ra, pm_dec, pm_ra_err, pm_dec_err, parallax, "
    "parallax_err, first_catalog_version_id, catalog_version_id FROM roman.current_object"
)


def figures() -> Iterator[Figure]:
    """Measure everything; some minutes and 3 GB of disk."""
    with bench_server() as server, tempfile.TemporaryDirectory(prefix="roman-db-bench-") as name:
        server.use("archive")
        _fill()
        folder = Path(name)
        yield from _objects(folder)
        yield from _light_curves(folder)
        yield from _statistics(folder)
        yield from _crossmatch(folder)


def _fill() -> None:
    """Store objects and light curves."""
    context = prepare()
    with session.transaction() as connection:
        upsert_rows(connection, "roman.object", object_columns(context, _OBJECTS))
    for day in range(FIRST_DAY, FIRST_DAY + _DAYS):
        with session.transaction() as connection:
            write_block(connection, key(day), epochs(day), _photometry(day, context), context)
    with session.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _photometry(day: int, context: BlockContext) -> BlockPhotometry:
    """Fluxes of stars of 18 to 24 mag with the noise of a background and of their own light."""
    object_id = object_columns(context)["object_id"]
    rng = np.random.default_rng(day)
    truth = 10 ** np.linspace(5.36, 2.96, object_id.size)[:, None]
    shape = (object_id.size, N_EPOCH)
    flux_err = np.sqrt(60.0**2 + truth / 3) * rng.normal(1, 0.02, shape)
    flags = np.zeros(shape, np.uint16)
    flags[rng.random(object_id.size) < 0.05, 10:20] = _EXCLUDING
    flux = (truth + flux_err * rng.standard_normal(shape)).astype(np.float32)
    segments = SegmentMatrix(flux, flux_err.astype(np.float32), flags)
    ones = np.ones(object_id.size)
    nothing = empty_measurements(N_EPOCH, 4), empty_measurements(N_EPOCH, 7)
    return BlockPhotometry(object_id, segments, truth[:, 0], *nothing, ones, ones, ones)


def _written(kind: str, folder: Path) -> float:
    """Seconds of an export into an empty folder: the shortest of three."""
    times = []
    for _ in range(3):
        shutil.rmtree(folder / kind, ignore_errors=True)
        times.append(seconds(lambda: export(Options(kind, str(folder)), lambda *step: None)))
    return min(times)


def _peak_mb(kind: str, folder: Path) -> float:
    """Largest memory of a process that exports, MB."""
    command = [sys.executable, "-m", "bench.archive_peak", kind, str(folder / "peak")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def _objects(folder: Path) -> Iterator[Figure]:
    """Objects to a collection with margins, beside others that begin with a file or a table in memory."""
    ours = _OBJECTS / _written("objects", folder)
    source = folder / "objects.parquet"
    with session.arrow_connection() as connection, connection.cursor() as cursor:
        cursor.execute(_OBJECT)
        table = cursor.fetch_arrow_table()
    parquet.write_table(table, source)
    peer = "plain pyarrow, a file a pixel, from a table in memory"
    theirs = _OBJECTS / seconds(lambda: plain_pyarrow(table, folder / "plain"))
    yield Figure(_AREA, "HATS export of objects", ours, "rows/s", 1e6, "max", peer, theirs)
    if importlib.util.find_spec("hats_import"):
        theirs = _OBJECTS / seconds(lambda: hats_import(source, folder / "imported"))
        peer = "hats-import from Parquet, without margins"
        yield Figure(_AREA, "the same, beside hats-import", ours, "rows/s", None, "max", peer, theirs)
    yield Figure(_AREA, "peak memory of it", _peak_mb("objects", folder), "MB", 500, "min")


def _light_curves(folder: Path) -> Iterator[Figure]:
    """Light curves to a collection of nested rows."""
    ours = _POINTS / _written("light-curves", folder) / 1e6
    limit = _POINTS / shortest_seconds(copy_out(_SEGMENTS), turns=2)[0] / 1e6
    peer = "COPY BINARY of the arrays, thrown away"
    yield Figure(_AREA, "light curves to HATS Parquet", ours, "M points/s", 3, "max", peer, limit)
    size = sum(path.stat().st_size for path in tile_files(folder / "light-curves")) / _POINTS
    yield Figure(_AREA, "their size, by realistic noise", size, "bytes/point", 8, "min")
    yield Figure(_AREA, "peak memory of it", _peak_mb("light-curves", folder), "MB", 500, "min")


def _statistics(folder: Path) -> Iterator[Figure]:
    """Statistics of each light curve from the files; they must equal those that the database has."""
    files = tile_files(folder / "light-curves")
    _check(flux_statistics(files, _EXCLUDING))
    tasks = [lambda: flux_statistics(files, _EXCLUDING)]
    if importlib.util.find_spec("duckdb"):
        tasks.append(lambda: duckdb_statistics(files))
    ours, *theirs = shortest_seconds(*tasks, turns=4)
    name = f"statistics of {_POINTS:,} points from the files"
    peer = ("DuckDB: count, mean, least and largest of a flat table", theirs[0]) if theirs else (None, None)
    yield Figure(_AREA, name, ours, "s", 0.5, "min", *peer)


def _check(found: pa.Table) -> None:
    """Raise unless counts, chi squares and weighted means are PostgreSQL's."""
    query = """
        SELECT sum(n_point), sum(sum_weight * mean_flux) / sum(sum_weight),
            min(min_flux)::double precision, max(max_flux)::double precision
        FROM roman.light_curve_summary GROUP BY object_id ORDER BY object_id
    """
    with session.reading() as connection:
        stored = np.array([tuple(map(float, row)) for row in connection.execute(sa.text(query))])
    ordered = found.sort_by("object_id")
    names = ("n_point", "weighted_mean_flux", "min_flux", "max_flux")
    mine = np.stack([ordered[name].to_numpy().astype(float) for name in names], axis=1)
    np.testing.assert_allclose(mine, stored, rtol=1e-9)


def _crossmatch(folder: Path) -> Iterator[Figure]:
    """A million places with a million others, two degrees wide, at an arcsecond."""
    rng = np.random.default_rng(7)
    ra, dec = 266 + rng.uniform(0, 2, _MATCHED), -30 + rng.uniform(0, 2, _MATCHED)
    shift = rng.normal(0, 0.3 / 3600, (2, _MATCHED))
    ra_2, dec_2 = ra + shift[0], dec + shift[1]
    crossmatch(ra[:10], dec[:10], ra_2[:10], dec_2[:10], 1.0)
    ours = shortest_seconds(lambda: crossmatch(ra, dec, ra_2, dec_2, 1.0), turns=3)[0]
    n_pair = crossmatch(ra, dec, ra_2, dec_2, 1.0).first.size
    q3c, found = _joined((ra, dec), (ra_2, dec_2))
    assert found == n_pair, (found, n_pair)
    name = f"crossmatch of {_MATCHED:,} and as many places at 1 arcsec"
    yield Figure(_AREA, name, ours, "s", 4, "min", "q3c_join, which finds as many pairs", q3c)
    if importlib.util.find_spec("lsdb"):
        theirs = lsdb_crossmatch((ra, dec), (ra_2, dec_2), folder)
        peer = "LSDB over collections on disk, the nearest alone"
        yield Figure(_AREA, "the same, beside LSDB", ours, "s", None, "min", peer, theirs)


def _joined(first: tuple[np.ndarray, ...], second: tuple[np.ndarray, ...]) -> tuple[float, int]:
    """Seconds of a join in the database, and the number of pairs."""
    found: list[int] = []
    with session.transaction(session.Role.OWNER) as connection:
        for name, columns in (("first", first), ("second", second)):
            connection.exec_driver_sql(
                f"CREATE TABLE public.{name} (ra double precision, dec double precision)"
            )
            _copy(connection, name, columns)
        connection.exec_driver_sql("CREATE INDEX ON public.second (q3c_ang2ipix(ra, dec))")
        connection.exec_driver_sql("ANALYZE public.first, public.second")
        taken = seconds(lambda: found.append(connection.exec_driver_sql(_JOIN).scalar_one()))
    return taken, found[0]


def _copy(connection: sa.Connection, table: str, columns: tuple[np.ndarray, ...]) -> None:
    """Fill a table."""
    encoded = [encode_column(values, "double precision") for values in columns]
    copy_stream(connection, f"public.{table}", ["ra", "dec"], encode_rows(encoded))
