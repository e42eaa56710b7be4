"""The database of the core's tests."""

from tests.roman_db.conftest import database, upgraded_template

__all__ = ["database", "upgraded_template"]
