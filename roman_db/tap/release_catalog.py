"""Tables of data releases as queries name them: columns are what they were when the release was frozen."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import sqlalchemy as sa

from roman_db import session
from roman_db.tap.adql import schema_catalog
from roman_db.tap.adql.catalog import CatalogColumn, CatalogTable
from roman_db.tap.adql.value_type import OPAQUE, Type

_NAME = re.compile(r"\bdr[1-9][0-9]{0,3}\b")
_COLUMNS = sa.text(
    """
    SELECT c.*, t.kind, t.description AS table_description, format_type(a.atttypid, -1) AS type
    FROM ops.data_release_column AS c
    JOIN ops.data_release_table AS t USING (data_release, table_name)
    LEFT JOIN pg_attribute AS a ON a.attrelid = to_regclass(format('%I.%I', data_release, table_name))
        AND a.attname = trim(c.column_name, '"')
    WHERE t.kind <> 'shared' AND data_release = :name
    ORDER BY c.data_release, c.table_name, c.column_index
    """
)
Row = sa.RowMapping


def release_tables(query: str) -> list[CatalogTable]:
    """Tables of the data releases that a query names; none of one that there is not."""
    names = sorted(set(_NAME.findall(query.lower())))
    if not names:
        return []
    database = session.database_url().render_as_string()
    return [table for name in names for table in _tables_of(database, name)]


def _tables_of(database: str, name: str) -> tuple[CatalogTable, ...]:
    """Tables of a data release; what is frozen is read once, and what is not there is looked for again."""
    try:
        return _frozen(database, name)
    except LookupError:
        return ()


@lru_cache(64)
def _frozen(database: str, name: str) -> tuple[CatalogTable, ...]:
    """Tables of a data release of a database, which is the one that connections go to."""
    rows = _read(name)
    if not rows:
        raise LookupError(f"{database} has no data release {name}")
    return tuple(_table(list(one)) for _, one in _by_table(rows))


def _read(name: str) -> list[Row]:
    """Columns of a data release."""
    with session.reading() as connection:
        return list(connection.execute(_COLUMNS, {"name": name}).mappings())


def _by_table(rows: Iterable[Row]) -> itertools.groupby[tuple[str, str], Row]:
    """Rows of each table."""
    return itertools.groupby(rows, key=lambda row: (row["data_release"], row["table_name"]))


def _table(rows: list[Row]) -> CatalogTable:
    """Table of the catalog; how rows are found is as in the table that it is a copy of."""
    schema, name = rows[0]["data_release"], rows[0]["table_name"]
    like = next((one for one in schema_catalog().named(name) if one.schema == "roman"), None)
    coverage = {column.name: column.coverage for column in like.columns} if like else {}
    columns = tuple(replace(_column(row), coverage=coverage.get(_plain(row))) for row in rows)
    if like is None:
        return CatalogTable(schema, name, columns)
    return replace(like, schema=schema, columns=columns)


def _column(row: Row) -> CatalogColumn:
    """Column of the catalog."""
    opaque = row["type"] if row["type"] in OPAQUE else None
    type_ = Type(row["datatype"], row["arraysize"], row["xtype"], opaque)
    return CatalogColumn(_plain(row), type_, row["unit"], row["ucd"], row["description"], row["utype"])


def _plain(row: Row) -> str:
    """Name of a column without the quotes that a query must put around some."""
    return str(row["column_name"]).strip('"')
