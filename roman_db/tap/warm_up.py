"""What the first query would wait for: the catalog, grammars."""

from __future__ import annotations

from roman_db.tap.adql import schema_catalog, translate


def warm_up() -> None:
    """Translate a query, so that the next one is quick."""
    translate("SELECT TOP 1 object_id FROM roman.object", schema_catalog())
