"""What addresses have used of a day, and limits of jobs that are not started, come and go again.

The database is that of release 0001, brought to revision 0050.
"""

import pytest
from alembic import command

from roman_db import migrate, session
from roman_db.accounts.account import ANONYMOUS
from roman_db.accounts.account_store import find_account
from roman_db.accounts.client import read_key
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute


@pytest.mark.heavy
def test_each_tier_is_told_its_number_of_jobs_and_what_is_stored_stays(old_release):
    migrate.upgrade("0050")
    execute(old_release, "UPDATE ops.account_tier SET concurrent = 7 WHERE tier = 'entry'")
    columns = tables(old_release)
    before = everything(old_release, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    pending = "SELECT pending_jobs FROM ops.account_tier WHERE tier IN ('anonymous', 'entry') ORDER BY tier"
    assert execute(old_release, pending) == [(80,), (140,)]
    with session.transaction(session.Role.ACCOUNTS) as connection:
        assert find_account(connection, account_id=ANONYMOUS).limits.pending_jobs == 80
    drawn = read_key()
    assert len(drawn) == 72
    command.downgrade(migrate.alembic_config(), "0050")
    assert execute(
        old_release, "SELECT to_regclass('ops.address_usage'), to_regclass('ops.service_key')"
    ) == [(None, None)]
    migrate.upgrade()
    assert read_key() != drawn
    assert everything(old_release, columns) == before
