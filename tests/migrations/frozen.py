"""A database that an earlier release filled, and all rows of a database, to be compared."""

from __future__ import annotations

from pathlib import Path

from tests.roman_db.conftest import execute

FROZEN = Path(__file__).parent / "release_0001.sql.xz"

#: Tables with rows that come with a release: later ones add some, or say what their rows are.
ADDED_TO = {
    "ops.quality_limit", "ops.light_curve_layout", "roman.survey", "roman.field", "roman.season",
    "roman.cadence",
}  # fmt: skip
DEFINED = {"roman.detector", "roman.optical_element", "roman.photometry_flag", "roman.redshift_flag"}

#: Written by Alembic; rows of a release that 0061 corrects where nobody changed them, as its own test sees.
NOT_COMPARED = {"ops.alembic_version", "ops.job_schedule", "ops.delivery_content", "ops.delivery_rule"}

_TABLES = """
SELECT format('%s.%s', nspname, relname), array_agg(attname::text ORDER BY attname)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
WHERE nspname IN ('roman', 'ops') AND relkind IN ('r', 'p') AND NOT relispartition
GROUP BY 1 ORDER BY 1
"""


def tables(url: str) -> dict[str, set[str]]:
    """Columns of every table."""
    return {name: set(columns) for name, columns in execute(url, _TABLES) if name not in NOT_COMPARED}


def rows(url: str, name: str, columns: set[str]) -> list[str]:
    """Rows of a table, of those columns, in an order."""
    listed = ", ".join(sorted(columns))
    found = execute(url, f"SELECT to_jsonb(t)::text FROM (SELECT {listed} FROM {name}) t ORDER BY 1")
    return [row for (row,) in found]


def everything(url: str, of: dict[str, set[str]]) -> dict[str, list[str]]:
    """Rows of all tables."""
    return {name: rows(url, name, columns) for name, columns in of.items()}
