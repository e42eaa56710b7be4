"""Pages of accounts: signing in and out, and what an account has, may use and has used."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roman_db.accounts import request_store, scratch, token_store, usage
from roman_db.accounts.account import Account
from roman_db.accounts.limits import Resource
from roman_db.accounts.token_store import SignedIn
from roman_db.accounts.tokens import Scope
from roman_db.portal.account_data import jobs_of
from roman_db.portal.page import page, root_of
from roman_db.portal.saved_queries import saved_queries
from roman_db.portal.sign_in import Visitor, forget, is_from_here, remember
from roman_db.service_failure import NotSignedIn
from roman_db.tap.web import read_form

router = APIRouter(include_in_schema=False)

#: Days of the ledger that are summed.
_DAYS = 30
#: Units of resources that can be asked for.
_UNITS = {
    Resource.SECONDS_SYNC: "s",
    Resource.SECONDS_ASYNC: "s",
    Resource.SCRATCH_BYTES: "byte",
    Resource.UPLOAD_BYTES: "byte",
    Resource.SKY_AREA: "deg²",
}
_ELSEWHERE = "This was not asked from these pages: open the page of signing in, and try again."


@router.get("/sign-in")
def ask_for_token(request: Request, visitor: Visitor, to: str = "/me") -> Response:
    """A box for a token."""
    if visitor is not None:
        return _to(request, to)
    return page("sign_in.html", request, problem=None, to=_local(to))


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Have the browser keep a token that signs in."""
    given = dict((await read_form(request)).pairs)
    to, token = _local(given.get("to", "/me")), given.get("token", "").strip()
    if not is_from_here(request.method, request.headers):
        return page("sign_in.html", request, 403, problem=_ELSEWHERE, to=to)
    try:
        await anyio.to_thread.run_sync(partial(token_store.sign_in, token))
    except NotSignedIn:
        problem = "This token does not sign in: it may be mistyped, expired or revoked."
        return page("sign_in.html", request, 401, problem=problem, to=to)
    response = _to(request, to)
    remember(request, response, token)
    return response


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """Have the browser forget the token; it stays valid elsewhere."""
    if not is_from_here(request.method, request.headers):
        return page("sign_in.html", request, 403, problem=_ELSEWHERE, to="/")
    response = _to(request, "/")
    forget(request, response)
    return response


@router.get("/me")
def my_account(request: Request, visitor: Visitor) -> Response:
    """Who I am, what I may use and have used, and what is mine."""
    if visitor is None:
        return _to(request, "/sign-in")
    account = visitor.account
    return page(
        "me.html",
        request,
        account=account,
        scopes=sorted(visitor.scopes),
        limits=dataclasses.asdict(account.limits),
        resources=[(one.value, _UNITS.get(one, "")) for one in Resource],
        days=_DAYS,
        **_guarded(visitor, account),
    )


def _guarded(visitor: SignedIn, account: Account) -> dict[str, Any]:
    """What a token shows only with the scope for it; None without."""
    may_query, may_scratch, may_manage = (
        one in visitor.scopes for one in (Scope.QUERY, Scope.SCRATCH, Scope.ACCOUNT)
    )
    return {
        "used": usage.usage(account.account_id, _DAYS) if may_query else None,
        "jobs": jobs_of(account) if may_query else None,
        "queries": saved_queries(account) if may_query else None,
        "scratch_bytes": scratch.scratch_bytes(account) if may_scratch else None,
        "scratch_tables": scratch.scratch_tables(account) if may_scratch else None,
        "tokens": token_store.list_tokens(account.name) if may_manage else None,
        "requests": request_store.list_requests(account.name) if may_manage else None,
    }


def _local(address: str) -> str:
    """An address of these pages; the page of the account for any other."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_ours else "/me"


def _to(request: Request, path: str) -> RedirectResponse:
    """Send the browser to a page."""
    return RedirectResponse(f"{root_of(request)}{_local(path)}", 303)
