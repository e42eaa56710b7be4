"""A data release dropped: its tables go, and a row that says what it was stays.

Tables and rows go in one transaction. Points of light curves that nothing else needs go after it, once nobody
reads them any more; whoever is killed in between gives the command again.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2.errors
import sqlalchemy as sa

from roman_db import session
from roman_db.load_run import load_run
from roman_db.release.freeze import ONE_AFTER_THE_OTHER, ReleaseError, find
from roman_db.retired_partitions import drop_retired

#: Readers of a release may take so long before it is dropped; those of partitions are not waited for longer.
_PATIENCE_S = 10
_IS_DELIVERED = sa.text(
    "SELECT EXISTS (SELECT FROM ops.delivery_due WHERE rule = 'release' AND status = 'done' AND name = :name)"
)
_DROP = sa.text("SELECT ops.drop_data_release(:name, :reason)")


@dataclass(frozen=True)
class Dropped:
    """What is free: bytes of the release's own tables, and partitions of light curves that only it held."""

    size_bytes: int
    n_partition: int


def drop(name: str, reason: str | None = None) -> Dropped:
    """Drop a data release; of one that is dropped already, what is left of it.

    Parameters
    ----------
    reason
        Why, though it is what was delivered; None where it is to be dropped only if it is not.

    Raises
    ------
    ReleaseError
        If there is none of that name, it is what was delivered, somebody reads it, or somebody else's view
        needs it.
    """
    with load_run("release drop", {"data_release": name, "reason": reason}, expected=1) as run:
        try:
            with session.engine().begin() as connection:
                connection.exec_driver_sql(ONE_AFTER_THE_OTHER)
                size_bytes = _drop(connection, name, reason)
                run.count(connection, loaded=1, unchanged=int(not size_bytes))
        except (sa.exc.OperationalError, sa.exc.InternalError) as error:
            raise _why_not(name, error) from error
        return Dropped(size_bytes, drop_retired(_PATIENCE_S))


def _drop(connection: sa.Connection, name: str, reason: str | None) -> int:
    """Drop tables and rows of a release, and return their size; 0 where it was done before."""
    one, _ = find(connection, name)
    if one["dropped_at"] is not None:
        return 0
    if reason is None and connection.execute(_IS_DELIVERED, {"name": name}).scalar_one():
        raise ReleaseError(
            f"{name} is not dropped: it is what was delivered of {one['survey']}. Make a release that takes "
            "its place, or say by --despite why it is dropped all the same"
        )
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE_S}s'")
    return int(connection.execute(_DROP, {"name": name, "reason": reason}).scalar_one())


def _why_not(name: str, error: sa.exc.DBAPIError) -> Exception:
    """What keeps a release from being dropped, in words; another error as it is."""
    if isinstance(error.orig, psycopg2.errors.LockNotAvailable):
        return ReleaseError(
            f"{name} is not dropped: somebody reads it. Try again when their queries have ended"
        )
    if isinstance(error.orig, psycopg2.errors.DependentObjectsStillExist):
        needed = (error.orig.diag.message_detail or "").replace("\n", "; ")
        return ReleaseError(f"{name} is not dropped, since others were made of it: {needed}")
    return error
