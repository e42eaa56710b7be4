"""What is in the database and how it is, fast however much it holds.

Small tables are counted; large ones are estimated as the planner does (``pg_class.reltuples``), points from the
blocks, which say how many epochs and objects they have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.cluster import lifecycle
from roman_db.settings import settings

#: Rows up to which a table is counted.
COUNTED = 100_000
RECENT_RUNS = 8

_TABLES = {"exposures": "roman.exposure", "objects": "roman.object", "psfs": "roman.psf_model"}
_POINTS = """
    SELECT coalesce(sum(CAST(n_epoch AS bigint) * n_object), 0), count(*),
           coalesce(min(start_mjd), 0), coalesce(max(end_mjd), 0)
    FROM roman.light_curve_block WHERE superseded_at IS NULL
"""
_RUNS = f"""
    SELECT load_run_id, task, state, started_at, finished_at, n_read, n_loaded, n_unchanged, n_rejected, message
    FROM ops.load_run ORDER BY load_run_id DESC LIMIT {RECENT_RUNS}
"""
_STATES = "SELECT state, count(*) FROM ops.load_run WHERE state IN ('running', 'interrupted', 'failed') GROUP BY state"
_VERDICTS = f"""
    SELECT verdict, count(*) FROM ops.quality_metric
    WHERE load_run_id = ANY(ARRAY(SELECT load_run_id FROM ops.load_run ORDER BY load_run_id DESC LIMIT {RECENT_RUNS}))
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
    n_read: int
    n_loaded: int
    n_unchanged: int
    n_rejected: int
    message: str | None


@dataclass(frozen=True)
class Status:
    """The database at a glance.

    Parameters
    ----------
    server
        Where it is.
    counts
        Exposures, objects, PSFs, light-curve blocks and points.
    first_mjd, end_mjd
        Days that the light curves span.
    runs
        The latest runs, the latest first.
    run_states
        Runs of all times that go on, were cut off or failed.
    verdicts
        Quality metrics of the latest runs, by verdict.
    size_bytes, light_curve_bytes
        Size on disk, all and of the light curves.
    """

    server: str
    schema_version: str
    counts: dict[str, Count]
    first_mjd: int
    end_mjd: int
    runs: list[Run]
    run_states: dict[str, int]
    verdicts: dict[str, int]
    size_bytes: int
    light_curve_bytes: int


def read_status() -> Status:
    """Look at the database."""
    with session.reading() as connection:
        counts = {name: _count(connection, table) for name, table in _TABLES.items()}
        points, blocks, first_mjd, end_mjd = _one(connection, _POINTS)
        counts |= {"light-curve blocks": Count(blocks), "light-curve points": Count(int(points))}
        return Status(
            server=_server(),
            schema_version=_one(connection, "SELECT obj_description('roman'::regnamespace)")[0],
            counts=counts,
            first_mjd=first_mjd,
            end_mjd=end_mjd,
            runs=[Run(*row) for row in connection.execute(sa.text(_RUNS))],
            run_states=_pairs(connection, _STATES),
            verdicts=_pairs(connection, _VERDICTS),
            size_bytes=_one(connection, "SELECT pg_database_size(current_database())")[0],
            light_curve_bytes=int(_one(connection, _PARTITIONS)[0]),
        )
