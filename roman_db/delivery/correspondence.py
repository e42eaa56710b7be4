"""What others write to us: answers of the archive, and notifications of data that are available."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from roman_db import session
from roman_db.delivery import announcement, answer, inputs, storage
from roman_db.query.error import QueryError


@dataclass(frozen=True)
class Done:
    """What came of one step: words for people, and whether it went well."""

    words: str
    is_good: bool = True


def told(step: Callable[[], str]) -> Done:
    """Do a step and tell what came of it; one that goes wrong is told as well."""
    try:
        return Done(step())
    except (QueryError, OSError, ValueError, sa.exc.DataError) as error:
        return Done(_reason(error), is_good=False)


def _reason(error: Exception) -> str:
    """What went wrong; of what the database does not take its own words, without the statement."""
    return str(error.orig).strip() if isinstance(error, sa.exc.DataError) else str(error)


def acknowledge(paths: Iterable[Path]) -> Iterator[Done]:
    """Read answers of the archive and tell what is new; one that is wrong keeps no other from being read.

    Of several answers about a delivery that which was written last counts, and the others are left unread.
    """
    answered: set[str] = set()
    for path in sorted(paths, key=_written, reverse=True):
        done = told(partial(_read_answer, path, answered))
        if done.words:
            yield done


def announce(paths: Iterable[Path]) -> Iterator[Done]:
    """Read notifications; one that is wrong keeps no other from being read."""
    for path in paths:
        yield told(partial(_read_notification, path))


def _written(path: Path) -> int:
    """When a file was written, in nanoseconds by its file system; 0 for one that is gone or none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read_answer(path: Path, answered: set[str]) -> str:
    """Read one answer and say what it is; nothing where it, or a later one of its delivery, was known."""
    found = answer.read(path)
    if found.delivery in answered:
        return ""
    with session.transaction() as connection:
        is_new = storage.record_answer(connection, found)
    answered.add(found.delivery)
    if not is_new:
        return ""
    return f"{found.delivery} is " + ("accepted" if found.accepted else f"rejected: {found.reason}")


def _read_notification(path: Path) -> str:
    """Read one notification and say what it names."""
    found, sha256 = announcement.read(path)
    with session.transaction() as connection:
        is_new = inputs.announce(connection, found, sha256)
    what = f"{len(found.files)} files of {found.sender}"
    return f"{path}: {what} are noted" if is_new else f"{path}: {what} were noted before"
