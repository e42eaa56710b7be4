"""Locks of who works on what, which the server lets go of when a process dies.

What a run touches is a kind of thing and a path to a part of it: ``("season", ("gbtds", "1"))`` are all
results of one season, ``("season", ())`` those of all. Two runs exclude each other where one path begins with
the other.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import sqlalchemy as sa

from roman_db import session

#: Locks of jobs, and of what runs touch, do not get into each other's way, whatever they are called.
_QUEUE, _DATA = "queue", "data"
_TAKE = sa.text("SELECT pg_try_advisory_lock(hashtext(:space), hashtext(:lock))")
_TAKE_SHARED = sa.text("SELECT pg_try_advisory_lock_shared(hashtext(:space), hashtext(:lock))")
_TAKE_NUMBER = sa.text("SELECT pg_advisory_lock(:number)")
#: Nobody can take it beside who has it; what was taken is let go of with the transaction.
_IS_LEFT = sa.text("SELECT pg_try_advisory_xact_lock_shared(:number)")
_GIVE_BACK = sa.text("SELECT pg_advisory_unlock_all()")
_NAME = sa.text("SELECT set_config('application_name', :name, false)")
_IS_HELD = sa.text(
    """
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND classid = CAST((hashtext(:space)::bigint & 4294967295) AS oid)
            AND objid = CAST((hashtext(:lock)::bigint & 4294967295) AS oid)
    )
    """
)
_HOLDERS = sa.text(
    """
    SELECT
        string_agg(DISTINCT a.application_name || ', since ' || date_trunc('second', a.backend_start), '; ')
    FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()
        AND a.datname = current_database() AND a.application_name <> ''
        AND l.classid = CAST((hashtext(:space)::bigint & 4294967295) AS oid)
        AND l.objid = CAST((hashtext(:lock)::bigint & 4294967295) AS oid)
    """
)


class LockHeld(RuntimeError):
    """Another process works under a lock."""


class LockLost(RuntimeError):
    """The server let go of the locks of this process, which it could not reach, and others may have them."""


@dataclass(frozen=True)
class Hold:
    """Locks that are held, told from those that others take later by a number that was never taken before."""

    number: int

    def check(self, connection: sa.Connection) -> None:
        """Make sure in a transaction, before it is committed, that nobody else can have the locks.

        Raises
        ------
        LockLost
            If the connection that holds them is gone.
        """
        if connection.execute(_IS_LEFT, {"number": self.number}).scalar_one():
            raise LockLost(
                "the connection that held the locks of this run is gone, so that others may have done its "
                "work: what was not stored is given up; give the same command again"
            )


@contextmanager
def held(lock: str) -> Iterator[None]:
    """Hold a lock that the server lets go of when this process dies; no transaction is open meanwhile.

    Raises
    ------
    LockHeld
        If another process has it; it says who.
    """
    with _holding(_QUEUE, [lock]):
        yield


def is_held(connection: sa.Connection, lock: str) -> bool:
    """Whether a process holds a lock (`held`), on whatever machine."""
    return bool(connection.execute(_IS_HELD, {"space": _QUEUE, "lock": lock}).scalar_one())


@contextmanager
def touching(kind: str, path: Sequence[str]) -> Iterator[Hold]:
    """Hold a part of a kind of thing for a run, against runs of that part, of parts of it, and of the whole.

    Yields
    ------
    Hold
        By which the run makes sure, when it stores, that it still has it.

    Raises
    ------
    LockHeld
        If another run has any of these; it says who.
    """
    with _holding(_DATA, lock_names(kind, path)) as hold:
        yield hold


@contextmanager
def _holding(space: str, names: Sequence[str]) -> Iterator[Hold]:
    """Hold the last of some locks alone, and the others together with whoever holds them so."""
    engine = session.engine().execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        mine = f"roman-db on {socket.gethostname()[:30]}, process {os.getpid()}"
        connection.execute(_NAME, {"name": mine})
        hold = Hold(secrets.randbits(63))
        try:
            for name in names:
                take = _TAKE if name == names[-1] else _TAKE_SHARED
                if not connection.execute(take, {"space": space, "lock": name}).scalar_one():
                    raise _refusal(connection, space, name)
            connection.execute(_TAKE_NUMBER, {"number": hold.number})
            yield hold
        finally:
            # The server closes a connection some time after this process; whoever asks next asks sooner.
            with suppress(sa.exc.SQLAlchemyError):
                connection.execute(_GIVE_BACK)
            connection.invalidate()  # closed, and with it go the locks, whatever became of the connection


def lock_names(kind: str, path: Sequence[str]) -> list[str]:
    """Names of the locks of a part: those of all that it is a part of, which are shared, and its own.

    Parameters
    ----------
    kind
        What is touched, such as ``season``.
    path
        Which part of it, from coarse to fine; without parts all of it.
    """
    return [" / ".join((kind, *path[:n])) for n in range(len(path) + 1)]


def _refusal(connection: sa.Connection, space: str, name: str) -> LockHeld:
    """Say which lock was not to be had, and who has it."""
    who = connection.execute(_HOLDERS, {"space": space, "lock": name}).scalar_one()
    return LockHeld(
        f"another run works on {name}, or a part of it ({who or 'this account may not see which'}): "
        "give the same command again when that has ended"
    )
