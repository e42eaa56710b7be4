"""Partitions of light curves that hold nothing which is needed any more, dropped."""

from __future__ import annotations

import psycopg2.errors
import sqlalchemy as sa

from roman_db import session
from roman_db.transactions import StillRunning, wait_for_others

#: New readers wait behind one who wants to drop what others read, so that one gives up soon.
_LOCK_PATIENCE = "1s"


def drop_retired(patience_s: float) -> int:
    """Drop partitions whose blocks are all superseded, once no transaction may still see them.

    Parameters
    ----------
    patience_s
        Seconds to wait for such transactions; what is still in use then stays until the next call.

    Returns
    -------
    int
        Number of windows and generations dropped.
    """
    with session.transaction() as connection:
        retired = connection.execute(sa.text("SELECT * FROM ops.retired_light_curve_partitions()")).all()
    try:
        wait_for_others(patience_s if retired else 0)
    except StillRunning:
        return 0
    return sum(_drop(*partition) for partition in retired)


def _drop(first: int, last: int, generation: int | None) -> bool:
    """Drop a retired partition, unless readers keep it locked; whether it is gone."""
    statement = sa.text("SELECT ops.drop_light_curve_partition(:first, :last, :generation)")
    try:
        with session.transaction() as connection:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'"))
            connection.execute(statement, {"first": first, "last": last, "generation": generation})
    except sa.exc.OperationalError as error:
        if not isinstance(error.orig, psycopg2.errors.LockNotAvailable):
            raise
        return False
    return True
