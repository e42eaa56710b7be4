"""Transactions beside ours, and waiting for their end: what may be taken away, or begun, only after them."""

from __future__ import annotations

import time

import sqlalchemy as sa

from roman_db import session

_PAUSE_S = 0.05


class StillRunning(RuntimeError):
    """Transactions that had to end have not."""


def wait_for_others(patience_s: float) -> None:
    """Wait until all transactions of this database that run now have ended, whatever began since.

    Raises
    ------
    StillRunning
        If one of them still runs after so many seconds.
    """
    others = _running()
    deadline = time.monotonic() + patience_s
    while others:
        if time.monotonic() > deadline:
            raise StillRunning(
                f"{len(others)} transactions still run after {patience_s:g} s: end them, or try again later"
            )
        time.sleep(_PAUSE_S)
        others &= _running()


def _running() -> set[str]:
    """Transactions of this database, by their virtual identifiers, which do not come again."""
    query = sa.text(
        """
        SELECT l.virtualxid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'virtualxid' AND l.pid <> pg_backend_pid() AND a.datname = current_database()
        """
    )
    with session.transaction() as connection:
        return set(connection.execute(query).scalars())
