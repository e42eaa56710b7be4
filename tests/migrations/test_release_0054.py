"""Ranges of shards, spectra and redshifts come, and go again.

The database is that of release 0001, brought to revision 0054.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

_NEW = """
    SELECT DISTINCT to_regclass(name) IS NOT NULL
    FROM unnest('{roman.spectrum, roman.redshift, ops.shard_range}'::text []) AS name
"""


@pytest.mark.heavy
def test_what_is_stored_comes_through(old_release):
    migrate.upgrade("0054")
    columns = tables(old_release)
    before = everything(old_release, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    assert execute(old_release, _NEW) == [(True,)]
    assert execute(old_release, "SELECT count(*) FROM roman.redshift_flag") == [(12,)]
    command.downgrade(migrate.alembic_config(), "0054")
    assert execute(old_release, _NEW) == [(False,)]
    migrate.upgrade()
    assert everything(old_release, columns) == before
