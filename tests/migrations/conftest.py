"""The databases of the core's tests."""

from tests.roman_db.conftest import bare_database, database, new_database, upgraded_template

__all__ = ["bare_database", "database", "new_database", "upgraded_template"]
