"""Object catalogs in PostgreSQL: the loader as a whole, and the upsert of one table beside its peer."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import psycopg2.extras
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from bench.light_curve_blocks import object_columns, positions, prepare
from bench.record import Figure
from bench.server import BenchServer, seconds
from loaders.catalog.load import CatalogOptions, load_catalog
from roman_db import session
from roman_db.bulk import upsert_rows

_AREA = "storage"
N_ROW = 200_000
_UNITS = {
    "source_id": None,
    "ra": "deg",
    "dec": "deg",
    "ra_err": "mas",
    "dec_err": "mas",
    "ref_epoch": "yr",
    "psf_flux_f146": "nJy",
}
_PEER = "execute_values of the same rows into roman.object alone"


def figures(server: BenchServer) -> Iterator[Figure]:
    """Upsert one table two ways, then load whole catalogs."""
    ours, theirs = _upserts(server)
    name = "upsert into roman.object alone (key, q3c index and references; staged, then one statement)"
    yield Figure(_AREA, name, ours, "rows/s", 40_000, "max", "execute_values of the same rows", theirs)
    for title, rate in _catalogs(server):
        yield Figure(_AREA, f"load_catalog, {title}", rate, "rows/s", None, "max", _PEER, theirs)


def _catalogs(server: BenchServer) -> Iterator[tuple[str, float]]:
    """Rows a second of ``load_catalog``: reading, checks, matching, objects, fluxes, names, history."""
    server.use("catalogs")
    with tempfile.TemporaryDirectory() as name:
        first, moved = Path(name) / "first.parquet", Path(name) / "moved.parquet"
        write_catalog(first, _catalog(N_ROW))
        write_catalog(moved, _moved(_catalog(N_ROW)))
        for title, path in (("all rows new", first), ("all changed", moved), ("all unchanged", moved)):
            yield f"{N_ROW:,} rows of Parquet, {title}", N_ROW / seconds(lambda path=path: _load(path))


def _load(path: Path) -> None:
    """Load a catalog; all of its rows must be loaded."""
    counts, _ = load_catalog(path, CatalogOptions("bench"), lambda done, total: None)
    assert counts.rejected == 0, counts


def _catalog(n: int) -> dict[str, np.ndarray]:
    """Columns of a catalog with positions and one flux."""
    rng = np.random.default_rng(2)
    _, ra, dec = positions(n)
    error = np.full(ra.size, 0.5)
    return {
        "source_id": np.arange(ra.size),
        "ra": ra,
        "dec": dec,
        "ra_err": error,
        "dec_err": error,
        "ref_epoch": np.full(ra.size, 2027.0),
        "psf_flux_f146": 10 ** rng.uniform(2, 6, ra.size),
    }


def _moved(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every star by 0.4 mas, and brighter by a percent."""
    return columns | {"ra": columns["ra"] + 1e-7, "psf_flux_f146": 1.01 * columns["psf_flux_f146"]}


def write_catalog(path: Path, columns: dict[str, np.ndarray]) -> None:
    """Write a Parquet file whose fields state their units."""
    table = pa.table(columns)
    fields = [
        field.with_metadata({"unit": unit}) if (unit := _UNITS[field.name]) else field
        for field in table.schema
    ]
    pq.write_table(table.cast(pa.schema(fields)), path)


def _upserts(server: BenchServer) -> tuple[float, float]:
    """Rows a second into roman.object, of which half are there: ours, and ``execute_values``."""
    server.use("objects")
    columns = object_columns(prepare(), N_ROW)
    ours = [_upsert_rate(_upsert, part) for part in _parts(columns, 0, 5)]
    theirs = [_upsert_rate(_execute_values, part) for part in _parts(columns, 5, 10)]
    return statistics.median(ours), statistics.median(theirs)


def _parts(columns: dict, first: int, last: int) -> Iterable[dict]:
    """Parts of the objects, a tenth of them each: all anew, then all again with positions that have moved."""
    for number in range(first, last):
        part = {name: values[number::10] for name, values in columns.items()}
        yield part
        yield part | {"ra": part["ra"] + 1e-7}


def _upsert_rate(upsert: Callable[[sa.Connection, dict], None], columns: dict) -> float:
    """Rows a second."""

    def run() -> None:
        with session.transaction() as connection:
            upsert(connection, columns)

    return len(columns["object_id"]) / seconds(run)


def _upsert(connection: sa.Connection, columns: dict) -> None:
    """Stage the rows, then upsert them in one statement."""
    upsert_rows(connection, "roman.object", columns)


def _execute_values(connection: sa.Connection, columns: dict) -> None:
    """Upsert as psycopg2 offers it."""
    names = ", ".join(columns)
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name != "object_id")
    statement = (
        f"INSERT INTO roman.object ({names}) VALUES %s ON CONFLICT (object_id) DO UPDATE SET {updates}"
    )
    rows = list(zip(*(values.tolist() for values in columns.values()), strict=True))
    psycopg2.extras.execute_values(connection.connection.cursor(), statement, rows, page_size=1000)
