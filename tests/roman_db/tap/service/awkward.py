"""Rows with all that a format can get wrong: limits of types, NaN beside NULL, markup, quotes, scripts."""

from __future__ import annotations

import math
from contextlib import closing
from datetime import UTC, datetime

import psycopg2
import psycopg2.extras

from roman_db.schema.model import Column, read_tables

#: Together they have nearly every type of column that the catalog has.
TABLES = ("source_photometry", "visit", "injected_event_segment", "psf_model", "simulated_source")
N_ROW = 60

TEXTS = (
    "plain", "", "a<b & c>d ]]>", 'say "when", please', "one\ttab", "two\nlines", "Käse, łódź, 星",
    "\U0001f52d", "  blanks  ", "it's; DROP TABLE", "NULL", "back\\slash", "{1,2}",
)  # fmt: skip
REALS = (0.0, -0.0, 1 / 3, math.nan, math.inf, -math.inf, 1e-30, -3.25e30, 16777217.0)
_CHECKS = """
    SELECT conname FROM pg_constraint WHERE conrelid = CAST(%s AS regclass) AND contype IN ('c', 'u')
"""
_OF_TYPE = {
    "text": TEXTS,
    "float": REALS,
    "double": (*REALS, 5e-324, 1.7976931348623157e308, 0.1 + 0.2),
    "long": (0, -1, 2**63 - 1, -(2**63) + 1, 1_234_567_890_123_456_789),
    "int": (0, -1, 2**31 - 1, -(2**31) + 1),
    "short": (0, -1, 2**15 - 1, -(2**15) + 1),
    "boolean": (True, False),
    "binary": (b"", b"\x00\xff<&", b"Roman"),
    "timestamp": (
        datetime(2027, 2, 1, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2031, 6, 5, 4, 3, 2, 100, tzinfo=UTC),
    ),
}


def fill_awkward(url: str) -> None:
    """Add the rows; what the tables check and refer to is not asked."""
    tables = read_tables()
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for name in TABLES:
            table = tables[f"roman.{name}"]
            cursor.execute(_CHECKS, (table.full_name,))
            for (check,) in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table.full_name} DROP CONSTRAINT "{check}" CASCADE')
            cursor.execute(f"DELETE FROM {table.full_name}")
            rows = [
                [_value(column, column.name in table.primary_key, row, place)
                 for place, column in enumerate(table.columns)]
                for row in range(N_ROW)
            ]  # fmt: skip
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            statement = f"INSERT INTO {table.full_name} ({names}) OVERRIDING SYSTEM VALUE VALUES %s"
            psycopg2.extras.execute_values(cursor, statement, rows)


def is_array(column: Column) -> bool:
    """Whether a value has many elements."""
    as_text = ("jsonb", "int8multirange")
    is_one = column.datatype in ("text", "binary") or column.postgresql_type in as_text
    return not is_one and column.arraysize is not None


def _value(column: Column, is_key: bool, row: int, place: int) -> object:
    """Value of a column in a row."""
    if is_key:
        return f"{row:03d}{TEXTS[row % len(TEXTS)]}" if column.datatype == "text" else row
    if column.nullable and (row + place) % 5 == 0:
        return None
    if column.postgresql_type == "int8multirange":
        return f"{{[{row},{row + 7})}}"
    if column.postgresql_type == "jsonb":
        return psycopg2.extras.Json({"a": TEXTS[row % len(TEXTS)]})
    values = _OF_TYPE[column.datatype]
    if is_array(column):
        return [values[(row + place + k) % len(values)] for k in range(row % 4)]
    return values[(row * 7 + place) % len(values)]
