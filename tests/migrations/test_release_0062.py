"""Announced files learn whether they are loaded.

The database is that of release 0001, brought to revision 0062, with a notification of two files.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

_SHA256 = "repeat('a', 64)"
_ANNOUNCED = (
    f"INSERT INTO ops.data_notification (sender, n_file, sha256) VALUES ('SOC', 2, {_SHA256})",
    f"""
    INSERT INTO ops.input_file (kind, filename, path, sha256, size_bytes, load_run_id)
    SELECT 'exposure', 'come.asdf', '/come.asdf', {_SHA256}, 1, max(load_run_id) FROM ops.load_run
    """,
    f"""
    INSERT INTO ops.notified_file (data_notification_id, filename, sha256, size_bytes)
    SELECT data_notification_id, unnest('{{come.asdf, late.asdf}}'::text []), {_SHA256}, 1
    FROM ops.data_notification
    """,
)
_STATES = "SELECT filename, state FROM ops.input_arrival ORDER BY filename"


def test_what_is_stored_comes_through_and_goes_back(old_release):
    migrate.upgrade("0062")
    execute(old_release, *_ANNOUNCED)
    columns = tables(old_release)
    before, states = everything(old_release, columns), [("come.asdf", "loaded"), ("late.asdf", "expected")]
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    assert execute(old_release, _STATES) == states
    noted = "SELECT filename FROM ops.notified_file WHERE file_id IS NOT NULL"
    assert execute(old_release, noted) == [("come.asdf",)]
    command.downgrade(migrate.alembic_config(), "0062")
    assert everything(old_release, columns) == before
    migrate.upgrade()
    assert execute(old_release, _STATES) == states
