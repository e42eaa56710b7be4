"""Rows of TAP_SCHEMA (IVOA TAP 1.1, section 4) for the tables that scientists see."""

from __future__ import annotations

from collections.abc import Mapping

from roman_db.schema.model import Column, Table

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


def tap_schema_sql(tables: Mapping[str, Table]) -> str:
    """Statements that fill ``tap_schema.tables`` and ``tap_schema.columns``."""
    lines = []
    for index, table in enumerate(tables.values()):
        values = (table.schema, table.full_name, "table", table.description, index)
        lines.append(
            _insert(
                "tables", ("schema_name", "table_name", "table_type", "description", "table_index"), values
            )
        )
        lines += [_column_row(table, column, position) for position, column in enumerate(table.columns)]
    return "\n".join(lines) + "\n"


def _column_row(table: Table, column: Column, position: int) -> str:
    """Statement that inserts one column."""
    datatype, arraysize, xtype = votable_type(column)
    indexed = int(column.name in table.primary_key[:1] or column.name in ("ra", "dec"))
    row = {
        "table_name": table.full_name,
        "column_name": column.name,
        "datatype": datatype,
        "arraysize": arraysize,
        "xtype": xtype,
        "description": column.description,
        "unit": column.unit,
        "ucd": column.ucd,
        "indexed": indexed,
        "principal": int(column.principal),
        "std": 0,
        "column_index": position,
    }
    return _insert("columns", tuple(row), tuple(row.values()))


def _insert(table: str, names: tuple[str, ...], values: tuple[object, ...]) -> str:
    """Statement that inserts one row."""
    return f"INSERT INTO tap_schema.{table} ({', '.join(names)}) VALUES ({', '.join(map(_literal, values))});"


def _literal(value: object) -> str:
    """Value as SQL."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
