"""Comments on the views and their columns; those of tables are part of the DDL that Alembic moves."""

from __future__ import annotations

from collections.abc import Mapping

from roman_db.schema.literal import sql_literal
from roman_db.schema.view import View


def view_comments_sql(views: Mapping[str, View]) -> str:
    """Statements that say of each view and of its columns what they mean, with the units."""
    lines = []
    for name, view in views.items():
        lines.append(f"COMMENT ON VIEW {name} IS {sql_literal(view.description)};")
        lines += [
            f"COMMENT ON COLUMN {name}.{column.name} IS {sql_literal(column.comment)};"
            for column in view.columns
        ]
    return "\n".join(lines) + "\n"
