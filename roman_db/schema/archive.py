"""The archive's tables as views in the schema ``archive``, so that it can take rows as well as files.

RAD says which keyword goes to which column, and of which type it is there. A table of products has a row for
each file that was exported, out of ``ops.archive_row``; that of exposures is made of the columns of
``roman.exposure``, ``visit`` and ``program`` that have a ``rad:archive``. A value that does not fit its
column is an error of the query, never a shorter value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from roman_db.schema.literal import sql_literal
from roman_db.schema.model import Column, Table
from roman_db.schema.rad import ARCHIVE_TABLES, ArchiveColumn, archive_columns, keywords

#: The table that is made of stored tables, and these; where two have a column, the first gives it.
_EXPOSURE = "WFIExposure"
_STORED = {"roman.exposure": "e", "roman.visit": "v", "roman.program": "p"}
_FROM_STORED = (
    "FROM roman.exposure AS e LEFT JOIN roman.visit AS v ON v.visit_id = e.visit_id "
    "LEFT JOIN roman.program AS p ON p.program = v.program"
)
_TEXT = re.compile(r"n(?P<var>var)?char\((?P<length>\d+|max)\)")
_TYPES = {
    "tinyint": "smallint",
    "smallint": "smallint",
    "int": "integer",
    "bigint": "bigint",
    "float": "double precision",
    "real": "real",
    "datetime2": "timestamp without time zone",
    "bit": "boolean",
}


def postgresql_type(datatype: str) -> str:
    """Type here of a column of the archive, whose types are those of Transact-SQL; times are UTC.

    >>> postgresql_type("nvarchar(50)")
    'character varying(50)'

    Raises
    ------
    ValueError
        If the type is not known here.
    """
    if match := _TEXT.fullmatch(datatype):
        if match["length"] == "max":
            return "text"
        return f"character{' varying' if match['var'] else ''}({match['length']})"
    if datatype not in _TYPES:
        raise ValueError(f"{datatype!r} is no type of the archive that is known here")
    return _TYPES[datatype]


def archive_views_sql(tables: Mapping[str, Table]) -> str:
    """Statements that make the views with their comments.

    Parameters
    ----------
    tables
        The stored tables by full name.
    """
    return "\n".join(line for name in ARCHIVE_TABLES for line in _view(name, tables)) + "\n"


def archive_reference(tables: Mapping[str, Table]) -> str:
    """Markdown text: each column of the archive's tables, its type, and where its values come from."""
    return "\n\n".join(_section(name, tables) for name in ARCHIVE_TABLES)


def _places(tables: Mapping[str, Table]) -> dict[str, tuple[str, Column]]:
    """Columns of the archive's table of exposures, and which column of which table has their values."""
    found: dict[str, tuple[str, Column]] = {}
    for name in _STORED:
        for column in tables[name].columns:
            table, _, place = (column.archive or "").partition(".")
            if table == _EXPOSURE:
                found.setdefault(place, (name, column))
    return found


def _view(name: str, tables: Mapping[str, Table]) -> Iterator[str]:
    """Statements of one view."""
    view, columns = f"archive.{name.lower()}", archive_columns(name)
    yield f"CREATE OR REPLACE VIEW {view} AS"
    yield from _of_exposures(columns, tables) if name == _EXPOSURE else _of_products(name, columns)
    yield f"COMMENT ON VIEW {view} IS {sql_literal(f'Table {name} of the archive, by RAD.')};"
    for one in columns:
        yield f"COMMENT ON COLUMN {view}.{one.name} IS {sql_literal(one.title)};"


def _of_products(name: str, columns: tuple[ArchiveColumn, ...]) -> Iterator[str]:
    """Query of a table of products."""
    yield "SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t ("
    yield ",\n".join(f"    {one.name} {postgresql_type(one.datatype)}" for one in columns)
    yield f") WHERE r.archive_table = {sql_literal(name)};"


def _of_exposures(columns: tuple[ArchiveColumn, ...], tables: Mapping[str, Table]) -> Iterator[str]:
    """Query of the table of exposures."""
    places = _places(tables)
    yield "SELECT"
    yield ",\n".join(f"    {_value(one, places.get(one.name))} AS {one.name}" for one in columns)
    yield f"{_FROM_STORED};"


def _value(column: ArchiveColumn, place: tuple[str, Column] | None) -> str:
    """Expression of a value in the type of the archive's column; NaN, which that does not have, is NULL."""
    kind = postgresql_type(column.datatype)
    if place is None:
        return f"CAST(NULL AS {kind})"
    table, stored = place
    value = f"{_STORED[table]}.{stored.name}"
    if stored.datatype == "boolean" and kind == "character(1)":
        value = f"CASE {value} WHEN true THEN 'T' WHEN false THEN 'F' END"
    elif stored.datatype == "text" and (match := _TEXT.fullmatch(column.datatype)):
        value = value if match["length"] == "max" else f"archive.fitted({value}, {match['length']})"
    elif stored.datatype == "timestamp":
        value = f"{value} AT TIME ZONE 'UTC'"
    elif stored.datatype in ("float", "double"):
        value = f"nullif({value}, 'NaN')"
    return f"CAST({value} AS {kind})"


def _section(name: str, tables: Mapping[str, Table]) -> str:
    """One table of the archive."""
    places = _places(tables) if name == _EXPOSURE else None
    head = f"## {name}\n\n| column | type | required | from |\n|---|---|---|---|\n"
    rows = []
    for one in archive_columns(name):
        source = _keywords_of(name, one.name) if places is None else _stored_in(places.get(one.name))
        required = "yes" if one.is_required else ""
        rows.append(f"| `{one.name}` | {one.datatype} | {required} | {source} |")
    return head + "\n".join(rows)


def _keywords_of(table: str, column: str) -> str:
    """Keywords of products that go to a column."""
    found = {
        keyword.name: None
        for schema in ARCHIVE_TABLES[table]
        for keyword in keywords(schema)
        if keyword.column(table) == column
    }
    return ", ".join(f"`{name}`" for name in found)


def _stored_in(place: tuple[str, Column] | None) -> str:
    """Stored column, or that there is none."""
    return "**not stored**: NULL" if place is None else f"`{place[0]}.{place[1].name}`"
