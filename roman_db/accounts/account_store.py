"""Accounts in the database: made, found, renewed, moved, closed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.accounts.account import Account
from roman_db.accounts.limits import Grant, Limits, Resource, effective
from roman_db.accounts.statements import statement
from roman_db.schema.metadata import table
from roman_db.service_failure import BadRequest, NotFound
from roman_db.session import Role

_ANY = {"account_id": None, "name": None, "tier": None, "state": None}
_LIMITS = tuple(field.name for field in dataclasses.fields(Limits))
_OTHERS = tuple(field.name for field in dataclasses.fields(Account) if field.name != "limits")
_WHAT_IT_TAKES = {
    "account_name_form_check": "a name has 2 to 31 small letters, digits and _, a letter first",
    "account_name_key": "there is an account of that name",
    "account_email_key": "there is an account with that address",
    "account_email_form_check": "an e-mail address has one @ and no spaces",
    "account_tier_fkey": "there is no such tier",
}


@dataclasses.dataclass(frozen=True)
class NewAccount:
    """What an account is made of."""

    name: str
    email: str
    tier: str
    full_name: str | None = None
    team: str | None = None


def find_account(connection: sa.Connection, **wanted: object) -> Account:
    """Return the one account of a name or identifier.

    Raises
    ------
    NotFound
        If there is none.
    """
    found = list_accounts(connection, **wanted)
    if len(found) != 1:
        named = ", ".join(f"{key} {str(value)[:60]!r}" for key, value in wanted.items())
        raise NotFound(f"there is no account with {named}: see roman-db account list")
    return found[0]


def list_accounts(connection: sa.Connection, **wanted: object) -> list[Account]:
    """Accounts by their names; ``account_id``, ``name``, ``tier`` and ``state`` choose among them."""
    now = datetime.now(UTC)
    return [_account(row, now) for row in connection.execute(statement("account"), _ANY | wanted).mappings()]


def create_account(new: NewAccount) -> Account:
    """Make an account; it has to be renewed after the days of its tier.

    Raises
    ------
    BadRequest
        If the name or address is taken or none, the tier or team does not exist, or the tier is of teams and
        no team is named.
    """
    columns = {"name": new.name, "email": new.email, "full_name": new.full_name}
    with session.transaction(Role.OWNER) as connection:
        place = _place(connection, new.tier, new.team)
        insert = table("ops.account").insert().values(**columns, **place)
        try:
            key = connection.execute(insert).inserted_primary_key
        except sa.exc.IntegrityError as error:
            rule = str(getattr(getattr(error.orig, "diag", None), "constraint_name", None))
            raise BadRequest(f"account {new.name[:60]!r}: {_WHAT_IT_TAKES.get(rule, rule)}") from error
        return find_account(connection, account_id=key[0])  # type: ignore[index]


def renew_account(name: str) -> Account:
    """Renew an account from now on, and let it sign in again if it was suspended.

    Raises
    ------
    BadRequest
        If there is none, or it is closed.
    """
    return _changed(
        name, lambda connection, account: _renewal(connection, account.tier) | {"state": "active"}
    )


def move_account(name: str, tier: str, team: str | None) -> Account:
    """Put an account into a tier and a team, and its role and scratch tables with it; None for no team.

    Raises
    ------
    BadRequest
        If one of them does not exist, or the tier is of teams and no team is named.
    """
    return _changed(name, lambda connection, account: _place(connection, tier, team))


def close_account(name: str) -> Account:
    """Close an account: its tokens are revoked and its scratch tables removed, its ledger stays.

    Raises
    ------
    BadRequest
        If there is none, or it is closed already.
    """
    with session.transaction(Role.OWNER) as connection:
        account = _open_account(connection, name)
        tokens, accounts = table("ops.account_token"), table("ops.account")
        of_it = tokens.c.account_id == account.account_id
        revoked = tokens.update().where(of_it, tokens.c.revoked_at.is_(None)).values(revoked_at=sa.func.now())
        connection.execute(revoked)
        gone = {"state": "closed", "team_id": None}
        connection.execute(accounts.update().where(accounts.c.account_id == account.account_id).values(gone))
        _call(connection, "renew_scratch_rights", account)
        _call(connection, "close_scratch", account)
        return find_account(connection, account_id=account.account_id)


def suspend_due(grace_days: float) -> list[str]:
    """Suspend the accounts whose renewal has passed by more than some days; return their names."""
    with session.transaction(Role.ACCOUNTS) as connection:
        return sorted(connection.execute(statement("suspend_account"), {"grace": grace_days}).scalars())


def due_accounts(within_days: float) -> list[dict[str, Any]]:
    """Accounts whose renewal is due within some days, or has passed, the first due first."""
    with session.transaction(Role.ACCOUNTS) as connection:
        return [
            dict(row)
            for row in connection.execute(statement("account_due"), {"days": within_days}).mappings()
        ]


def list_tiers() -> list[dict[str, Any]]:
    """Rows of the tiers with the number of their accounts that are not closed, the smallest first."""
    tiers, accounts = table("ops.account_tier"), table("ops.account")
    of_it = (accounts.c.tier == tiers.c.tier) & (accounts.c.state != "closed")
    n_account = sa.select(sa.func.count()).where(of_it).scalar_subquery().label("n_account")
    with session.transaction(Role.ACCOUNTS) as connection:
        query = sa.select(tiers, n_account).order_by(tiers.c.rows, tiers.c.tier)
        return [dict(row) for row in connection.execute(query).mappings()]


def apply_tiers() -> None:
    """Make the roles of the tiers in PostgreSQL as their rows say."""
    with session.transaction(Role.OWNER) as connection:
        connection.execute(sa.text("SELECT ops.apply_account_tiers()"))


def _changed(name: str, change: Any) -> Account:
    """Account after a change of its row, with the rights that follow from it."""
    accounts = table("ops.account")
    with session.transaction(Role.OWNER) as connection:
        account = _open_account(connection, name)
        values = change(connection, account)
        connection.execute(
            accounts.update().where(accounts.c.account_id == account.account_id).values(values)
        )
        _call(connection, "renew_scratch_rights", account)
        return find_account(connection, account_id=account.account_id)


def _open_account(connection: sa.Connection, name: str) -> Account:
    """Account that is not closed and somebody's."""
    account = find_account(connection, name=name)
    if account.is_anonymous or account.state == "closed":
        what = "everybody who does not sign in" if account.is_anonymous else "closed"
        raise BadRequest(f"account {name!r} is {what}, and cannot be changed")
    return account


