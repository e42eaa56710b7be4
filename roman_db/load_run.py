"""Provenance: every run that writes records what it was given, with which code, and what became of it.

Counts change in the same transaction as the rows that they count, so they are right whenever a run dies.
"""

from __future__ import annotations

import importlib.metadata
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import psutil
import sqlalchemy as sa
import structlog

from roman_db import session
from roman_db.schema.metadata import table

log = structlog.get_logger()

#: The server, which dates a run, and the machine, which dates a process, may disagree so much.
_CLOCK_DIFFERENCE_S = 60


@runtime_checkable
class Rejection(Protocol):
    """What is said of input that is refused; loaders raise exceptions of this shape."""

    where: str
    what: str
    remedy: str
    code: str


@dataclass(frozen=True)
class Counts:
    """Units of input: ``read = loaded + rejected``; the ``unchanged`` among the loaded were there already."""

    read: int
    loaded: int
    unchanged: int
    rejected: int


@dataclass(frozen=True)
class LoadRun:
    """A run in progress."""

    load_run_id: int

    def count(self, connection: sa.Connection, loaded: int = 0, unchanged: int = 0) -> None:
        """Add units that the database now holds, in the transaction that stores them."""
        runs = table("ops.load_run")
        changed = {
            runs.c.n_read: runs.c.n_read + loaded,
            runs.c.n_loaded: runs.c.n_loaded + loaded,
            runs.c.n_unchanged: runs.c.n_unchanged + unchanged,
        }
        connection.execute(runs.update().where(runs.c.load_run_id == self.load_run_id).values(changed))

    def reject(self, connection: sa.Connection, rejection: Rejection, row_number: int | None = None) -> None:
        """Record a unit that is refused, and why."""
        self.reject_rows(connection, [_rejection_row(rejection, row_number)])
        log.warning("rejected", source=rejection.where, reason=rejection.what, remedy=rejection.remedy)

    def reject_rows(self, connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
        """Record many refused units: each has source, row_number, code, reason and remedy."""
        if not rows:
            return
        mine = [row | {"load_run_id": self.load_run_id} for row in rows]
        connection.execute(table("ops.load_rejection").insert(), mine)
        runs = table("ops.load_run")
        changed = {runs.c.n_read: runs.c.n_read + len(rows), runs.c.n_rejected: runs.c.n_rejected + len(rows)}
        connection.execute(runs.update().where(runs.c.load_run_id == self.load_run_id).values(changed))

    def counts(self) -> Counts:
        """Read the counts as they stand."""
        runs = table("ops.load_run")
        columns = (runs.c.n_read, runs.c.n_loaded, runs.c.n_unchanged, runs.c.n_rejected)
        with session.reading() as connection:
            row = connection.execute(sa.select(*columns).where(runs.c.load_run_id == self.load_run_id)).one()
        return Counts(*row)


@contextmanager
def load_run(task: str, arguments: Mapping[str, Any]) -> Iterator[LoadRun]:
    """Record a run from its beginning to its end; an exception marks it failed (Ctrl-C: interrupted)."""
    run = LoadRun(_begin(task, arguments))
    try:
        yield run
    except BaseException as error:
        state = "failed" if isinstance(error, Exception) else "interrupted"
        _finish(run, state, f"{type(error).__name__}: {error}")
        raise
    _finish(run, "succeeded", None)


def close_dead_runs(connection: sa.Connection) -> None:
    """Mark the runs of this machine whose process is gone as interrupted, with their tasks."""
    dead = dead_runs(connection)
    for name in ("ops.task_run", "ops.load_run"):
        connection.execute(_mark_interrupted(name), {"runs": dead})


def dead_runs(connection: sa.Connection) -> list[int]:
    """Runs that this machine began and whose process is gone."""
    runs = table("ops.load_run")
    open_here = sa.select(runs.c.load_run_id, runs.c.pid, runs.c.started_at).where(
        runs.c.state == "running", runs.c.host == socket.gethostname()
    )
    return [row.load_run_id for row in connection.execute(open_here) if not _alive(row.pid, row.started_at)]


def code_version() -> str:
    """Version of this software."""
    return importlib.metadata.version("roman-db")


def schema_version(connection: sa.Connection) -> str:
    """Revision of the database schema."""
    return str(connection.execute(sa.text("SELECT version_num FROM ops.alembic_version")).scalar_one())


def _begin(task: str, arguments: Mapping[str, Any]) -> int:
    """Insert the row of a run and return its identifier."""
    with session.transaction() as connection:
        close_dead_runs(connection)
        row = {
            "task": task,
            "arguments": dict(arguments),
            "code_version": code_version(),
            "schema_version": schema_version(connection),
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }
        runs = table("ops.load_run")
        return int(connection.execute(runs.insert().returning(runs.c.load_run_id), row).scalar_one())


def _finish(run: LoadRun, state: str, message: str | None) -> None:
    """Close the row of a run."""
    runs = table("ops.load_run")
    closed = {"state": state, "finished_at": sa.func.now(), "message": message}
    with session.transaction() as connection:
        connection.execute(runs.update().where(runs.c.load_run_id == run.load_run_id).values(closed))


def _alive(pid: int, started_at: datetime) -> bool:
    """Whether the process that began a run then still runs; a younger process of that number is another."""
    try:
        process = psutil.Process(pid)
        is_old_enough = process.create_time() <= started_at.timestamp() + _CLOCK_DIFFERENCE_S
        return is_old_enough and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _mark_interrupted(name: str) -> sa.Update:
    """Statement that closes the rows of dead runs."""
    rows = table(name)
    dead = rows.c.load_run_id == sa.func.any(sa.bindparam("runs", type_=sa.ARRAY(sa.BigInteger)))
    return (
        rows.update()
        .where(rows.c.state == "running", dead)
        .values(state="interrupted", finished_at=sa.func.now())
    )


def _rejection_row(rejection: Rejection, row_number: int | None) -> dict[str, Any]:
    """Columns of a rejection."""
    return {
        "source": rejection.where,
        "row_number": row_number,
        "code": rejection.code,
        "reason": rejection.what,
        "remedy": rejection.remedy,
    }
