"""Tasks and pipeline modes: declared once, run inline here or by a queue worker; the science knows neither.

A task lists the units of work that are still to do and does one of them. Both are idempotent: a unit that is
done is not listed again, and a unit that was cut off is listed as if it had never begun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog

from roman_db import session
from roman_db.load_run import LoadRun, Rejection, load_run
from roman_db.schema.metadata import table

log = structlog.get_logger()

#: Told after each step: text of the unit, steps done, steps in all.
Progress = Callable[[str, int, int], None]


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
    """

    name: str
    purpose: str
    units: Callable[[Mapping[str, Any]], Sequence[Unit]]
    run: Callable[[Unit, LoadRun, Progress], None]


@dataclass(frozen=True)
class Mode:
    """A pipeline mode: tasks in order. A later task lists its units when the earlier ones are done."""

    name: str
    purpose: str
    tasks: tuple[Task, ...]


@dataclass
class ModeReport:
    """What became of the units of a run."""

    load_run_id: int
    succeeded: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def run_mode(mode: Mode, arguments: Mapping[str, Any], progress: Progress) -> ModeReport:
    """Run the tasks of a mode. A unit that fails is reported, and the others go on."""
    with load_run(f"run {mode.name}", arguments) as run:
        report = ModeReport(run.load_run_id)
        for task in mode.tasks:
            units = task.units(arguments)
            for number, unit in enumerate(units):
                progress(f"{task.name} {unit.name}", number, len(units))
                _run_unit(mode, task, unit, run, progress, report)
            if units:
                progress(task.name, len(units), len(units))
        return report


def _run_unit(
    mode: Mode, task: Task, unit: Unit, run: LoadRun, progress: Progress, report: ModeReport
) -> None:
    """Run one unit and note what became of it."""
    name = f"{task.name} {unit.name}"
    try:
        with _attempt(mode, task, unit, run):
            task.run(unit, run, progress)
    except Exception as error:  # whatever a unit fails of, the other units go on
        # Of input that is refused all is said in the line; how we came there matters of other errors.
        foreseen = isinstance(error, Rejection)
        log.error("unit failed", task=task.name, unit=unit.name, error=str(error), exc_info=not foreseen)
        report.failed[name] = _reason(error)
    else:
        report.succeeded.append(name)


@contextmanager
def _attempt(mode: Mode, task: Task, unit: Unit, run: LoadRun) -> Iterator[None]:
    """Record one attempt on a unit."""
    rows = table("ops.task_run")
    row = {"mode": mode.name, "task": task.name, "unit": unit.name, "load_run_id": run.load_run_id}
    with session.transaction() as connection:
        attempt = connection.execute(rows.insert().returning(rows.c.task_run_id), row).scalar_one()
    try:
        yield
    except BaseException as error:
        state = "failed" if isinstance(error, Exception) else "interrupted"
        _close(attempt, state, _reason(error))
        raise
    _close(attempt, "succeeded", None)


def _reason(error: BaseException) -> str:
    """Say why a unit failed; of input that is refused the sentence is enough."""
    return str(error) if isinstance(error, Rejection) else f"{type(error).__name__}: {error}"


def _close(task_run_id: int, state: str, message: str | None) -> None:
    """Close the record of an attempt."""
    rows = table("ops.task_run")
    closed = {"state": state, "finished_at": sa.func.now(), "message": message}
    with session.transaction() as connection:
        connection.execute(rows.update().where(rows.c.task_run_id == task_run_id).values(closed))
