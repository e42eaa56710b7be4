"""The databases of the core's tests."""

from tests.roman_db.conftest import database, new_database, upgraded_template

__all__ = ["database", "new_database", "upgraded_template"]
