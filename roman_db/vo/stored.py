"""Rows of the queries in ``queries/services``; no other file here asks the database."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import structlog
from adbc_driver_manager import dbapi

from roman_db import sqlfile
from roman_db.service_failure import Failure
from roman_db.tap.accounting import RoleConnections
from roman_db.tap.connections import Held
from roman_db.tap.server_words import from_server

_log = structlog.get_logger()
Rows = list[dict[str, Any]]


def bound(name: str, **values: object) -> str:
    """SQL of a file with values for its parameters; lists are arrays of PostgreSQL."""
    return sqlfile.find("services", name).bind({key: _array(value) for key, value in values.items()})


async def rows_of(connections: RoleConnections, name: str, **values: object) -> Rows:
    """Rows of a file of ``queries/services``.

    Parameters
    ----------
    connections
        Those of whoever asks. Tiers read nothing of the operations: a file that tells of those (where that of
        an exposure is stored) runs as the reader.
    name
        Name of the file without its suffix.
    values
        Values of its parameters.

    Raises
    ------
    Failure
        If the database cannot give them.
    """
    sql = bound(name, **values)
    reads_operations = sqlfile.find("services", name).reads_operations
    lending = connections.readers if reads_operations else connections
    async with lending.lent() as held:
        return await connections.in_thread(lambda: _rows(held, sql, lending.limits.timeout_s))


def _rows(held: Held, sql: str, timeout_s: float) -> Rows:
    """Rows of a statement; one that finds its server gone is asked once more."""
    if held.is_used:
        held.check()
    try:
        with held.connection.cursor() as cursor:
            cursor.execute(sql)
            found: Rows = cursor.fetch_arrow_table().to_pylist()
            return found
    except (dbapi.Error, OSError, pa.ArrowException) as error:
        failure = from_server(str(error), timeout_s)
        if type(failure) is Failure:
            _log.error("query failed", error=str(error))
        raise failure from error


def _array(value: object) -> object:
    """Array as PostgreSQL reads it; other values as they stand."""
    if not isinstance(value, list | tuple):
        return value
    return "{" + ",".join(map(_element, value)) + "}"


def _element(value: object) -> str:
    """Element of an array; the words that come here hold neither quotes nor backslashes."""
    return f'"{value}"' if isinstance(value, str) else repr(value)
