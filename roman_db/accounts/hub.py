"""JupyterHub signs in with the accounts of the database; an optional part, which takes the extra ``hub``.

A user signs in with the name of the account and a token of the scope ``notebook`` as the password. The
notebook server gets a token of its own for queries and scratch tables, in ``ROMAN_TAP_TOKEN``.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Integer, Unicode, default

from roman_db import session
from roman_db.accounts.account import Account
from roman_db.accounts.account_store import find_account
from roman_db.accounts.token_store import create_token, revoke_token, sign_in
from roman_db.accounts.tokens import Scope
from roman_db.service_failure import Failure
from roman_db.session import Role

_VARIABLE = "ROMAN_TAP_TOKEN"


class RomanAuthenticator(Authenticator):
    """Lets in whoever has an active account and a token for notebooks; groups are its tier and team."""

    tap_url = Unicode("", help="Address of TAP, for ROMAN_TAP_URL of notebook servers.").tag(config=True)
    token_days = Integer(7, help="Days that the token of a notebook server lives.").tag(config=True)

    @default("allow_all")
    def _let_all_accounts_in(self) -> bool:
        return True

    @default("manage_groups")
    def _have_groups(self) -> bool:
        return True

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Return the user of a form with name and token; None where they do not sign in."""
        del handler
        return await asyncio.to_thread(_user, data["username"], data["password"])

    async def refresh_user(self, user: Any, handler: Any = None, **more: Any) -> bool | dict[str, Any]:
        """Look again at the account; one that is not active any more has to sign in anew, which fails."""
        del handler, more
        account = await asyncio.to_thread(_account, user.name)
        return _described(account) if _may_work(account) else False

    async def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        """Give a notebook server its token."""
        scopes = [Scope.QUERY.value, Scope.SCRATCH.value]
        token, info = await asyncio.to_thread(
            create_token, user.name, scopes, self.token_days, "notebook server"
        )
        spawner.roman_token_id = info.token_id
        spawner.environment = spawner.environment | {_VARIABLE: token.text, "ROMAN_TAP_URL": self.tap_url}

    async def post_spawn_stop(self, user: Any, spawner: Any) -> None:
        """Revoke the token of a notebook server; that of one which outlived the hub expires by itself."""
        token_id = getattr(spawner, "roman_token_id", None)
        if token_id is not None:
            await asyncio.to_thread(revoke_token, token_id, user.name)


def _user(name: str, token: str) -> dict[str, Any] | None:
    """User whom a name and a token sign in."""
    try:
        signed_in = sign_in(token.strip(), name.strip())
    except Failure:
        return None
    is_let_in = Scope.NOTEBOOK in signed_in.scopes and _may_work(signed_in.account)
    return _described(signed_in.account) if is_let_in else None


def _account(name: str) -> Account:
    with session.transaction(Role.ACCOUNTS) as connection:
        return find_account(connection, name=name)


def _may_work(account: Account) -> bool:
    """Whether an account is active and its renewal has not passed."""
    return account.state == "active" and not account.is_due(datetime.now(UTC))


def _described(account: Account) -> dict[str, Any]:
    """Name and groups, as JupyterHub has them."""
    groups = [f"tier-{account.tier}"] + ([] if account.team is None else [f"team-{account.team}"])
    return {"name": account.name, "groups": groups}
