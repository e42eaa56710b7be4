"""The ledger: what each account used, one row a query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.accounts.account import Account
from roman_db.accounts.day_quota import Used
from roman_db.accounts.statements import statement
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
    client
        Name of the address of who asked without signing in (`client_name`), for whose day it counts; the
        ledger does not have it.
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
    client: str | None = None


#: What the ledger has of an entry, and what is kept of an address.
_COLUMNS = (
    "account_id", "kind", "outcome", "queued_at", "started_at", "finished_at",
    "seconds", "n_row", "n_byte", "sky_area",
)  # fmt: skip
_OF_ADDRESS = ("client", "n_row", "seconds")


def write_entries(entries: Sequence[Entry], connection: sa.Connection | None = None) -> None:
    """Write rows of the ledger, in a transaction of their own unless one is given."""
    if connection is None:
        with session.transaction(Role.ACCOUNTS) as own:
            write_entries(entries, own)
        return
    connection.execute(statement("note_account_usage"), _arrays(entries, _COLUMNS))
    of_addresses = [one for one in entries if one.client is not None]
    if of_addresses:
        connection.execute(statement("note_address_usage"), _arrays(of_addresses, _OF_ADDRESS))


def _arrays(entries: Sequence[Entry], names: Iterable[str]) -> dict[str, list[Any]]:
    """Values of entries by their names."""
    return {name: [getattr(one, name) for one in entries] for name in names}


def used_since(account: Account, client: str | None, since: datetime) -> Used:
    """What an account has used since a day began.

    Parameters
    ----------
    account
        The account, or its team where that shares its limits.
    client
        Name of the address of who has not signed in, which then counts alone; None for an account.
    since
        Beginning of the day.
    """
    if client is not None:
        name, values = "address_day", {"client": client, "since": since}
    else:
        names = ("account_id", "is_shared", "team_id", "tier")
        name = "account_day"
        values = {one: getattr(account, one) for one in names} | {"since": since}
    with session.transaction(Role.ACCOUNTS) as connection:
        return Used(*connection.execute(statement(name), values).one())


def usage(account_id: int | None, days: float) -> list[dict[str, Any]]:
    """Sums of the ledger by account, kind and outcome over the last days; None for all accounts."""
    values = {"account_id": account_id, "days": days}
    with session.transaction(Role.ACCOUNTS) as connection:
        return [dict(row) for row in connection.execute(statement("account_usage"), values).mappings()]
