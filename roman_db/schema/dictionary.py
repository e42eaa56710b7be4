"""The data dictionary: every table and column with its meaning, for people."""

from __future__ import annotations

from collections.abc import Mapping

from roman_db.schema.metadata import column_type, type_name
from roman_db.schema.model import Column, Table

_HEAD = """# Data dictionary

Made from `schema/tables/*.yaml`. Units are VOUnits, UCDs those of the IVOA; *key* marks the primary key.
"""


def data_dictionary(tables: Mapping[str, Table]) -> str:
    """Markdown text with a section a table."""
    return _HEAD + "".join(_section(table) for table in tables.values())


def _section(table: Table) -> str:
    """One table."""
    title = f"\n## {table.full_name}\n\n{table.description}\n\n"
    head = "| column | type | unit | UCD | meaning |\n|---|---|---|---|---|\n"
    return title + head + "".join(_row(table, column) for column in table.columns)


def _row(table: Table, column: Column) -> str:
    """One column."""
    key = " *key*" if column.name in table.primary_key else ""
    required = "" if column.nullable else " not null"
    refers = f" Refers to `{column.references}`." if column.references else ""
    archive = f" Archive: `{column.archive}`." if column.archive else ""
    cells = (
        f"`{column.name}`{key}",
        type_name(column_type(column)) + required,
        column.unit or "",
        column.ucd or "",
        column.description + refers + archive,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
