"""The data dictionary: every table and view with its columns and what they mean, for people."""

from __future__ import annotations

from collections.abc import Mapping

from roman_db.schema.metadata import column_type, type_name
from roman_db.schema.model import Column, Table
from roman_db.schema.view import View

_HEAD = """# Data dictionary

Made from `schema/tables/*.yaml` and `schema/views/*.yaml`; the views come last. Units are VOUnits, UCDs those
of the IVOA; *key* marks the primary key.
"""


def data_dictionary(relations: Mapping[str, Table | View]) -> str:
    """Markdown text with a section a table or view."""
    return _HEAD + "".join(_section(relation) for relation in relations.values())


def _section(relation: Table | View) -> str:
    """One table or view."""
    kind = "*View.* " if isinstance(relation, View) else ""
    title = f"\n## {relation.full_name}\n\n{kind}{relation.description}\n\n"
    head = "| column | type | unit | UCD | meaning |\n|---|---|---|---|---|\n"
    key = relation.primary_key if isinstance(relation, Table) else ()
    return title + head + "".join(_row(column, column.name in key) for column in relation.columns)


def _row(column: Column, is_key: bool) -> str:
    """One column."""
    key = " *key*" if is_key else ""
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
