"""What is in the database and how it is, fast however much it holds.

Small tables are counted; large ones are estimated as the planner does (``pg_class.reltuples``), points from
the blocks, which say how many epochs and objects they have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg2.errors
import sqlalchemy as sa

from roman_db import session
from roman_db.cluster import lifecycle
from roman_db.cluster.layout import check_makeable
from roman_db.code_version import code_version
from roman_db.load_run import dead_runs
from roman_db.query.error import NO_TABLES, QueryError
from roman_db.query.reader_rights import describe_reader
from roman_db.settings import settings

#: Rows up to which a table is counted.
COUNTED = 100_000
RECENT_RUNS = 8

_TABLES = {"exposures": "roman.exposure", "objects": "roman.object", "psfs": "roman.psf_model"}
_POINTS = """
    SELECT coalesce(sum(n_point), 0), count(*),
           coalesce(min(start_mjd), 0), coalesce(max(end_mjd), 0)
    FROM roman.light_curve_block WHERE superseded_at IS NULL
"""
#: A run that was killed could not say so; the next run writes it down, and status only reads.
_STATE = "CASE WHEN load_run_id = ANY(CAST(:dead AS bigint[])) THEN 'interrupted' ELSE state END"
_RUNS = f"""
    SELECT load_run_id, task, {_STATE}, started_at, started_at + duration,
           n_expected, n_read, n_loaded, n_unchanged, n_rejected, n_failed_unit, message
    FROM ops.run_overview ORDER BY load_run_id DESC LIMIT {RECENT_RUNS}
"""
_STATES = f"""
    SELECT {_STATE}, count(*) FROM ops.load_run
    WHERE state IN ('running', 'interrupted', 'failed', 'partly_failed') GROUP BY 1
"""
_VERDICTS = f"""
    SELECT verdict, count(*) FROM ops.quality_metric WHERE load_run_id = ANY(ARRAY(
        SELECT load_run_id FROM ops.load_run ORDER BY load_run_id DESC LIMIT {RECENT_RUNS}
    ))
    GROUP BY verdict
"""
_PARTITIONS = """
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'roman_partition' AND c.relkind = 'r'
"""


@dataclass(frozen=True)
class Count:
    """Number of rows, exact or estimated."""

    rows: int
    is_exact: bool = True

    def __str__(self) -> str:
        return f"{'' if self.is_exact else 'about '}{self.rows:,}"


@dataclass(frozen=True)
class Run:
    """A run of a loader or job."""

    load_run_id: int
    task: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    n_expected: int | None
    n_read: int
    n_loaded: int
    n_unchanged: int
    n_rejected: int
    n_failed_unit: int
    message: str | None


@dataclass(frozen=True)
class Status:
    """The database at a glance.

    Parameters
    ----------
    server
        Where it is.
    reader
        As whom queries run, and what they could do.
    version
        Version of this software.
    counts
        Exposures, objects, PSFs, light-curve blocks and points.
    first_mjd, end_mjd
        Days that the light curves span.
    runs
        The latest runs, the latest first.
    run_states
        Runs of all times that go on, were cut off, failed, or had units that failed.
    verdicts
        Quality metrics of the latest runs, by verdict.
    size_bytes, light_curve_bytes
        Size on disk, all and of the light curves.
    """

    server: str
    reader: str
    version: str
    counts: dict[str, Count]
    first_mjd: int
    end_mjd: int
    runs: list[Run]
    run_states: dict[str, int]
    verdicts: dict[str, int]
    size_bytes: int
    light_curve_bytes: int


def read_status() -> Status:
    """Look at the database.

    Raises
    ------
    QueryError
        If there is none yet.
    """
    server = _server()
    try:
        with session.reading() as connection:
            return _read(connection, server)
    except sa.exc.ProgrammingError as error:
        if isinstance(error.orig, psycopg2.errors.UndefinedTable):
            raise QueryError(NO_TABLES) from error
        raise


def _read(connection: sa.Connection, server: str) -> Status:
    """Put the parts together."""
    dead = {"dead": dead_runs(connection)}
    n_point, n_block, first_mjd, end_mjd = _one(connection, _POINTS)
    stored = {name: _count(connection, table) for name, table in _TABLES.items()}
    light_curves = {"light-curve blocks": Count(n_block), "light-curve points": Count(int(n_point))}
    return Status(
        server=server,
        reader=describe_reader(connection),
        version=code_version(),
        counts=stored | light_curves,
        first_mjd=first_mjd,
        end_mjd=end_mjd,
        runs=[Run(*row) for row in connection.execute(sa.text(_RUNS), dead)],
        run_states=_pairs(connection, _STATES, dead),
        verdicts=_pairs(connection, _VERDICTS),
        size_bytes=_one(connection, "SELECT pg_database_size(current_database())")[0],
        light_curve_bytes=int(_one(connection, _PARTITIONS)[0]),
    )


def _server() -> str:
    """Say which server it is, without the password.

    Raises
    ------
    QueryError
        If no private server was ever made; a look at it is no reason to make one.
    ClusterError
        If the user may not look at it, or could not make one.
    """
    chosen = settings()
    if chosen.url is None and lifecycle.status(chosen).state == "absent":
        check_makeable(chosen.home)
        raise QueryError(f"there is no database in {chosen.home} yet: `roman-db upgrade` makes one")
    kind = "private server" if chosen.url is None else "server of ROMAN_DB_URL"
    url = session.database_url()
    return f"database {url.database} of the {kind} at {url.host or url.query.get('host', 'this machine')}"


def _count(connection: sa.Connection, table: str) -> Count:
    """Count the rows of a table, or estimate them if they are many."""
    counted = _one(connection, f"SELECT count(*) FROM (SELECT FROM {table} LIMIT {COUNTED}) AS first")[0]
    if counted < COUNTED:
        return Count(counted)
    estimated = _one(
        connection, f"SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = '{table}'::regclass"
    )
    return Count(max(estimated[0], counted), is_exact=False)


def _one(connection: sa.Connection, sql: str) -> tuple[Any, ...]:
    """The only row of a query."""
    return tuple(connection.execute(sa.text(sql)).one())


def _pairs(connection: sa.Connection, sql: str, values: Mapping[str, object] | None = None) -> dict[str, int]:
    """Names and numbers."""
    return {str(name): int(number) for name, number in connection.execute(sa.text(sql), values)}
