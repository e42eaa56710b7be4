"""What the columns of a result are: their types and, where the schema knows them, unit, UCD and meaning.

PostgreSQL says of every column of a result from which column of which table it was taken. A column of a view
means what the column of that name means in the tables which the view reads. For what was computed, the name
decides, if all tables that have a column of that name agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import psycopg2.extensions
import sqlalchemy as sa

from roman_db.query.error import QueryError, from_server
from roman_db.schema.model import Column, read_tables

_PREFIX, _SUFFIX = "SELECT * FROM (\n", "\n) AS described LIMIT 0"

#: Columns that only views have.
_OF_VIEWS = {
    column.name: column
    for column in (
        Column("flags", "int", "Photometry flags: bits as in roman.photometry_flag.", ucd="meta.code.qual"),
        Column(
            "ab_mag",
            "double",
            "AB magnitude; empty where the flux is not positive.",
            unit="mag",
            ucd="phot.mag",
        ),
        Column("ab_mag_err", "double", "Standard error of ab_mag.", unit="mag", ucd="stat.error;phot.mag"),
    )
}


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result.

    Parameters
    ----------
    name
        Name, made unique among the columns.
    type_oid
        PostgreSQL's number of the type.
    unit, ucd, description
        Unit (VOUnits), UCD and meaning; None where they are not known.
    """

    name: str
    type_oid: int
    unit: str | None = None
    ucd: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class _Origin:
    """Relation and column that a column of a result was taken from; for a view, the tables it reads."""

    column: str
    tables: tuple[str, ...]


def describe(connection: sa.Connection, sql: str) -> tuple[ResultColumn, ...]:
    """Describe the columns of a query without running it.

    Raises
    ------
    QueryError
        If the server refuses the query; the message shows the place.
    """
    raw = cast(psycopg2.extensions.connection, connection.connection.driver_connection)
    with raw.cursor() as cursor:
        try:
            cursor.execute(f"{_PREFIX}{sql}{_SUFFIX}")
        except psycopg2.Error as error:
            raise from_server(error, sql, len(_PREFIX)) from error
        fields = cursor.description or ()
    if not fields:
        raise QueryError("the query has no columns")
    keys = [(field.table_oid or 0, field.table_column or 0) for field in fields]
    origins = _origins(connection, {key for key in keys if key[0]})
    names = _unique([str(field.name) for field in fields])
    return tuple(
        _result_column(name, field.type_code, origins.get(key) or _Origin(field.name, ()))
        for name, field, key in zip(names, fields, keys, strict=True)
    )


def _result_column(name: str, type_oid: int, origin: _Origin) -> ResultColumn:
    """Put together what is known of a column."""
    known = [
        columns[origin.column] for table in origin.tables if origin.column in (columns := _columns_of(table))
    ]
    found = known or _columns_by_name().get(origin.column, [])
    unit, ucd, description = (_agreed(getattr(column, word) for column in found) for word in _WORDS)
    return ResultColumn(name, type_oid, unit, ucd, description)


_WORDS = ("unit", "ucd", "description")


def _agreed(values: Iterable[str | None]) -> str | None:
    """Return the value that all have, None where they differ."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None


def _columns_of(table: str) -> dict[str, Column]:
    """Columns of a table of ours, none of any other."""
    described = _tables().get(table)
    return {} if described is None else {column.name: column for column in described.columns}


_tables = cache(read_tables)


@cache
def _columns_by_name() -> dict[str, list[Column]]:
    """Columns of all tables and views by name."""
    found = {name: [column] for name, column in _OF_VIEWS.items()}
    for table in _tables().values():
        for column in table.columns:
            found.setdefault(column.name, []).append(column)
    return found


def _unique(names: Sequence[str]) -> list[str]:
    """Names with a number after those that occurred before."""
    unique: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        unique.append(next(word for word in itertools.chain([name], numbered) if word not in unique))
    return unique


_ORIGINS = sa.text(
    """
    SELECT a.attrelid, a.attnum, a.attname, ARRAY(
        SELECT DISTINCT format('%s.%s', n.nspname, t.relname)
        FROM pg_class t
        JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE t.oid = a.attrelid OR t.oid IN (
            SELECT d.refobjid FROM pg_rewrite r
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            WHERE r.ev_class = a.attrelid AND d.refclassid = 'pg_class'::regclass
        )
        ORDER BY 1
    )
    FROM unnest(CAST(:relations AS oid[]), CAST(:numbers AS smallint[])) AS origin (relation, number)
    JOIN pg_attribute a ON a.attrelid = origin.relation AND a.attnum = origin.number
    """
)


def _origins(connection: sa.Connection, keys: set[tuple[int, int]]) -> dict[tuple[int, int], _Origin]:
    """Names behind the numbers of relations and columns."""
    if not keys:
        return {}
    ordered = sorted(keys)
    arguments = {"relations": [key[0] for key in ordered], "numbers": [key[1] for key in ordered]}
    rows = connection.execute(_ORIGINS, arguments)
    return {(row[0], row[1]): _Origin(row[2], tuple(row[3])) for row in rows}
