"""Values as SQL writes them, for generated statements."""

from __future__ import annotations


def sql_literal(value: str | int | None) -> str:
    """Return a value as SQL."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
