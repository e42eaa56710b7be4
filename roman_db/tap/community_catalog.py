"""Tables of published collections of the community, as queries name them."""

from __future__ import annotations

import sqlalchemy as sa

from roman_db import session
from roman_db.tap.adql.catalog import CatalogTable
from roman_db.tap.scratch_catalog import scratch_tables

SCHEMA = "community"
#: Those that a reader may read are published; what a column is stands in its comment, as of scratch tables.
_COLUMNS = sa.text(
    """
    SELECT
        n.nspname AS schema, c.relname AS name, a.attname AS column_name, format_type(a.atttypid, -1) AS type,
        col_description(c.oid, a.attnum) AS comment
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = :schema AND c.relkind = 'r' AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1, 2, a.attnum
    """
)


def community_tables(query: str) -> list[CatalogTable]:
    """Tables that a query may name beside those of the release; none where it does not name their schema."""
    if f"{SCHEMA}." not in query.lower():
        return []
    with session.reading() as connection:
        return scratch_tables(
            dict(row) for row in connection.execute(_COLUMNS, {"schema": SCHEMA}).mappings()
        )
