"""For whom a service reads: the role and limits of an account, in which its queries run.

PostgreSQL applies the settings of a role when somebody logs in as it, not when a session takes it on, so
they are set beside it; ``temp_file_limit`` by a function of the owner, as a superuser alone may set it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import sqlalchemy as sa
from adbc_driver_manager import dbapi

from roman_db.cluster.configuration import READER

#: What PostgreSQL says where a server lets us make no roles; queries then stay in the reader's.
_NO_ROLE = ("does not exist", "permission denied to set role")

#: Gives a transaction room on disk, and says whether it can take on a role; one row.
_ROOM = sa.text(
    "SELECT ops.take_temporary_room(CAST(:tier AS text), true), EXISTS ("
    "SELECT FROM pg_roles WHERE rolname = CAST(:role AS name) AND pg_has_role(oid, 'MEMBER')) AS is_ours"
)


@dataclass(frozen=True)
class Asker:
    """Who asks.

    Parameters
    ----------
    role
        Role of PostgreSQL of the account's tier.
    seconds
        Longest time of each query.
    memory_mb
        Memory in MiB of each sort or hash of a query.
    tier
        Tier that says how much room on disk they have; None for that of the login.
    room_bytes
        That room, as it was read: who has another is another asker.
    """

    role: str
    seconds: float
    memory_mb: int
    tier: str | None
    room_bytes: int | None = None


_asker: ContextVar[Asker | None] = ContextVar("asker", default=None)


@contextmanager
def asked_by(asker: Asker | None) -> Iterator[None]:
    """Have what reads as the reader in this context, in whatever thread, read for somebody; None for us."""
    token = _asker.set(asker)
    try:
        yield
    finally:
        _asker.reset(token)


def current_asker() -> Asker | None:
    """For whom is read in this context; None for us."""
    return _asker.get()


def milliseconds(seconds: float) -> int:
    """Return a time limit as PostgreSQL has it: a very short one is not 0, which is none."""
    return math.ceil(seconds * 1000)


def take_room(cursor: dbapi.Cursor, tier: str | None) -> None:
    """Give a connection the room on disk of a tier, in the role of its login."""
    cursor.execute("RESET ROLE")
    cursor.execute("SELECT ops.take_temporary_room(CAST($1 AS text))", (tier,))
    cursor.fetchone()


def assume(connection: dbapi.Connection, asker: Asker) -> bool:
    """Have a connection run the queries of an account until the next call, and say whether it has the role.

    Where the server has no role of the tier they run as the reader.

    Parameters
    ----------
    connection
        A connection whose statements are read-only, between two statements.
    asker
        Who asks.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {milliseconds(asker.seconds)}")
        cursor.execute(f"SET work_mem = '{asker.memory_mb}MB'")
        take_room(cursor, asker.tier)
        if _takes_on(cursor, asker.role):
            return True
        _say_that_there_is_none(asker)
        _takes_on(cursor, READER)
        return False


def _takes_on(cursor: dbapi.Cursor, role: str) -> bool:
    """Take on a role, and say whether that was possible; where it was not, the login's stays."""
    try:
        cursor.execute(f'SET ROLE "{role}"')
    except dbapi.Error as error:
        if not any(words in str(error) for words in _NO_ROLE):
            raise
        return False
    return True


def assume_here(connection: sa.Connection, asker: Asker) -> None:
    """Have a transaction that reads as the reader run the queries of an account until it ends."""
    limits = f"SET LOCAL statement_timeout = {milliseconds(asker.seconds)}; "
    connection.exec_driver_sql(f"{limits} SET LOCAL work_mem = '{asker.memory_mb}MB'")
    values = {"tier": asker.tier, "role": asker.role}
    if connection.execute(_ROOM, values).one().is_ours:
        connection.exec_driver_sql(f'SET LOCAL ROLE "{asker.role}"')
    else:
        _say_that_there_is_none(asker)


def _say_that_there_is_none(asker: Asker) -> None:
    """Log that queries stay in the role of the reader."""
    import structlog  # noqa: PLC0415 - a tenth of a second that commands are to be spared

    structlog.get_logger().warning(
        "no role of the tier", role=asker.role, remedy="run roman-db upgrade as superuser"
    )
