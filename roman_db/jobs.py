"""Tasks and pipeline modes: declared once, run inline here or by a queue worker; the science knows neither.

A task lists the units of work that are still to do and does one of them. Both are idempotent: a unit that is
done is not listed again, and a unit that was cut off is listed as if it had never begun. A unit is a name and
JSON: whoever knows the name of its task (`task`) can do it (`run_unit`), in whatever process.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
import structlog

from roman_db import session
from roman_db.load_run import InputFile, LoadRun, Rejection, load_run
from roman_db.locks import LockLost, touching
from roman_db.parallel import WorkerDied
from roman_db.schema.metadata import table

log = structlog.get_logger()

#: Told after each step: text of the unit, steps done, steps in all.
Progress = Callable[[str, int, int], None]

#: Entry points that say where a task is declared: name = "module:object".
TASKS = "roman_db.tasks"


@dataclass(frozen=True)
class Unit:
    """One piece of work: a name for people, and arguments that can be written as JSON."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """A kind of work.

    Parameters
    ----------
    name
        Short name in the imperative, such as ``photometer``.
    purpose
        One line for people.
    units
        Given the arguments of the mode, the units still to do, in order.
    run
        Does one unit: ``run(unit, load_run, progress)``.
    inputs
        What a unit has to account for, found apart from its work: it counts or rejects each, and what it
        leaves when it fails is rejected. Nothing where the task makes what others are measured with: if that
        fails, the unit itself is rejected.
    files
        Files that a unit is given, for the record.
    """

    name: str
    purpose: str
    units: Callable[[Mapping[str, Any]], Sequence[Unit]]
    run: Callable[[Unit, LoadRun, Progress], None]
    inputs: Callable[[Unit], Sequence[str]] = lambda unit: ()
    files: Callable[[Unit], Sequence[InputFile]] = lambda unit: ()


@dataclass(frozen=True)
class Mode:
    """A pipeline mode: tasks in order. A later task lists its units when the earlier ones are done.

    Parameters
    ----------
    touches
        What it writes, in a word that modes share which must not meet; unless said its name.
    scope
        Names of the arguments that say which part of that, from coarse to fine; where one is None, 0 or not
        given it is all parts. Runs of other parts may go on at the same time.
    """

    name: str
    purpose: str
    tasks: tuple[Task, ...]
    touches: str | None = None
    scope: tuple[str, ...] = ()

    def path(self, arguments: Mapping[str, Any]) -> list[str]:
        """Which part a run with these arguments touches, from coarse to fine; empty for all."""
        return list(map(str, itertools.takewhile(bool, map(arguments.get, self.scope))))


def itself(unit: Unit) -> tuple[str]:
    """Name what a unit has to account for that is one piece of work: its own name."""
    return (unit.name,)


class UnknownTask(LookupError):
    """A name under which no task, or more than one, is declared."""


def task(name: str) -> Task:
    """Find a task by its name among the entry points `TASKS` of what is installed.

    Raises
    ------
    UnknownTask
        If there is none, or several.
    """
    entries = importlib.metadata.entry_points(group=TASKS)
    values = {entry.value: entry for entry in entries if entry.name == name}
    if not values:
        known = ", ".join(sorted({entry.name for entry in entries})) or "none"
        remedy = "name one of them, or declare it in pyproject.toml and install roman-db again"
        raise UnknownTask(f"no task {name!r} is declared in the entry points {TASKS}, only {known}: {remedy}")
    if len(values) > 1:
        raise UnknownTask(f"task {name!r} is declared as each of {sorted(values)}: remove all but one")
    (entry,) = values.values()
    found = entry.load()
    if not isinstance(found, Task) or found.name != name:
        raise UnknownTask(
            f"entry point {name!r} of {TASKS} leads to {entry.value}, which is no task {name!r}"
        )
    return found


@dataclass
class ModeReport:
    """What became of the units of a run."""

    load_run_id: int
    succeeded: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


class Cancelled(BaseException):
    """A run was asked to stop, and did before its next unit; like Ctrl-C it is nobody's failure."""


@dataclass
class Watch:
    """Whoever has runs done from outside of them, such as a worker of a queue.

    Parameters
    ----------
    is_cancelled
        Asked before each unit; where it is true the run stops there, and is interrupted.
    reports
        What became of the runs so far.
    """

    is_cancelled: Callable[[], bool]
    reports: list[ModeReport] = field(default_factory=list)


