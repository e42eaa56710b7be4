"""Tokens in the database: made, listed, revoked, and checked when somebody signs in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from roman_db import session
from roman_db.accounts.account import Account
from roman_db.accounts.account_store import find_account
from roman_db.accounts.tokens import Scope, Token, matches, new_token, parse_token, scope_words
from roman_db.schema.metadata import table
from roman_db.service_failure import BadRequest, NotFound, NotSignedIn
from roman_db.session import Role

#: Longest life of a token in days.
LONGEST_DAYS = 366
#: Most tokens of an account that are valid at a time.
MOST_TOKENS = 50
#: What is said whatever is wrong with credentials.
_REFUSED = "the name and token do not sign in: the token may be mistyped, expired or revoked"


@dataclass(frozen=True)
class TokenInfo:
    """What is known of a token; not its secret."""

    token_id: str
    description: str
    scopes: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class SignedIn:
    """An account and what it may be used for: the scopes of the token with which it signed in."""

    account: Account
    scopes: frozenset[Scope]


def create_token(
    account: str, scopes: list[str], days: int, description: str = ""
) -> tuple[Token, TokenInfo]:
    """Make a token for an account; the secret in it is nowhere else from now on.

    Parameters
    ----------
    account
        Name of the account.
    scopes
        What it may be used for, words of `Scope`.
    days
        Days until it expires, 1 to `LONGEST_DAYS`.
    description
        What it is for.

    Raises
    ------
    BadRequest
        If the account is not active, or has too many tokens, or one of the others makes no sense.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise BadRequest(f"a token lives 1 to {LONGEST_DAYS} days, got {days}")
    words, token, tokens = scope_words(scopes), new_token(), table("ops.account_token")
    with session.transaction(Role.ACCOUNTS) as connection:
        owner = find_account(connection, name=account)
        if owner.is_anonymous or owner.state != "active":
            raise BadRequest(f"account {account!r} is {owner.state}, and gets no tokens")
        _lock(connection, owner)
        valid = tokens.c.revoked_at.is_(None) & (tokens.c.expires_at > sa.func.now())
        of_it = (tokens.c.account_id == owner.account_id) & valid
        if connection.execute(sa.select(sa.func.count()).where(of_it)).scalar_one() >= MOST_TOKENS:
            raise BadRequest(f"account {account!r} has {MOST_TOKENS} tokens: revoke some first")
        now = datetime.now(UTC)
        info = TokenInfo(token.token_id, description, words, now, now + timedelta(days=days), None, None)
        values = vars(info) | {"account_id": owner.account_id, "digest": token.digest}
        connection.execute(tokens.insert().values(values))
    return token, info


def list_tokens(account: str) -> list[TokenInfo]:
    """Tokens of an account, the newest first.

    Raises
    ------
    NotFound
        If there is no such account.
    """
    tokens = table("ops.account_token")
    columns = [tokens.c[name] for name in TokenInfo.__annotations__]
    with session.transaction(Role.ACCOUNTS) as connection:
        owner = find_account(connection, name=account)
        query = sa.select(*columns).where(tokens.c.account_id == owner.account_id)
        return [TokenInfo(*row) for row in connection.execute(query.order_by(tokens.c.created_at.desc()))]


def revoke_token(token_id: str, account: str | None = None) -> None:
    """Revoke a token from now on; one that is revoked stays so.

    Parameters
    ----------
    token_id
        Its public part.
    account
        Name of the account whose it must be; None for any.

    Raises
    ------
    NotFound
        If there is no such token, or it is somebody else's.
    """
    tokens = table("ops.account_token")
    revoked_at = sa.func.coalesce(tokens.c.revoked_at, sa.func.now())
    change = tokens.update().where(tokens.c.token_id == token_id).values(revoked_at=revoked_at)
    with session.transaction(Role.ACCOUNTS) as connection:
        if account is not None:
            owner = find_account(connection, name=account)
            change = change.where(tokens.c.account_id == owner.account_id)
        if connection.execute(change).rowcount == 0:
            raise NotFound(f"there is no token {token_id[:40]!r}: see roman-db account token list")


def sign_in(text: str, name: str | None = None) -> SignedIn:
    """Return the account that a token signs in.

    Parameters
    ----------
    text
        The token, as its owner keeps it.
    name
        Name of the account, where one was given beside the token: it must be the token's.

    Raises
    ------
    NotSignedIn
        If the token is none, unknown, expired or revoked, or its account is another, suspended or closed: the
        words are the same, and so is the work until then.
    """
    token = parse_token(text) or Token("", "")
    tokens = table("ops.account_token")
    is_valid = tokens.c.revoked_at.is_(None) & (tokens.c.expires_at > sa.func.now())
    columns = (
        tokens.c.account_id,
        tokens.c.digest,
        tokens.c.scopes,
        is_valid.label("is_valid"),
        tokens.c.last_used_at,
    )
    with session.transaction(Role.ACCOUNTS) as connection:
        row = connection.execute(sa.select(*columns).where(tokens.c.token_id == token.token_id)).one_or_none()
        is_right = matches(token, None if row is None else row.digest)
        if row is None or not (is_right and row.is_valid):
            raise NotSignedIn(_REFUSED)
        account = find_account(connection, account_id=row.account_id)
        if account.state != "active" or name not in (None, account.name):
            raise NotSignedIn(_REFUSED)
        _note_use(connection, token.token_id, row.last_used_at)
    return SignedIn(account, frozenset(Scope(word) for word in row.scopes.split()))


def _note_use(connection: sa.Connection, token_id: str, before: datetime | None) -> None:
    """Note when a token was used, at most once an hour: a row is not written for each query."""
    now = datetime.now(UTC)
    if before is None or now - before > timedelta(hours=1):
        tokens = table("ops.account_token")
        connection.execute(tokens.update().where(tokens.c.token_id == token_id).values(last_used_at=now))


def _lock(connection: sa.Connection, account: Account) -> None:
    """Have others who count what the account has wait until this transaction ends."""
    accounts = table("ops.account")
    its_row = sa.select(1).where(accounts.c.account_id == account.account_id)
    connection.execute(its_row.with_for_update(key_share=True))
