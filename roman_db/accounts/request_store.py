"""Requests for exceptional resources: asked by accounts, decided by operators."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from roman_db import session
from roman_db.accounts.account_store import find_account
from roman_db.accounts.limits import Resource
from roman_db.schema.metadata import table
from roman_db.service_failure import BadRequest, NotFound
from roman_db.session import Role

#: Most requests of an account that wait for a decision.
MOST_OPEN = 20
#: Longest reason, in characters.
_LONGEST = 4000


@dataclass(frozen=True)
class ResourceRequest:
    """A request and what became of it; what is not decided is None."""

    resource_request_id: int
    account: str
    resource: str
    amount: float
    reason: str
    asked_at: datetime
    decision: str | None
    granted: float | None
    decided_by: str | None
    decided_at: datetime | None
    remark: str | None
    expires_at: datetime | None


def ask(account: str, resource: str, amount: float, reason: str) -> int:
    """Ask for more of a resource than the tier has; return the number of the request.

    Raises
    ------
    BadRequest
        If there is no such resource, the amount is no more than the account has, nothing is said of why, or
        too many requests wait already.
    """
    if resource not in set(Resource):
        raise BadRequest(f"a resource is one of {', '.join(Resource)}, got {resource[:60]!r}")
    if not (math.isfinite(amount) and 0 < amount < 1e18):
        raise BadRequest(f"an amount is a number above 0 and below 1e18, got {amount!r}")
    if not 0 < len(reason.strip()) <= _LONGEST:
        raise BadRequest(f"say in 1 to {_LONGEST} characters what it is needed for")
    requests = table("ops.resource_request")
    with session.transaction(Role.ACCOUNTS) as connection:
        owner = find_account(connection, name=account)
        if owner.is_anonymous or owner.state != "active":
            raise BadRequest(f"account {account!r} is {owner.state}, and cannot ask")
        if amount <= (has := getattr(owner.limits, resource)):
            raise BadRequest(f"account {account!r} has {has:g} of {resource} already: ask for more than that")
        is_open = (requests.c.account_id == owner.account_id) & requests.c.decision.is_(None)
        if connection.execute(sa.select(sa.func.count()).where(is_open)).scalar_one() >= MOST_OPEN:
            raise BadRequest(
                f"account {account!r} has {MOST_OPEN} requests that wait: have them decided first"
            )
        values = {
            "account_id": owner.account_id,
            "resource": resource,
            "amount": amount,
            "reason": reason.strip(),
        }
        return int(connection.execute(requests.insert().values(values)).inserted_primary_key[0])  # type: ignore[index]


def approve(number: int, by: str, days: int, granted: float | None = None, remark: str | None = None) -> None:
    """Grant what a request asks for, or another amount, for some days.

    Raises
    ------
    BadRequest
        If there is none, it is decided, or the amount or the days make no sense.
    """
    if days < 1:
        raise BadRequest(f"a grant holds for 1 day or more, got {days}")
    if granted is not None and not (math.isfinite(granted) and 0 < granted < 1e18):
        raise BadRequest(f"what is granted is a number above 0 and below 1e18, got {granted!r}")
    requests = table("ops.resource_request")
    amount = requests.c.amount if granted is None else granted
    until = datetime.now(UTC) + timedelta(days=days)
    _decide(number, by, {"decision": "approved", "granted": amount, "expires_at": until, "remark": remark})


def refuse(number: int, by: str, remark: str) -> None:
    """Refuse a request, and say why.

    Raises
    ------
    BadRequest
        If there is none, or it is decided.
    """
    _decide(number, by, {"decision": "refused", "remark": remark})


def list_requests(account: str | None = None, is_open: bool = False) -> list[ResourceRequest]:
    """Requests of an account or of all, the oldest first; if so wanted, those alone that wait."""
    requests, accounts = table("ops.resource_request"), table("ops.account")
    names = [name for name in ResourceRequest.__annotations__ if name != "account"]
    columns = [requests.c[name] for name in names] + [accounts.c.name.label("account")]
    query = sa.select(*columns).join_from(requests, accounts).order_by(requests.c.resource_request_id)
    if account is not None:
        query = query.where(accounts.c.name == account)
    if is_open:
        query = query.where(requests.c.decision.is_(None))
    with session.transaction(Role.ACCOUNTS) as connection:
        return [ResourceRequest(**row) for row in connection.execute(query).mappings()]


def _decide(number: int, by: str, values: dict[str, object]) -> None:
    """Write a decision on a request that has none."""
    requests = table("ops.resource_request")
    is_it = (requests.c.resource_request_id == number) & requests.c.decision.is_(None)
    decided = {"decided_by": by, "decided_at": sa.func.now()} | values
    with session.transaction(Role.OWNER) as connection:  # the service may ask, and decides nothing
        if connection.execute(requests.update().where(is_it).values(decided)).rowcount == 0:
            raise NotFound(f"there is no request {number} that waits: see roman-db account request list")
