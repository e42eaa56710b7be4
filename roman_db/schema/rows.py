"""Rows that come with the schema: detectors, optical elements, survey layouts, flags and limits.

One CSV file a table below ``schema/rows``. What defines (detectors, flags) follows the release; what an
operator may change (layouts, limits) is inserted where it is missing and never overwritten.
"""

from __future__ import annotations

import io
from pathlib import Path

import sqlalchemy as sa

from roman_db.resources import folder
from roman_db.schema.metadata import metadata

#: Tables whose rows follow the release; all others belong to the operator once inserted.
_DEFINING = (
    "roman.detector",
    "roman.optical_element",
    "roman.photometry_flag",
    "roman.redshift_flag",
)


def upsert_reference_rows(connection: sa.Connection) -> None:
    """Insert the rows of every file, tables that others refer to first; an older revision may lack some."""
    directory = folder("schema") / "rows"
    exists = sa.text("SELECT to_regclass(:name) IS NOT NULL")
    for table in metadata().sorted_tables:
        path = directory / f"{table.fullname}.csv"
        if path.exists() and connection.execute(exists, {"name": table.fullname}).scalar_one():
            _upsert(connection, table, path)


def _upsert(connection: sa.Connection, table: sa.Table, path: Path) -> None:
    """Copy one file into a temporary table and merge it; an older revision may lack some columns."""
    text = path.read_text()
    given = text.splitlines()[0].split(",")
    stored = {column["name"] for column in sa.inspect(connection).get_columns(table.name, table.schema)}
    names = [name for name in given if name in stored]
    columns = (name if name in stored else f"CAST(NULL AS text) AS {name}" for name in given)
    cursor = connection.connection.cursor()
    cursor.execute(
        "CREATE TEMPORARY TABLE reference_row ON COMMIT DROP AS "
        f"SELECT {', '.join(columns)} FROM {table.fullname} LIMIT 0"
    )
    cursor.copy_expert("COPY pg_temp.reference_row FROM STDIN (FORMAT csv, HEADER)", io.StringIO(text))
    cursor.execute(_merge_statement(table, names))
    cursor.execute("DROP TABLE pg_temp.reference_row")
    cursor.close()


def _merge_statement(table: sa.Table, names: list[str]) -> str:
    """Statement that merges the temporary table."""
    key = [column.name for column in table.primary_key]
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in names if name not in key)
    defining = table.fullname in _DEFINING
    conflict = f"({', '.join(key)}) DO UPDATE SET {updates}" if defining else "DO NOTHING"
    columns = ", ".join(names)
    return (
        f"INSERT INTO {table.fullname} ({columns}) SELECT {columns} FROM pg_temp.reference_row "
        f"ON CONFLICT {conflict}"
    )
