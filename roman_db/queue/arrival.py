"""Files that arrive in watched folders: each is loaded once, when it has stayed as it is for a while."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from roman_db import sqlfile
from roman_db.queue import storage
from roman_db.queue.job import Job
from roman_db.queue.watched_files import Seen, look
from roman_db.schema.metadata import table

log = structlog.get_logger()

#: Files of one job: its command line stays far below what systems allow.
_MOST_FILES = 500
_FILES = "{files}"


@dataclass(frozen=True)
class _Noted:
    """What was written down of a folder: when, how many rows that made, and the files that are there."""

    looked_at: datetime
    n_row: int
    files: Mapping[str, Seen]


#: The last look of this process at each folder: what is as it was then is not compared in the database again.
_noted: dict[str, _Noted] = {}


def command_words(command: str, files: Sequence[str]) -> tuple[str, ...]:
    """Words of the command of a folder, with files in their place."""
    words = shlex.split(command)
    return tuple(part for word in words for part in (files if word == _FILES else (word,)))


def submit_arrived(connection: sa.Connection, every_s: float = 0.0) -> list[int]:
    """Look into watched folders, and put into the queue the loading of what is settled; return the jobs.

    A folder at which another worker looks, or looked in the last ``every_s`` seconds, is left to that one.
    The row of one that cannot be read says so.
    """
    folders = table("ops.watched_folder")
    before = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, every_s)
    is_due = sa.func.coalesce(folders.c.looked_at, "-infinity") <= before
    due = sa.select(folders).where(folders.c.is_enabled, is_due).with_for_update(skip_locked=True)
    jobs = []
    for row in connection.execute(due).all():
        problem = None
        try:
            seen = {file.path: file for file in look(Path(row.folder), row.pattern)}
        except OSError as error:
            problem = f"{row.folder}: {error.strerror}"
            log.error("watched folder cannot be read", folder=row.folder, error=error.strerror)
        else:
            _note_changes(connection, row, seen)
            jobs += _submit_settled(connection, row, seen.keys())
        looked = {"looked_at": sa.func.now(), "problem": problem}
        connection.execute(folders.update().where(folders.c.folder == row.folder).values(looked))
    return jobs


def _note_changes(connection: sa.Connection, row: sa.Row[Any], seen: Mapping[str, Seen]) -> None:
    """Note what is not as at the last look: all, if that was another process's or rows were removed."""
    before = _noted.pop(row.folder, None)
    known: Mapping[str, Seen] = {}
    if before is not None and (before.looked_at, before.n_row) == (row.looked_at, _n_row(connection, row)):
        known = before.files
    changed = [file for path, file in seen.items() if known.get(path) != file]
    if changed:
        _note(connection, row.folder, changed)
    now = connection.execute(sa.select(sa.func.now())).scalar_one()
    _noted[row.folder] = _Noted(now, _n_row(connection, row), seen)


def _n_row(connection: sa.Connection, row: sa.Row[Any]) -> int:
    """How many files of a folder are written down."""
    files = table("ops.arrived_file")
    count = sa.select(sa.func.count()).where(files.c.folder == row.folder)
    return int(connection.execute(count).scalar_one())


def _note(connection: sa.Connection, folder: str, seen: Sequence[Seen]) -> None:
    """Note files that are new, or have changed since they were noted."""
    values = {
        "folder": folder,
        "paths": [file.path for file in seen],
        "sizes": [file.size for file in seen],
        "times": [file.modified for file in seen],
    }
    connection.execute(sa.text(sqlfile.find("jobs", "note_arrivals").text), values)


def _submit_settled(connection: sa.Connection, row: sa.Row[Any], present: Set[str]) -> list[int]:
    """Submit jobs for the files that are there and stay as they are."""
    files = table("ops.arrived_file")
    settled = sa.select(files.c.path).where(
        files.c.job_id.is_(None),
        files.c.changed_at <= sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, row.settle_s),
    )
    paths = sorted(present & set(connection.execute(settled).scalars()))
    jobs = []
    for first in range(0, len(paths), _MOST_FILES):
        batch = paths[first : first + _MOST_FILES]
        jobs.append(storage.submit(connection, Job(command_words(row.command, batch), priority=row.priority)))
        mine = files.c.path == sa.func.any(sa.cast(batch, sa.ARRAY(sa.Text)))
        connection.execute(files.update().where(mine).values(job_id=jobs[-1]))
    return jobs


def watch(connection: sa.Connection, folder: Path, chosen: Mapping[str, Any]) -> None:
    """Watch a folder from now on, or change how it is watched."""
    folders = table("ops.watched_folder")
    insert = sa.dialects.postgresql.insert(folders).values({"folder": str(folder), **chosen})
    connection.execute(insert.on_conflict_do_update(index_elements=["folder"], set_=dict(chosen)))


def list_folders(connection: sa.Connection) -> list[dict[str, Any]]:
    """Read the watched folders with how many files arrived, and how many of them wait to be settled."""
    folders, files = table("ops.watched_folder"), table("ops.arrived_file")
    counts = (
        sa.func.count(files.c.path),
        sa.func.count().filter(files.c.path.is_not(None), files.c.job_id.is_(None)),
    )
    query = (
        sa.select(folders, counts[0].label("n_file"), counts[1].label("n_unsettled"))
        .outerjoin(files, files.c.folder == folders.c.folder)
        .group_by(folders.c.folder)
        .order_by(folders.c.folder)
    )
    return [dict(row._mapping) for row in connection.execute(query)]
