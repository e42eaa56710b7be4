"""Provenance: every run that writes records what it was given, with which code, and what became of it.

Counts change in the same transaction as the rows that they count, so they are right whenever a run dies. How
much a run was given is counted apart from its work, and a run that does not account for all of it fails.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import psutil
import sqlalchemy as sa
import structlog

from roman_db import session
from roman_db.code_version import code_version
from roman_db.locks import Hold
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


class Unreconciled(RuntimeError):
    """A run does not account for what it was given."""


@dataclass(frozen=True)
class InputFile:
    """A file that a run was given.

    Parameters
    ----------
    role
        ``exposure``, ``mosaic``, ``catalog``, ``mapping`` or ``parameters``.
    path
        Where it is.
    sha256, size_bytes
        Checksum and size of its content; None where it cannot be read.
    file_id
        Its row in ``ops.input_file``, if it has one.
    """

    role: str
    path: str
    sha256: str | None
    size_bytes: int | None
    file_id: int | None = None


@dataclass(frozen=True)
class LoadRun:
    """A run in progress, or the attempt on one unit that is a part of it, and the locks it works under."""

    load_run_id: int
    task_run_id: int | None = None
    hold: Hold | None = None

    def check_hold(self, connection: sa.Connection) -> None:
        """Make sure that nobody else can be doing the same.

        Raises
        ------
        LockLost
            If the server let go of the locks of the run.
        """
        if self.hold is not None:
            self.hold.check(connection)

    def expect(self, connection: sa.Connection, number: int) -> None:
        """Set how many units of input are to be accounted for, as their source says and not their loader."""
        rows, mine = self._accounts()
        connection.execute(rows.update().where(mine).values(n_expected=number))

    def expect_more(self, connection: sa.Connection, number: int) -> None:
        """Add to the units of input that are to be accounted for by the run, and by the attempt."""
        runs, attempts = table("ops.load_run"), table("ops.task_run")
        for rows, key in ((runs, "load_run_id"), (attempts, "task_run_id")):
            identifier = getattr(self, key)
            if identifier is not None:
                more = {"n_expected": sa.func.coalesce(rows.c.n_expected, 0) + number}
                connection.execute(rows.update().where(rows.c[key] == identifier).values(more))

    def record_inputs(self, connection: sa.Connection, files: Sequence[InputFile]) -> None:
        """Record files that the run was given; said again, what was not known of them is added."""
        if not files:
            return
        inputs = table("ops.load_run_input")
        insert = sa.dialects.postgresql.insert(inputs)
        new = {
            "sha256": insert.excluded.sha256,
            "size_bytes": insert.excluded.size_bytes,
            "file_id": sa.func.coalesce(insert.excluded.file_id, inputs.c.file_id),
        }
        again = insert.on_conflict_do_update(index_elements=["load_run_id", "role", "path"], set_=new)
        connection.execute(again, [asdict(file) | {"load_run_id": self.load_run_id} for file in files])

    def register_file(self, connection: sa.Connection, file: InputFile) -> int:
        """Register a file of the kind of its role as the current one, and record it as an input.

        An earlier version that comes back is current again, and of this run.

        Returns
        -------
        int
            Its row in ``ops.input_file``.
        """
        files = table("ops.input_file")
        row = {
            "kind": file.role,
            "filename": Path(file.path).name,
            "path": file.path,
            "sha256": file.sha256,
            "size_bytes": file.size_bytes,
            "load_run_id": self.load_run_id,
        }
        insert = sa.dialects.postgresql.insert(files).values(row)
        again = insert.on_conflict_do_update(
            index_elements=["kind", "sha256"], set_=row | {"superseded_at": sa.null()}
        )
        file_id = int(connection.execute(again.returning(files.c.file_id)).scalar_one())
        self.record_inputs(connection, [replace(file, file_id=file_id)])
        return file_id

    def count(self, connection: sa.Connection, loaded: int = 0, unchanged: int = 0) -> None:
        """Add units that the database now holds, in the transaction that stores them.

        Raises
        ------
        LockLost
            If the server let go of the locks of the run, so that others may store the same.
        """
        self.check_hold(connection)
        self._add(connection, n_read=loaded, n_loaded=loaded, n_unchanged=unchanged)

    def reject(self, connection: sa.Connection, rejection: Rejection, row_number: int | None = None) -> None:
        """Record a unit that is refused, and why."""
        self.reject_rows(connection, [_rejection_row(rejection, row_number)])
        said = {"source": rejection.where, "reason": rejection.what, "remedy": rejection.remedy}
        trace = getattr(rejection, "trace", None)
        if trace is None:
            log.warning("rejected", **said)
        else:
            log.error("rejected", **said, exception=trace)

    def reject_rows(self, connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
        """Record many refused units: each has source, row_number, code, reason and remedy."""
        if not rows:
            return
        mine = [row | {"load_run_id": self.load_run_id} for row in rows]
        connection.execute(table("ops.load_rejection").insert(), mine)
        self._add(connection, n_read=len(rows), n_rejected=len(rows))

    def missing(self, connection: sa.Connection) -> int:
        """Count the units of input that are neither loaded nor rejected."""
        rows, mine = self._accounts()
        return int(connection.execute(sa.select(rows.c.n_expected - rows.c.n_read).where(mine)).scalar_one())

    def check_accounts(self, connection: sa.Connection) -> None:
        """Make sure that what was given is loaded or rejected.

        Raises
        ------
        Unreconciled
            If any of it is missing, or more was counted than was given.
        """
        missing = self.missing(connection)
        if missing:
            raise Unreconciled(self._complaint(missing))

    def counts(self) -> Counts:
        """Read the counts as they stand."""
        runs = table("ops.load_run")
        columns = (runs.c.n_read, runs.c.n_loaded, runs.c.n_unchanged, runs.c.n_rejected)
        with session.reading() as connection:
            row = connection.execute(sa.select(*columns).where(runs.c.load_run_id == self.load_run_id)).one()
        return Counts(*row)

    def _accounts(self) -> tuple[sa.Table, sa.ColumnElement[bool]]:
        """Table and row that are reckoned with: of the attempt where this is one."""
        if self.task_run_id is None:
            rows = table("ops.load_run")
            return rows, rows.c.load_run_id == self.load_run_id
        rows = table("ops.task_run")
        return rows, rows.c.task_run_id == self.task_run_id

    def _add(self, connection: sa.Connection, n_read: int, **numbers: int) -> None:
        """Add to the counts of the run, and of the attempt."""
        runs, attempts = table("ops.load_run"), table("ops.task_run")
        changed = {name: runs.c[name] + number for name, number in {"n_read": n_read, **numbers}.items()}
        connection.execute(runs.update().where(runs.c.load_run_id == self.load_run_id).values(changed))
        if self.task_run_id is not None:
            mine = attempts.c.task_run_id == self.task_run_id
            connection.execute(attempts.update().where(mine).values(n_read=attempts.c.n_read + n_read))

    def _complaint(self, missing: int) -> str:
        """Say what does not add up, and what to do."""
        where = f"run {self.load_run_id}" + (f", attempt {self.task_run_id}" if self.task_run_id else "")
        what = (
            f"{missing} of the inputs that it was given are neither loaded nor rejected"
            if missing > 0
            else f"{-missing} inputs more were counted than it was given"
        )
        return (
            f"{where}: {what}. The loader is at fault: report it with the log, and mistrust what it stored."
        )


@contextmanager
def load_run(
    task: str, arguments: Mapping[str, Any], expected: int = 0, hold: Hold | None = None
) -> Iterator[LoadRun]:
    """Record a run from its beginning to its end; an exception marks it failed (Ctrl-C: interrupted).

    Parameters
    ----------
    task, arguments
        What is done, and with what; the arguments can be written as JSON.
    expected
        Units of input that there are to be accounted for; `LoadRun.expect` says so later where only opening
        the input tells.
    hold
        Locks under which it is done, if it needs any.

    Raises
    ------
    Unreconciled
        If not all of them were loaded or rejected at the end.
    """
    run = LoadRun(_begin(task, arguments, expected), hold=hold)
    try:
        yield run
        with session.transaction() as connection:
            run.check_accounts(connection)
            state, message = _outcome_of_units(connection, run)
            _finish(connection, run, state, message)
    except BaseException as error:
        state = "failed" if isinstance(error, Exception) else "interrupted"
        with session.transaction() as connection:
            _finish(connection, run, state, f"{type(error).__name__}: {error}")
        raise


def close_dead_runs(connection: sa.Connection) -> None:
    """Mark the runs of this machine whose process is gone as interrupted, with their tasks."""
    interrupt_runs(connection, dead_runs(connection))


def interrupt_runs(connection: sa.Connection, load_run_ids: Sequence[int]) -> None:
    """Mark runs whose process is gone as interrupted, with their tasks; what has ended stays as it is."""
    for name in ("ops.task_run", "ops.load_run"):
        connection.execute(_mark_interrupted(name), {"runs": list(load_run_ids)})


def dead_runs(connection: sa.Connection) -> list[int]:
    """Runs that this machine began and whose process is gone."""
    runs = table("ops.load_run")
    open_here = sa.select(runs.c.load_run_id, runs.c.pid, runs.c.started_at).where(
        runs.c.state == "running", runs.c.host == socket.gethostname()
    )
    return [row.load_run_id for row in connection.execute(open_here) if not _alive(row.pid, row.started_at)]


def schema_version(connection: sa.Connection) -> str:
    """Revision of the database schema."""
    return str(connection.execute(sa.text("SELECT version_num FROM ops.alembic_version")).scalar_one())


def _begin(task: str, arguments: Mapping[str, Any], expected: int) -> int:
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
            "n_expected": expected,
        }
        runs = table("ops.load_run")
        return int(connection.execute(runs.insert().returning(runs.c.load_run_id), row).scalar_one())


def _outcome_of_units(connection: sa.Connection, run: LoadRun) -> tuple[str, str | None]:
    """State of a run that came to its end, and a message, by what became of its units of work."""
    units = table("ops.task_run").c
    mine = sa.select(units.task, units.unit, units.state, units.message)
    rows = connection.execute(
        mine.where(units.load_run_id == run.load_run_id).order_by(units.task_run_id)
    ).all()
    failed = [row for row in rows if row.state == "failed"]
    if not failed:
        return "succeeded", None
    first = failed[0]
    message = f"{len(failed)} of {len(rows)} units failed: {first.task} {first.unit}: {first.message}"
    return "partly_failed" if len(failed) < len(rows) else "failed", message


def _finish(connection: sa.Connection, run: LoadRun, state: str, message: str | None) -> None:
    """Close the row of a run."""
    runs = table("ops.load_run")
    closed = {"state": state, "finished_at": sa.func.now(), "message": message}
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