def _place(connection: sa.Connection, tier: str, team: str | None) -> dict[str, object]:
    """Columns of a tier, a team and the renewal that goes with them."""
    tiers, teams = table("ops.account_tier"), table("ops.team")
    row = connection.execute(sa.select(tiers).where(tiers.c.tier == tier)).one_or_none()
    if row is None or row.renewal_days is None:
        raise BadRequest(f"there is no tier {tier[:60]!r} for people: see roman-db account tiers")
    if row.is_shared and team is None:
        raise BadRequest(f"the tier {tier!r} is of teams: name one with --team")
    team_id = None
    if team is not None:
        team_id = connection.execute(sa.select(teams.c.team_id).where(teams.c.name == team)).scalar()
        if team_id is None:
            raise NotFound(f"there is no team {team[:60]!r}: see roman-db account team list")
    return {"tier": tier, "team_id": team_id} | _renewal(connection, tier)


def _renewal(connection: sa.Connection, tier: str) -> dict[str, object]:
    """Columns of a renewal now."""
    tiers = table("ops.account_tier")
    days = connection.execute(sa.select(tiers.c.renewal_days).where(tiers.c.tier == tier)).scalar()
    now = datetime.now(UTC)
    return {"renewed_at": now, "expires_at": None if days is None else now + timedelta(days=days)}


def _call(connection: sa.Connection, function: str, account: Account) -> None:
    """Call a function of ``ops`` that keeps the rights of an account."""
    connection.execute(sa.text(f"SELECT ops.{function}(:account)"), {"account": account.account_id})


def _account(row: sa.RowMapping, now: datetime) -> Account:
    """Account of a row."""
    tier = Limits(**{name: row[name] for name in _LIMITS})
    grants = [
        Grant(Resource(one["resource"]), one["amount"], datetime.fromisoformat(one["expires_at"]))
        for one in row["grants"]
    ]
    return Account(limits=effective(tier, grants, now), **{name: row[name] for name in _OTHERS})
