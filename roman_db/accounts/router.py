"""``/account``: who am I, what may I use, what have I used, my tokens, and asking for more."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import BaseModel, Field

from roman_db.accounts import request_store, scratch, token_store, usage
from roman_db.accounts.authentication import Respond, SignIn, current_account, require
from roman_db.accounts.limits import Resource
from roman_db.accounts.storable import Storable
from roman_db.accounts.token_store import LONGEST_DAYS, SignedIn
from roman_db.accounts.tokens import Scope
from roman_db.service_failure import Forbidden

router = APIRouter(prefix="/account", tags=["account"])
Caller = Annotated[SignedIn, Depends(current_account)]


class TokenWish(BaseModel):
    """A token that is wanted."""

    scopes: list[Scope] = Field(min_length=1)
    days: int = Field(default=90, ge=1, le=LONGEST_DAYS)
    description: Storable = Field(default="", max_length=200)


class ResourceWish(BaseModel):
    """An exceptional resource that is asked for."""

    resource: Resource
    amount: float = Field(gt=0, lt=1e18, allow_inf_nan=False)
    reason: Storable = Field(min_length=1, max_length=4000)


def add_accounts(application: FastAPI, respond: Respond) -> None:
    """Add ``/account`` to an application, and signing in.

    Parameters
    ----------
    application
        The application.
    respond
        Makes the answer that says why nobody is signed in.
    """
    application.include_router(router)
    application.add_middleware(SignIn, respond=respond)


@router.get("")
def who_am_i(caller: Caller) -> dict[str, Any]:
    """Say who asks, with what limits, and what the token may be used for."""
    account = caller.account
    names = ("name", "full_name", "email", "tier", "team", "state", "renewed_at", "expires_at")
    described: dict[str, Any] = {name: getattr(account, name) for name in names}
    return described | {
        "is_anonymous": account.is_anonymous,
        "scopes": sorted(caller.scopes),
        "limits": dataclasses.asdict(account.limits),
        "limits_are_shared": account.shares_limits,
    }


@router.get("/usage")
def my_usage(caller: Caller, days: Annotated[float, Query(gt=0, le=3660)] = 30) -> dict[str, Any]:
    """Sums of the ledger over the last days, and the bytes of scratch tables now."""
    account = require(caller, Scope.QUERY)
    return {
        "days": days,
        "queries": usage.usage(account.account_id, days),
        "scratch_bytes": scratch.scratch_bytes(account),
        "scratch_bytes_limit": account.limits.scratch_bytes,
    }


@router.get("/scratch")
def my_scratch_tables(caller: Caller) -> list[dict[str, Any]]:
    """Scratch tables that the account may read, its own first."""
    return scratch.scratch_tables(require(caller, Scope.SCRATCH))


@router.delete("/scratch/{name}", status_code=204)
def drop_scratch_table(caller: Caller, name: str) -> None:
    """Remove a scratch table."""
    scratch.drop_table(require(caller, Scope.SCRATCH), name)


@router.get("/tokens")
def my_tokens(caller: Caller) -> list[token_store.TokenInfo]:
    """Tokens of the account, without their secrets."""
    return token_store.list_tokens(require(caller, Scope.ACCOUNT).name)


@router.post("/tokens", status_code=201)
def make_token(caller: Caller, wish: TokenWish) -> dict[str, Any]:
    """Make a token, which is in this answer alone, and may do no more than the one that asks for it."""
    account = require(caller, Scope.ACCOUNT)
    if beyond := set(wish.scopes) - caller.scopes:
        raise Forbidden(
            f"this token has not the scopes {', '.join(sorted(beyond))}, and can give none of them"
        )
    token, info = token_store.create_token(account.name, list(wish.scopes), wish.days, wish.description)
    return dataclasses.asdict(info) | {"token": token.text}


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(caller: Caller, token_id: str) -> None:
    """Revoke a token of the account."""
    token_store.revoke_token(token_id, require(caller, Scope.ACCOUNT).name)


@router.get("/requests")
def my_requests(caller: Caller) -> list[request_store.ResourceRequest]:
    """Requests of the account for exceptional resources, and what became of them."""
    return request_store.list_requests(require(caller, Scope.ACCOUNT).name)


@router.post("/requests", status_code=201)
def ask_for_more(caller: Caller, wish: ResourceWish) -> dict[str, int]:
    """Ask for more of a resource than the tier has."""
    account = require(caller, Scope.ACCOUNT)
    number = request_store.ask(account.name, wish.resource, wish.amount, wish.reason)
    return {"resource_request_id": number}
