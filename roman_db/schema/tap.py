"""Rows of TAP_SCHEMA (IVOA TAP 1.1, section 4) for the tables and views that scientists see."""

from __future__ import annotations

from collections.abc import Mapping

from roman_db.schema.literal import sql_literal
from roman_db.schema.model import Column, Table
from roman_db.schema.view import View

_VOTABLE_TYPE = {
    "boolean": "boolean",
    "short": "short",
    "int": "int",
    "long": "long",
    "float": "float",
    "double": "double",
    "text": "char",
    "timestamp": "char",
    "binary": "unsignedByte",
}


def votable_type(column: Column) -> tuple[str, str | None, str | None]:
    """Datatype, arraysize and xtype of a column in a VOTable."""
    datatype = _VOTABLE_TYPE[column.datatype]
    if column.datatype == "timestamp":
        return datatype, "*", "timestamp"
    if column.postgresql_type == "jsonb":
        return "char", "*", "json"
    if column.postgresql_type == "int8multirange":
        return "char", "*", None
    arraysize = "*" if column.datatype == "binary" else column.arraysize
    return datatype, arraysize, None


def tap_schema_sql(relations: Mapping[str, Table | View]) -> str:
    """Statements that fill ``tap_schema.tables`` and ``tap_schema.columns``."""
    lines = []
    for index, relation in enumerate(relations.values()):
        lines.append(_table_row(relation, index))
        lines += [_column_row(relation, column, place) for place, column in enumerate(relation.columns)]
    return "\n".join(lines) + "\n"


def _table_row(relation: Table | View, index: int) -> str:
    """Statement that inserts one table or view."""
    row = {
        "schema_name": relation.schema,
        "table_name": relation.full_name,
        "table_type": "view" if isinstance(relation, View) else "table",
        "description": relation.description,
        "table_index": index,
    }
    return _insert("tables", row)


def _column_row(relation: Table | View, column: Column, position: int) -> str:
    """Statement that inserts one column."""
    datatype, arraysize, xtype = votable_type(column)
    row = {
        "table_name": relation.full_name,
        "column_name": column.name,
        "datatype": datatype,
        "arraysize": arraysize,
        "xtype": xtype,
        "description": column.description,
        "unit": column.unit,
        "ucd": column.ucd,
        "indexed": int(column.name in relation.indexed),
        "principal": int(column.principal),
        "std": 0,
        "column_index": position,
    }
    return _insert("columns", row)


def _insert(table: str, row: Mapping[str, str | int | None]) -> str:
    """Statement that inserts one row."""
    values = ", ".join(map(sql_literal, row.values()))
    return f"INSERT INTO tap_schema.{table} ({', '.join(row)}) VALUES ({values});"