_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Have all runs that are begun within, in this thread, stop and report as a watch asks."""
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)


@dataclass(frozen=True)
class _Piece:
    """A unit of a task in a mode, and what it has to account for."""

    mode: str
    task: Task
    unit: Unit
    inputs: Sequence[str]

    @property
    def name(self) -> str:
        """Name for people."""
        return f"{self.task.name} {self.unit.name}"


def run_mode(mode: Mode, arguments: Mapping[str, Any], progress: Progress) -> ModeReport:
    """Run the tasks of a mode, or raise `LockHeld`. A unit that fails is reported, and the others go on."""
    return _run(mode, f"run {mode.name}", arguments, progress)


def run_unit(name: str, unit: Unit, progress: Progress) -> ModeReport:
    """Do one unit of the task of that name as a run of its own, as a worker does that got it from a queue."""
    alone = replace(task(name), units=lambda arguments: [unit])
    return _run(
        Mode("unit", alone.purpose, (alone,), f"{name} {unit.name}"),
        f"unit of {name}",
        unit.arguments,
        progress,
    )


def _run(mode: Mode, title: str, arguments: Mapping[str, Any], progress: Progress) -> ModeReport:
    """Run the tasks of a mode under a title."""
    part = mode.touches or mode.name, mode.path(arguments)
    with touching(*part) as hold, load_run(title, arguments, hold=hold) as run:
        report = _begin_report(run)
        for one in mode.tasks:
            pieces = [_Piece(mode.name, one, unit, one.inputs(unit)) for unit in list_units(one, arguments)]
            with session.transaction() as connection:
                run.expect_more(connection, sum(len(piece.inputs) for piece in pieces))
            for number, piece in enumerate(pieces):
                progress(piece.name, number, len(pieces))
                _stop_if_cancelled(piece)
                _run_piece(piece, run, progress, report)
            if pieces:
                progress(one.name, len(pieces), len(pieces))
        return report


def _begin_report(run: LoadRun) -> ModeReport:
    """Begin to report on a run, to who watches it, too."""
    report, watch = ModeReport(run.load_run_id), _WATCH.get()
    if watch is not None:
        watch.reports.append(report)
    return report


def _stop_if_cancelled(piece: _Piece) -> None:
    """End the run before a unit, if who watches it wants that."""
    watch = _WATCH.get()
    if watch is not None and watch.is_cancelled():
        raise Cancelled(f"cancelled before {piece.name}")


def list_units(declared: Task, arguments: Mapping[str, Any]) -> list[Unit]:
    """List the units of a task as a worker would get them: their arguments through JSON and back.

    Raises
    ------
    TypeError
        If arguments cannot be written as JSON.
    """
    return [Unit(unit.name, _through_json(declared, unit)) for unit in declared.units(arguments)]


_DONE = """
SELECT unit FROM ops.task_run
WHERE task = ANY(CAST(:tasks AS text[])) AND state = 'succeeded'
  AND load_run_id >= CAST(:load_run_id AS bigint)
