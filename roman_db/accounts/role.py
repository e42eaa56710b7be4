"""The role and limits in which a connection of the service runs the queries of an account.

PostgreSQL applies the settings of a role when somebody logs in as it, not when a session takes it on, so
they are set beside it; ``temp_file_limit`` by a function of the owner, as a superuser alone may set it.
"""

from __future__ import annotations

import structlog
from adbc_driver_manager import dbapi

from roman_db.session import milliseconds

_log = structlog.get_logger()
#: What PostgreSQL says where a server lets us make no roles; queries then stay in the reader's.
_NO_ROLE = ("does not exist", "permission denied to set role")


def take_room(cursor: dbapi.Cursor, tier: str | None) -> None:
    """Give a connection the room on disk of a tier, in the role of its login."""
    cursor.execute("RESET ROLE")
    cursor.execute("SELECT ops.take_temporary_room(CAST($1 AS text))", (tier,))
    cursor.fetchone()


def assume(connection: dbapi.Connection, role: str, seconds: float, memory_mb: int, tier: str | None) -> None:
    """Have a connection run the queries of an account until the next call.

    Parameters
    ----------
    connection
        A connection whose statements are read-only, between two statements.
    role
        Role of the account's tier.
    seconds
        Longest time of each.
    memory_mb
        Memory in MiB of each sort or hash of them.
    tier
        Tier that says how much room on disk they have; None for that of the login.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {milliseconds(seconds)}")
        cursor.execute(f"SET work_mem = '{memory_mb}MB'")
        take_room(cursor, tier)
        try:
            cursor.execute(f'SET ROLE "{role}"')
        except dbapi.Error as error:
            if not any(words in str(error) for words in _NO_ROLE):
                raise
            _log.warning("no role of the tier", role=role, remedy="run roman-db upgrade as superuser")
