"""The stored queue is that of the library that is installed."""

import importlib.resources

from roman_db.resources import folder


def test_the_migration_has_the_schema_of_the_installed_library():
    """Where this fails, the library has moved on: its migrations since then become one of ours."""
    ours = (folder("migrations") / "versions" / "0050_queue.sql").read_text()
    theirs = (importlib.resources.files("procrastinate.sql") / "schema.sql").read_text()
    assert ours.endswith(theirs)
    assert "Permission is hereby granted" in ours.removesuffix(theirs)
