"""What is said of an error that we foresaw, and the exit code that goes with it."""

from __future__ import annotations

import errno

import adbc_driver_manager
import psycopg2
import psycopg2.errors
import sqlalchemy as sa
from pydantic import ValidationError

from roman_db.cluster.error import ClusterError
from roman_db.load_run import Rejection, Unreconciled
from roman_db.locks import LockHeld, LockLost
from roman_db.migrate import LaterRelease, UnfitRows
from roman_db.query.error import QueryError, connection_remedy, explained, shard_missing
from roman_db.session import OtherDatabase
from roman_db.settings import Settings
from roman_db.transactions import StillRunning

_FORESEEN = (
    ClusterError,
    LaterRelease,
    LockHeld,
    LockLost,
    OtherDatabase,
    QueryError,
    StillRunning,
    Rejection,
    Unreconciled,
    UnfitRows,
)
#: What the system says of a file that cannot be read or written; all else may be a fault of ours.
_OF_FILES = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
}
_NOT_ALLOWED = (
    "The account of ROMAN_DB_URL may not do that: loading takes a member of roman_loader, an upgrade one of "
    "roman_owner."
)


def words(error: Exception) -> list[str] | None:
    """Return what to say, one text for each fault; None for an error that nobody foresaw."""
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return [_setting(wrong["loc"], wrong["msg"]) for wrong in error.errors()]
    if isinstance(error, sa.exc.DBAPIError) and isinstance(error.orig, Exception):
        return words(error.orig)
    if isinstance(error, psycopg2.Error | adbc_driver_manager.Error):
        return _of_server(error)
    if isinstance(error, OSError) and error.errno in _OF_FILES and error.filename:
        return [
            f"{error.filename}: {error.strerror}. Check the path, its permissions and the room on the disk."
        ]
    return [str(error)] if isinstance(error, _FORESEEN) else None


def exit_code(error: Exception) -> int:
    """Return 2 for what the user has set wrongly, as click does, 1 for all else."""
    return 2 if isinstance(error, ValidationError) else 1


def _setting(place: tuple[int | str, ...], message: str) -> str:
    """Say what is wrong with a setting, or with two that do not go together."""
    said = message.removeprefix("Value error, ")
    variable = "_".join(str(part) for part in place).upper()
    return f"environment variable ROMAN_DB_{variable}: {said}" if variable else said


def _of_server(error: psycopg2.Error | adbc_driver_manager.Error) -> list[str] | None:
    """Words of the server with what to do, where it is about who we are, how to reach it or its shards."""
    said = explained(str(error))
    if said == shard_missing(str(error)):
        return [said]
    remedy = connection_remedy(said)
    if remedy is None and isinstance(error, psycopg2.errors.InsufficientPrivilege):
        remedy = _NOT_ALLOWED
    return None if remedy is None else [f"{said}\n{remedy}"]
