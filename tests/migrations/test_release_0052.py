"""Databases come through to where they know deliveries and data releases, with what is stored, and back.

The database is that of release 0001, brought to revision 0052, with an alert.
"""

import pytest
from alembic import command
from psycopg2.errors import CheckViolation

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

RAISE = "INSERT INTO ops.alert (kind, subject, message) VALUES ('{}', 'x', 'y')"


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0052 with an alert."""
    migrate.upgrade("0052")
    execute(old_release, RAISE.format("run_failed"))
    return old_release


@pytest.mark.heavy
def test_what_is_stored_comes_through_and_back(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert len(before["ops.alert"]) == 1
    with pytest.raises(CheckViolation):
        execute(filled, RAISE.format("delivery_late"))
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    assert execute(filled, "SELECT count(*) FROM ops.delivery_rule") == [(8,)]
    execute(filled, RAISE.format("delivery_late"))
    execute(
        filled,
        "INSERT INTO ops.data_release (data_release, survey, season, calibration, load_run_id) "
        "SELECT 'dr1', 'gbtds', 0, '', max(load_run_id) FROM ops.load_run",
        "CREATE SCHEMA dr1",
        "CREATE VIEW dr1.object AS SELECT * FROM roman.object",
    )
    command.downgrade(migrate.alembic_config(), "0052")
    assert execute(filled, "SELECT count(*) FROM pg_namespace WHERE nspname = 'dr1'") == [(0,)]
    assert everything(filled, columns)["ops.alert"] == before["ops.alert"]
    migrate.upgrade()
    migrate.ensure_current()
