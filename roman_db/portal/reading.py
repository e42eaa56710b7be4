"""Queries of the portal: files of ``queries/portal``, each in a read-only transaction with a time limit."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pyarrow as pa

from roman_db import session, sqlfile

#: Seconds that a page waits for one query.
TIMEOUT_S = 20.0


def rows(name: str, /, **values: object) -> list[dict[str, Any]]:
    """Rows of a file of ``queries/portal`` by the names of its columns.

    Parameters
    ----------
    name
        Name of the file without its suffix.
    values
        Values of its parameters; arrays as `array` writes them.
    """
    with session.reading() as connection:
        limit = session.milliseconds(TIMEOUT_S)
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit}")
        found = sqlfile.run(connection, _file(name), values).mappings()
        return [dict(row) for row in found]


def row(name: str, /, **values: object) -> dict[str, Any] | None:
    """The first row of a file, None where there is none; as `rows`."""
    found = rows(name, **values)
    return found[0] if found else None


def arrays(name: str, /, **values: object) -> pa.Table:
    """Rows of a file as an Arrow table, for columns that are arrays; as `rows`."""
    statement = _file(name).bind(values)
    with session.arrow_connection(timeout_s=TIMEOUT_S) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetch_arrow_table()


def array(values: Iterable[object]) -> str:
    """Numbers as PostgreSQL writes an array."""
    return "{" + ",".join(str(value) for value in values) + "}"


@cache
def _file(name: str) -> sqlfile.SqlFile:
    return sqlfile.find("portal", name)