"""

_DONE_AFTER = """
SELECT unit FROM ops.task_run
WHERE task = :task AND state = 'succeeded' AND task_run_id > (
    SELECT coalesce(max(task_run_id), 0) FROM ops.task_run
    WHERE task = ANY(CAST(:before AS text[])) AND arguments @> CAST(:given AS jsonb)
)
"""


def done_since(connection: sa.Connection, tasks: Sequence[str], load_run_id: int) -> set[str]:
    """Names of the units of some tasks that succeeded in a run or one after it."""
    given = {"tasks": list(tasks), "load_run_id": load_run_id}
    return set(connection.execute(sa.text(_DONE), given).scalars())


def done_after(
    connection: sa.Connection, task: str, before: Sequence[str], given: Mapping[str, Any]
) -> set[str]:
    """Names of the units of a task that succeeded after all that was done by the tasks on which it builds.

    Unlike `done_since` it tells what is done in one run before and after another task.

    Parameters
    ----------
    before
        Tasks whose attempts, whatever came of them, make it due again.
    given
        Arguments that those attempts had.
    """
    values = {"task": task, "before": list(before), "given": json.dumps(dict(given))}
    return set(connection.execute(sa.text(_DONE_AFTER), values).scalars())


def _through_json(declared: Task, unit: Unit) -> dict[str, Any]:
    """Arguments of a unit, written and read again."""
    try:
        arguments: dict[str, Any] = json.loads(json.dumps(dict(unit.arguments)))
    except (TypeError, ValueError) as error:
        what = f"task {declared.name}, unit {unit.name}: its arguments cannot be written as JSON ({error})"
        raise TypeError(f"{what}: let the task list plain numbers, texts and lists") from error
    return arguments


def _run_piece(piece: _Piece, run: LoadRun, progress: Progress, report: ModeReport) -> None:
    """Run one unit and note what became of it."""
    try:
        with _attempt(piece, run) as own:
            piece.task.run(piece.unit, own, progress)
    except LockLost:  # nor is any other unit ours any more
        raise
    except Exception as error:  # whatever a unit fails of, the other units go on
        # Of input that is refused all is said in the line; how we came there matters of other errors.
        foreseen, said = isinstance(error, Rejection), {"task": piece.task.name, "unit": piece.unit.name}
        log.error("unit failed", **said, error=str(error), exc_info=not foreseen)
        report.failed[piece.name] = _reason(error)
    else:
        report.succeeded.append(piece.name)


@contextmanager
def _attempt(piece: _Piece, run: LoadRun) -> Iterator[LoadRun]:
    """Record one attempt on a unit; what it leaves without account when it fails is rejected."""
    own, last = _open(piece, run), _last_rejection(run)
    try:
        yield own
        with session.transaction() as connection:
            own.check_accounts(connection)
            _close(connection, own, "succeeded", None)
    except BaseException as error:
        has_failed = isinstance(error, Exception)
        with session.transaction() as connection:
            if has_failed:
                _reject_rest(connection, piece, (own, last), error)
            _close(connection, own, "failed" if has_failed else "interrupted", _reason(error))
        raise


def _open(piece: _Piece, run: LoadRun) -> LoadRun:
    """Insert the row of an attempt, and record its files."""
    rows = table("ops.task_run")
    row = {
        "mode": piece.mode,
        "task": piece.task.name,
        "unit": piece.unit.name,
        "arguments": dict(piece.unit.arguments),
        "n_expected": len(piece.inputs),
        "load_run_id": run.load_run_id,
    }
    files = piece.task.files(piece.unit)
    with session.transaction() as connection:
        run.check_hold(connection)
        run.record_inputs(connection, files)
        attempt = connection.execute(rows.insert().returning(rows.c.task_run_id), row).scalar_one()
    return replace(run, task_run_id=int(attempt))


def _last_rejection(run: LoadRun) -> int:
    """Number of the last rejection of a run so far; 0 if there is none."""
    refused = table("ops.load_rejection").c
    query = sa.select(sa.func.coalesce(sa.func.max(refused.load_rejection_id), 0))
    with session.reading() as connection:
        return int(connection.execute(query.where(refused.load_run_id == run.load_run_id)).scalar_one())


def _reject_rest(
    connection: sa.Connection, piece: _Piece, attempt: tuple[LoadRun, int], error: BaseException
) -> None:
    """Reject what a failed unit has not accounted for: by name, or where that is unknown by number.

    Where the unit refused its input, with the code and the remedy of that. An attempt comes with the number
    of the last rejection before it.
    """
    own, last = attempt
    if not piece.inputs:
        own.expect_more(connection, 1)
    missing = own.missing(connection)
    if missing <= 0:
        return
    refused = table("ops.load_rejection").c
    mine = refused.load_run_id == own.load_run_id, refused.load_rejection_id > last
    sources = tuple(connection.execute(sa.select(refused.source).where(*mine)).scalars())
    left = [name for name in piece.inputs if not any(source.startswith(name) for source in sources)]
    # What a unit had stored before it failed is not told apart.
    named = left if len(left) == missing else [piece.name] * missing
    code, remedy = "unit_failed", "Mend the cause, or report it with the log, and give the same command again"
    if isinstance(error, BrokenProcessPool):
        code, remedy = WorkerDied.code, WorkerDied.remedy
    elif isinstance(error, Rejection):
        code, remedy = error.code, error.remedy
    reason = f"{piece.name} failed: {_reason(error)}"
    why = {"row_number": None, "code": code, "reason": reason, "remedy": remedy}
    own.reject_rows(connection, [why | {"source": name} for name in named])


def _reason(error: BaseException) -> str:
    """Say why a unit failed; of input that is refused the sentence is enough."""
    return str(error) if isinstance(error, Rejection) else f"{type(error).__name__}: {error}"


def _close(connection: sa.Connection, own: LoadRun, state: str, message: str | None) -> None:
    """Close the record of an attempt."""
    rows = table("ops.task_run")
    closed = {"state": state, "finished_at": sa.func.now(), "message": message}
    connection.execute(rows.update().where(rows.c.task_run_id == own.task_run_id).values(closed))
