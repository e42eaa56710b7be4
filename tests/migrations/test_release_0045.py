"""Accounts come to a database that has none, and go again.

The database is that of release 0001, brought to revision 0045.
"""

import pytest
from alembic import command

from roman_db import migrate
from roman_db.accounts.account_store import NewAccount, create_account
from roman_db.accounts.token_store import create_token, sign_in
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

_TABLES = ("account", "account_tier", "account_token", "account_usage", "resource_request", "team")
_THERE = f"""
    SELECT count(*) FROM pg_tables WHERE schemaname = 'ops' AND tablename IN {_TABLES}
"""


def test_accounts_come_and_what_is_stored_stays(old_release):
    migrate.upgrade("0045")
    columns = tables(old_release)
    before = everything(old_release, columns)
    assert execute(old_release, _THERE) == [(0,)]
    migrate.upgrade()
    migrate.ensure_current()
    assert execute(old_release, _THERE) == [(6,)]
    assert everything(old_release, columns) == before
    account = create_account(NewAccount("ada", "ada@example.org", "research"))
    token, _ = create_token("ada", ["query"], 10)
    assert sign_in(token.text).account == account
    command.downgrade(migrate.alembic_config(), "0045")
    assert execute(old_release, _THERE) == [(0,)]
    assert everything(old_release, columns) == before
    migrate.upgrade()
    assert everything(old_release, columns) == before
    names = "SELECT name FROM ops.account"
    assert execute(old_release, names) == [("anonymous",)]


def test_what_an_operator_changed_of_a_tier_stays(old_release):
    migrate.upgrade()
    execute(old_release, "UPDATE ops.account_tier SET rows = 7 WHERE tier = 'entry'")
    migrate.upgrade()
    assert execute(old_release, "SELECT rows FROM ops.account_tier WHERE tier = 'entry'") == [(7,)]
