"""The ledger: what each account used, one row a query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.accounts.account import Account
from roman_db.accounts.day_quota import Used
from roman_db.accounts.statements import statement
from roman_db.schema.metadata import table
from roman_db.session import Role


class Kind(StrEnum):
    """How a query runs."""

    SYNC = "sync"
    ASYNC = "async"
    SCRATCH = "scratch"
    UPLOAD = "upload"
    SERVICE = "service"
    PORTAL = "portal"


class Outcome(StrEnum):
    """How a query ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Entry:
    """One row of the ledger.

    Parameters
    ----------
    account_id, kind, outcome
        Whose, how it ran, how it ended.
    queued_at, started_at, finished_at
        When it was asked, began (None where it never did) and ended, with time zone.
    seconds
        For which it held a place.
    n_row, n_byte
        That were given or stored.
    sky_area
        Area of the sky of which the answer told, in square degrees; None where it is not known.
    """

    account_id: int
    kind: Kind
    outcome: Outcome
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime
    seconds: float
    n_row: int
    n_byte: int
    sky_area: float | None = None


def write_entry(entry: Entry, connection: sa.Connection | None = None) -> None:
    """Write a row of the ledger, in a transaction of its own unless one is given."""
    insert = table("ops.account_usage").insert().values(vars(entry))
    if connection is not None:
        connection.execute(insert)
        return
    with session.transaction(Role.ACCOUNTS) as own:
        own.execute(insert)


def used_since(account: Account, since: datetime) -> Used:
    """What an account, or its team where that shares its limits, has used since a time."""
    names = ("account_id", "is_shared", "team_id", "tier")
    values = {name: getattr(account, name) for name in names} | {"since": since}
    with session.transaction(Role.ACCOUNTS) as connection:
        return Used(*connection.execute(statement("account_day"), values).one())


def usage(account_id: int | None, days: float) -> list[dict[str, Any]]:
    """Sums of the ledger by account, kind and outcome over the last days; None for all accounts."""
    values = {"account_id": account_id, "days": days}
    with session.transaction(Role.ACCOUNTS) as connection:
        return [dict(row) for row in connection.execute(statement("account_usage"), values).mappings()]
