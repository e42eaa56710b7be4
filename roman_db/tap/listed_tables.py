"""Tables of data releases and of the community, which TAP_SCHEMA alone lists."""

from __future__ import annotations

import itertools

import sqlalchemy as sa

from roman_db import session
from roman_db.schema.model import PUBLIC_SCHEMAS, Column, Table
from roman_db.schema.view import View

_COLUMNS = sa.text(
    """
    SELECT t.schema_name, t.table_name AS full_name, t.table_type, coalesce(t.description, '') AS about,
        trim(c.column_name, '"') AS name, c.datatype, c.arraysize, c.xtype, c.unit, c.ucd, c.utype,
        coalesce(c.description, '') AS description, c.principal, c.indexed
    FROM tap_schema.tables AS t JOIN tap_schema.columns AS c USING (table_name)
    WHERE t.schema_name <> ALL (CAST(:known AS text[]))
        AND (CAST(:name AS text) IS NULL OR t.table_name = :name)
    ORDER BY t.schema_name, t.table_index, t.table_name, c.column_index
    """
)
_SCHEMAS = sa.text(
    """
    SELECT schema_name, coalesce(description, '') FROM tap_schema.schemas
    WHERE schema_name <> ALL (CAST(:known AS text[])) ORDER BY schema_index, schema_name
    """
)
#: Sums of hashes, which any change of a row changes.
_STATE = sa.text(
    """
    SELECT (SELECT sum(hash_record_extended(t, 0)) FROM tap_schema.tables AS t),
        (SELECT sum(hash_record_extended(c, 0)) FROM tap_schema.columns AS c),
        (SELECT sum(hash_record_extended(s, 0)) FROM tap_schema.schemas AS s)
    """
)
_KNOWN = list(PUBLIC_SCHEMAS)


def listed_state() -> tuple[object, ...]:
    """What is the same as long as what is listed is."""
    with session.reading() as connection:
        return tuple(connection.execute(_STATE).one())


def listed_schemas() -> dict[str, str]:
    """Schemas beside those of this software, and what is in them."""
    with session.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(_SCHEMAS, {"known": _KNOWN})}


def listed_tables(name: str | None = None) -> list[Table | View]:
    """Descriptions of the tables and views of these schemas.

    Parameters
    ----------
    name
        Full name of the only one that is wanted, which there need not be; None for all.
    """
    with session.reading() as connection:
        rows = list(connection.execute(_COLUMNS, {"known": _KNOWN, "name": name}).mappings())
    by_table = itertools.groupby(rows, key=lambda row: row["full_name"])
    return [_relation(list(columns)) for _, columns in by_table]


def _relation(rows: list[sa.RowMapping]) -> Table | View:
    """Description of a table or view from its columns."""
    first = rows[0]
    columns = tuple(
        Column(
            name=row["name"],
            datatype="text",
            votable_datatype=row["datatype"],
            arraysize=row["arraysize"],
            xtype=row["xtype"],
            description=row["description"],
            unit=row["unit"],
            ucd=row["ucd"],
            utype=row["utype"],
            principal=bool(row["principal"]),
        )
        for row in rows
    )
    schema = first["schema_name"]
    named = (first["full_name"].removeprefix(f"{schema}."), schema, first["about"], columns)
    indexed = tuple(row["name"] for row in rows if row["indexed"])
    return View(*named, frozenset(indexed)) if first["table_type"] == "view" else Table(*named, indexed)
