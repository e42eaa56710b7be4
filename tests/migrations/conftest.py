"""The databases of the core's tests, and one that an earlier release filled."""

import lzma

import pytest

from tests.migrations.frozen import FROZEN
from tests.roman_db.conftest import bare_database, database, execute, new_database, upgraded_template

__all__ = ["bare_database", "database", "new_database", "old_release", "upgraded_template"]


@pytest.fixture
def old_release(upgraded_template: str, bare_database: str) -> str:
    """URL of the restored database. The template has made the roles, which belong to a server."""
    # A dump of a private server leaves the extension out: it was made by a server of one process.
    execute(bare_database, "CREATE EXTENSION q3c", lzma.decompress(FROZEN.read_bytes()).decode())
    return bare_database
