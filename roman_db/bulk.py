"""Rows in bulk: COPY into a table or a staging table, then set-based upserts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import psycopg2.extensions
import sqlalchemy as sa

from roman_db.copy_binary import ChunkReader, encode_column, encode_rows
from roman_db.schema.metadata import table as table_of
from roman_db.schema.metadata import type_name

#: Bytes handed to the server at a time.
_BUFFER = 1 << 20


def copy_rows(
    connection: sa.Connection, table: str, columns: Mapping[str, Any], partition: str | None = None
) -> int:
    """Append rows to a table by binary COPY.

    Parameters
    ----------
    table
        Full name, such as ``roman.object``.
    columns
        Column name to an array or sequence of n values; masked, None and (in floating columns) NaN are NULL.
    partition
        Full name of the partition that holds all the rows, to spare the server looking for it row by row.

    Returns
    -------
    int
        Number of rows written.
    """
    return _copy(connection, partition or table, columns, column_types(table, columns))


def copy_stream(
    connection: sa.Connection, target: str, names: Sequence[str], chunks: Iterator[memoryview]
) -> int:
    """Append rows that are encoded already (see `roman_db.copy_binary`) and return their number."""
    raw = cast(psycopg2.extensions.connection, connection.connection.driver_connection)
    statement = f"COPY {target} ({', '.join(names)}) FROM STDIN (FORMAT binary)"
    with raw.cursor() as cursor:
        cursor.copy_expert(statement, ChunkReader(_one_ahead(chunks)), size=_BUFFER)
        return int(cursor.rowcount)


def _one_ahead(chunks: Iterator[memoryview]) -> Iterator[memoryview]:
    """Make the next chunk on a thread of its own while the server takes in the last one."""
    with ThreadPoolExecutor(1) as pool:
        chunk = pool.submit(next, chunks, None)
        while (ready := chunk.result()) is not None:
            chunk = pool.submit(next, chunks, None)
            yield ready


def stage_rows(
    connection: sa.Connection, name: str, types: Mapping[str, str], columns: Mapping[str, Any]
) -> int:
    """Fill a temporary table of that name and those SQL types, which lasts until the transaction ends."""
    body = ", ".join(f"{column} {sql_type}" for column, sql_type in types.items())
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{name}")
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} ({body}) ON COMMIT DROP")
    count = _copy(connection, f"pg_temp.{name}", columns, types)
    connection.exec_driver_sql(f"ANALYZE pg_temp.{name}")
    return count


def upsert_rows(connection: sa.Connection, table: str, columns: Mapping[str, Any]) -> int:
    """Insert rows, or update those whose primary key is there already; return their number."""
    types = column_types(table, columns)
    stage_rows(connection, "staged_row", types, columns)
    key = [column.name for column in table_of(table).primary_key]
    names = ", ".join(columns)
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name not in key)
    action = f"UPDATE SET {updates}" if updates else "NOTHING"
    result = connection.exec_driver_sql(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM pg_temp.staged_row "
        f"ON CONFLICT ({', '.join(key)}) DO {action}"
    )
    return int(result.rowcount)


def column_types(table: str, names: Mapping[str, Any] | Sequence[str]) -> dict[str, str]:
    """SQL types of columns of a table as PostgreSQL names them."""
    described = table_of(table)
    return {name: _type_name(described.columns[name].type) for name in names}


def _type_name(column_type: sa.types.TypeEngine[Any]) -> str:
    """Name of a type as PostgreSQL's ``format_type`` gives it."""
    name = type_name(column_type)
    return "boolean" if name == "bool" else name


def _copy(
    connection: sa.Connection, target: str, columns: Mapping[str, Any], types: Mapping[str, str]
) -> int:
    """Encode and copy; the columns must have the same number of rows."""
    sizes = {name: len(values) for name, values in columns.items()}
    if len(set(sizes.values())) != 1:
        raise ValueError(f"columns of {target} must have the same number of rows, got {sizes}")
    encoded = [encode_column(values, types[name]) for name, values in columns.items()]
    return copy_stream(connection, target, list(columns), encode_rows(encoded))
