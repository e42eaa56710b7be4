"""Queries that accounts keep come to a database with accounts, and go again.

The database is that of release 0001, brought to revision 0046.
"""

import pytest
from alembic import command

from roman_db import migrate
from roman_db.accounts.account_store import NewAccount, create_account
from roman_db.portal.saved_queries import save_query, saved_queries
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute


@pytest.mark.heavy
def test_saved_queries_come_and_what_is_stored_stays(old_release):
    migrate.upgrade("0046")
    columns = tables(old_release)
    before = everything(old_release, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    account = create_account(NewAccount("ada", "ada@example.org", "research"))
    for query in ("SELECT 1", "SELECT 2"):
        save_query(account, "mine", query)
    (kept,) = saved_queries(account)
    assert (kept["name"], kept["query"]) == ("mine", "SELECT 2")
    command.downgrade(migrate.alembic_config(), "0046")
    assert execute(old_release, "SELECT to_regclass('ops.saved_query')") == [(None,)]
    migrate.upgrade()
    assert saved_queries(account) == []


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("role", "may"), [("roman_accounts", True), ("roman_loader", False), ("roman_reader", False)]
)
def test_accounts_alone_read_them(old_release, role, may):
    migrate.upgrade()
    asked = f"SELECT has_table_privilege('{role}', 'ops.saved_query', 'SELECT')"
    assert execute(old_release, asked) == [(may,)]
