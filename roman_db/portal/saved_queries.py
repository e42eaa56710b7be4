"""Queries that accounts keep by a name."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from roman_db import session
from roman_db.accounts.account import Account
from roman_db.schema.metadata import table
from roman_db.service_failure import NotFound, TooMuch
from roman_db.session import Role

#: Queries of an account.
MOST = 500


def saved_queries(account: Account) -> list[dict[str, Any]]:
    """Queries of an account by their names: ``name``, ``query`` and ``saved_at``."""
    kept = table("ops.saved_query")
    wanted = sa.select(kept.c.name, kept.c.query, kept.c.saved_at).where(
        kept.c.account_id == account.account_id
    )
    with session.transaction(Role.ACCOUNTS) as connection:
        return [dict(row) for row in connection.execute(wanted.order_by(kept.c.name)).mappings()]


def save_query(account: Account, name: str, query: str) -> None:
    """Keep a query; one that has the name is replaced.

    Raises
    ------
    TooMuch
        If the account has `MOST` others.
    """
    kept, accounts = table("ops.saved_query"), table("ops.account")
    values = {"query": query, "saved_at": sa.func.now()}
    given = insert(kept).values(account_id=account.account_id, name=name, **values)
    others = sa.select(sa.func.count()).where(kept.c.account_id == account.account_id, kept.c.name != name)
    own = sa.select(1).where(accounts.c.account_id == account.account_id)
    with session.transaction(Role.ACCOUNTS) as connection:
        connection.execute(own.with_for_update(key_share=True))  # of two at once the second counts the first
        if connection.execute(others).scalar_one() >= MOST:
            raise TooMuch(f"an account keeps {MOST} queries: forget some first")
        connection.execute(given.on_conflict_do_update(index_elements=["account_id", "name"], set_=values))


def forget_query(account: Account, name: str) -> None:
    """Forget a query.

    Raises
    ------
    NotFound
        If the account has none of that name.
    """
    kept = table("ops.saved_query")
    gone = sa.delete(kept).where(kept.c.account_id == account.account_id, kept.c.name == name)
    with session.transaction(Role.ACCOUNTS) as connection:
        if connection.execute(gone).rowcount == 0:
            raise NotFound(f"no query is saved as {name[:80]!r}")
