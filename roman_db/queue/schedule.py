"""Commands that are put into the queue at their time: rows of ``ops.job_schedule``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from roman_db import sqlfile
from roman_db.queue import storage
from roman_db.queue.job import Job
from roman_db.schema.metadata import table

#: Seasons that ended before the mission's science began are nobody's to do.
_NONE_BEFORE = datetime(2026, 9, 1, tzinfo=UTC)
_WAITS = sa.text(
    """
    SELECT EXISTS (
        SELECT FROM ops.queue_job WHERE state = 'todo' AND lock_name = :lock AND command = :command
    )
    """
)


class NoSuchSchedule(LookupError):
    """There is no schedule of that name."""


def submit_due(connection: sa.Connection) -> list[int]:
    """Put the commands whose time has come into the queue, once whoever asks, and return their jobs.

    One that waits there already is not put there again: it will do all that there is to do.
    """
    due = sa.text(sqlfile.find("jobs", "due_schedule").text)
    submitted = []
    for row in connection.execute(due, {"none_before": _NONE_BEFORE.timestamp()}).all():
        job = Job(command_words(row.command, row.season), priority=row.priority)
        waits = {"lock": job.lock_name, "command": " ".join(job.words)}
        if not connection.execute(_WAITS, waits).scalar_one():
            submitted.append(storage.submit(connection, job))
    return submitted


def command_words(command: str, season: int | None) -> tuple[str, ...]:
    """Words of the command of a schedule, with the number of a season in its place."""
    return tuple(word.replace("{season}", str(season)) for word in shlex.split(command))


def list_schedules(connection: sa.Connection) -> list[dict[str, Any]]:
    """Read the schedules in alphabetical order."""
    rows = table("ops.job_schedule")
    return [dict(row._mapping) for row in connection.execute(sa.select(rows).order_by(rows.c.name))]


def change(connection: sa.Connection, name: str, changed: Mapping[str, Any]) -> None:
    """Change columns of a schedule.

    Raises
    ------
    NoSuchSchedule
        If there is none of that name.
    """
    rows = table("ops.job_schedule")
    done = connection.execute(rows.update().where(rows.c.name == name).values(dict(changed)))
    if not done.rowcount:
        known = ", ".join(row["name"] for row in list_schedules(connection))
        raise NoSuchSchedule(f"there is no schedule {name!r}, only {known}")
