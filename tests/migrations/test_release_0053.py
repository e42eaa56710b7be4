"""Arrays of segments may be away, and products of the community come, and go again.

The database is that of release 0001, brought to revision 0053.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

_ARRAYS = """
SELECT count(*) FROM pg_attribute
WHERE attrelid = 'roman.light_curve_segment'::regclass AND attname IN ('flux', 'flux_err') AND attnotnull
"""
_POLICIES = "SELECT count(*) FROM pg_policy WHERE polname = 'is_here'"


@pytest.mark.heavy
def test_light_curves_come_through_and_are_read_as_before(old_release):
    migrate.upgrade("0053")
    columns = tables(old_release)
    before = everything(old_release, columns)
    assert before["roman.light_curve_segment"]
    assert execute(old_release, _ARRAYS) == [(2,)]
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    assert execute(old_release, _ARRAYS) == [(0,)]
    assert execute(old_release, _POLICIES) == [(3,)]
    command.downgrade(migrate.alembic_config(), "0053")
    assert execute(old_release, _ARRAYS) == [(2,)]
    assert everything(old_release, columns) == before
    migrate.upgrade()
    assert everything(old_release, columns) == before
