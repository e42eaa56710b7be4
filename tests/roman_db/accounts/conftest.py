"""A database for the tests of a file, and accounts in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from roman_db import migrate, session
from roman_db.accounts.account import Account
from roman_db.accounts.account_store import NewAccount, create_account, find_account
from roman_db.accounts.team_store import create_team
from tests.roman_db.conftest import databases, upgraded_template

__all__ = ["upgraded_template"]

_count = itertools.count()


@pytest.fixture(scope="module")
def accounts_database(cluster_url: str, upgraded_template: str) -> Iterator[str]:
    """URL of a database, used by ``roman_db`` until the tests of the file end."""
    with pytest.MonkeyPatch.context() as patch, databases(cluster_url, upgraded_template, patch) as make:
        url = make()
        migrate.upgrade()  # rights of a database on temporary tables are not copied with it
        yield url


@pytest.fixture
def new_account(accounts_database: str) -> Callable[..., Account]:
    """Function that makes an account of a new name; a team that does not exist is made."""

    def make(tier: str = "entry", team: str | None = None) -> Account:
        name = f"person{next(_count)}"
        if team is not None and not _has_team(team):
            create_team(team, "tests")
        return create_account(NewAccount(name, f"{name}@example.org", tier, None, team))

    return make


def _has_team(name: str) -> bool:
    with session.transaction(session.Role.OWNER) as connection:
        found = connection.exec_driver_sql("SELECT 1 FROM ops.team WHERE name = %s", (name,))
        return found.first() is not None


def again(account: Account) -> Account:
    """The account as it is stored now."""
    with session.transaction(session.Role.ACCOUNTS) as connection:
        return find_account(connection, account_id=account.account_id)
