"""What the columns of a result are: their types and, where the schema knows them, unit, UCD and meaning.

PostgreSQL says of every column of a result from which column of which table or view it was taken. For what is
computed, the name decides, if all tables and views that have a column of that name agree.
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
from roman_db.schema.model import Column, Relation, read_tables
from roman_db.schema.view import read_views

_PREFIX, _SUFFIX = "SELECT * FROM (\n", "\n) AS described LIMIT 0"


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
        _result_column(name, field.type_code, origins.get(key) or _named(str(field.name)))
        for name, field, key in zip(names, fields, keys, strict=True)
    )


def _result_column(name: str, type_oid: int, meanings: Sequence[Column]) -> ResultColumn:
    """Put together what is known of a column: of each word what all meanings agree on."""
    unit, ucd, description = (_agreed(getattr(column, word) for column in meanings) for word in _WORDS)
    return ResultColumn(name, type_oid, unit, ucd, description)


_WORDS = ("unit", "ucd", "description")


def _agreed(values: Iterable[str | None]) -> str | None:
    """Return the value that all have, None where they differ."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None


@cache
def _columns() -> dict[tuple[str, str], Column]:
    """Columns of ours by full name of their table or view and their own name."""
    tables = read_tables()
    relations: dict[str, Relation] = {**tables, **read_views(tables)}
    return {(name, column.name): column for name, one in relations.items() for column in one.columns}


def _named(name: str) -> list[Column]:
    """Columns of that name, of whatever table or view."""
    return [column for (_, own), column in _columns().items() if own == name]


def _unique(names: Sequence[str]) -> list[str]:
    """Names with a number after those that occurred before."""
    unique: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        unique.append(next(word for word in itertools.chain([name], numbered) if word not in unique))
    return unique


_ORIGINS = sa.text(
    """
    SELECT a.attrelid, a.attnum, format('%s.%s', n.nspname, c.relname), a.attname
    FROM unnest(CAST(:relations AS oid[]), CAST(:numbers AS smallint[])) AS origin (relation, number)
    JOIN pg_attribute a ON a.attrelid = origin.relation AND a.attnum = origin.number
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    """
)


def _origins(connection: sa.Connection, keys: set[tuple[int, int]]) -> dict[tuple[int, int], list[Column]]:
    """Columns of ours behind the numbers of relations and columns."""
    if not keys:
        return {}
    ordered = sorted(keys)
    arguments = {"relations": [key[0] for key in ordered], "numbers": [key[1] for key in ordered]}
    return {
        (row[0], row[1]): [_columns()[row[2], row[3]]]
        for row in connection.execute(_ORIGINS, arguments)
        if (row[2], row[3]) in _columns()
    }
