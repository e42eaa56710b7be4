"""Rows of TAP_SCHEMA (IVOA TAP 1.1, section 4) for the tables and views that scientists see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from roman_db.schema.literal import sql_literal
from roman_db.schema.model import PUBLIC_SCHEMAS, Column, Table
from roman_db.schema.view import View

#: The tables of TAP_SCHEMA, each after those that it refers to.
_TABLES = ("schemas", "tables", "columns", "keys", "key_columns")

#: Schemas whose columns a standard of the IVOA defines.
_OF_STANDARDS = ("ivoa", "tap_schema")

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
    datatype = column.votable_datatype or _VOTABLE_TYPE[column.datatype]
    if column.xtype is not None:
        return datatype, column.arraysize, column.xtype
    if column.datatype == "timestamp":
        return datatype, "*", "timestamp"
    if column.postgresql_type == "jsonb":
        return "char", "*", "json"
    if column.postgresql_type == "int8multirange":
        return "char", "*", None
    arraysize = "*" if column.datatype == "binary" else column.arraysize
    return datatype, arraysize, None


def tap_schema_sql(relations: Mapping[str, Table | View], delimited: Callable[[str], str]) -> str:
    """Statements that fill the tables of ``tap_schema`` anew.

    Parameters
    ----------
    relations
        Tables and views that queries may name, by full name.
    delimited
        Gives the name of a column as a query must write it.
    """
    lines = [f"DELETE FROM tap_schema.{one};" for one in reversed(_TABLES)]
    for index, (schema, description) in enumerate(PUBLIC_SCHEMAS.items()):
        lines.append(
            _insert("schemas", {"schema_name": schema, "description": description, "schema_index": index})
        )
    for index, relation in enumerate(relations.values()):
        lines.append(_table_row(relation, index))
        lines += [
            _column_row(relation, column, place, delimited) for place, column in enumerate(relation.columns)
        ]
    for relation in relations.values():
        lines += _key_rows(relation, relations)
    return "\n".join(lines) + "\n"


def _table_row(relation: Table | View, index: int) -> str:
    """Statement that inserts one table or view."""
    row = {
        "schema_name": relation.schema,
        "table_name": relation.full_name,
        "table_type": "view" if isinstance(relation, View) else "table",
        "utype": relation.utype,
        "description": relation.description,
        "table_index": index,
    }
    return _insert("tables", row)


def _column_row(
    relation: Table | View, column: Column, position: int, delimited: Callable[[str], str]
) -> str:
    """Statement that inserts one column."""
    datatype, arraysize, xtype = votable_type(column)
    row = {
        "table_name": relation.full_name,
        "column_name": delimited(column.name),
        "datatype": datatype,
        "arraysize": arraysize,
        "xtype": xtype,
        "size": int(arraysize) if arraysize is not None and arraysize.isdecimal() else None,
        "description": column.description,
        "utype": column.utype,
        "unit": column.unit,
        "ucd": column.ucd,
        "indexed": int(column.name in relation.indexed),
        "principal": int(column.principal),
        "std": int(relation.schema in _OF_STANDARDS),
        "column_index": position,
    }
    return _insert("columns", row)


def _key_rows(relation: Table | View, relations: Mapping[str, Table | View]) -> Iterator[str]:
    """Statements that insert the references of a table."""
    for column, target, target_column in references(relation, relations):
        key = f"{relation.full_name}.{column.name}"
        row = {"key_id": key, "from_table": relation.full_name, "target_table": target}
        yield _insert("keys", row | {"description": column.description})
        yield _insert(
            "key_columns", {"key_id": key, "from_column": column.name, "target_column": target_column}
        )


def references(
    relation: Table | View, relations: Mapping[str, Table | View]
) -> Iterator[tuple[Column, str, str]]:
    """Columns that refer to others which may be named, with table and column that they refer to."""
    for column in relation.columns if isinstance(relation, Table) else ():
        target, _, target_column = (column.references or "").rpartition(".")
        if target in relations:
            yield column, target, target_column


def _insert(table: str, row: Mapping[str, str | int | None]) -> str:
    """Statement that inserts one row."""
    given = {name: value for name, value in row.items() if value is not None}
    values = ", ".join(map(sql_literal, given.values()))
    return f"INSERT INTO tap_schema.{table} ({', '.join(given)}) VALUES ({values});"
