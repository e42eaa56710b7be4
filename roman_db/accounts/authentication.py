"""Who asks: a token in ``Authorization``, as Bearer (RFC 6750) or as the password of Basic (RFC 7617).

IVOA's Single-Sign-On Profile 2.0 has Basic (``ivo://ivoa.net/sso#BasicAA``), which pyvo and TOPCAT speak.
Where signing in is needed the answer is 401 with a challenge for each scheme; where it is possible, 200 with
the same challenges, and ``X-VO-Authenticated`` names who has signed in (AuthVO 1.0, working draft of
2025-05-27).
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import anyio.to_thread
import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roman_db import session
from roman_db.accounts import token_store
from roman_db.accounts.account import ANONYMOUS, Account
from roman_db.accounts.account_store import find_account
from roman_db.accounts.client import client_name, party_for
from roman_db.accounts.token_store import SignedIn
from roman_db.accounts.tokens import Scope as TokenScope
from roman_db.service_failure import Failure, Forbidden, Lost, NotSignedIn
from roman_db.session import Role

_log = structlog.get_logger()
#: Makes the answer that says why a request failed.
Respond = Callable[[Request, Failure], Response]
REALM = "Roman light-curve database"
CHALLENGES = (f'Bearer realm="{REALM}"', f'Basic realm="{REALM}", charset="UTF-8"')
#: First parts of the addresses whose answers name the challenges though nobody has to sign in.
_OPTIONAL = frozenset(
    (
        "tap",
        "scs",
        "ssa",
        "datalink",
        "timeseries",
        "event_curves",
        "soda",
        "data",
        "coverage",
        "capabilities",
        "availability",
    )
)
#: Longest header that is looked at.
_LONGEST_HEADER = 1000
#: Seconds for which the limits of those who do not sign in are kept.
_KEPT_S = 10.0


@dataclass(frozen=True)
class _Credentials:
    """A token, and the name beside it if there was one."""

    token: str
    name: str | None


async def current_account(request: Request) -> SignedIn:
    """Return the account of a request: a dependency of FastAPI; without credentials it is the anonymous one.

    Raises
    ------
    NotSignedIn
        If there are credentials that do not sign in.
    """
    known: SignedIn | None = getattr(request.state, "signed_in", None)
    if known is not None:
        return known
    header = request.headers.get("authorization")
    if header is None:
        return SignedIn(await _anonymous(), frozenset({TokenScope.QUERY}))
    given = read_credentials(header)
    found = await anyio.to_thread.run_sync(partial(token_store.sign_in, given.token, given.name))
    request.state.signed_in, request.state.account_id = found, found.account.account_id
    return found


def client_of_request(request: Request) -> str | None:
    """Name of the address that asks; None where it is not known."""
    return None if request.client is None else client_name(request.client.host, request.app.state.address_key)


async def party_of_request(request: Request) -> str:
    """Party with whom whoever asks shares places; raises as `current_account`."""
    return party_for((await current_account(request)).account, client_of_request(request))


def read_credentials(header: str) -> _Credentials:
    """Read the header ``Authorization``; what makes no sense is a token that is none.

    Parameters
    ----------
    header
        Its value.
    """
    scheme, _, rest = header[:_LONGEST_HEADER].partition(" ")
    if scheme.lower() == "bearer":
        return _Credentials(rest.strip(), None)
    if scheme.lower() != "basic":
        return _Credentials("", None)
    try:
        name, _, token = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return _Credentials("", None)
    return _Credentials(token, name)


def require(signed_in: SignedIn, scope: TokenScope) -> Account:
    """Return the account if it has signed in with a token of that scope.

    Raises
    ------
    NotSignedIn
        If nobody has signed in.
    Forbidden
        If the token has not the scope.
    """
    if signed_in.account.is_anonymous:
        raise NotSignedIn("sign in: name and token as user and password, or the token as Bearer")
    if scope not in signed_in.scopes:
        raise Forbidden(f"this token is not for {scope}: make one with that scope")
    return signed_in.account


async def current_querier(request: Request) -> Account:
    """Return the account of a request that asks queries, or sees to its jobs; anybody may without signing in.

    Raises
    ------
    NotSignedIn
        If there are credentials that do not sign in.
    Forbidden
        If they are a token that is not for queries.
    """
    caller = await current_account(request)
    return caller.account if caller.account.is_anonymous else require(caller, TokenScope.QUERY)


class SignIn:
    """Signs in whoever asks, whatever they ask for, and says in the headers of answers who has, or may.

    It notes in the state of the request ``signed_in`` and ``account_id``, where there are credentials.

    Parameters
    ----------
    application
        What answers.
    respond
        Makes the answer that says why nobody is signed in.
    """

    def __init__(self, application: ASGIApp, respond: Respond) -> None:
        self._application = application
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add to the headers of its answer."""
        if scope["type"] != "http" or scope["path"].lstrip("/").partition("/")[0] not in _OPTIONAL:
            await self._application(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            account = (await current_account(request)).account
        except NotSignedIn as refused:
            await self._respond(request, refused)(scope, receive, send)
            return
        except SQLAlchemyError as error:
            await self._respond(request, unreachable(error))(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            """Pass a part of the answer on, with who has signed in, or how to, in its headers."""
            if message["type"] == "http.response.start" and message["status"] != NotSignedIn.status:
                headers = MutableHeaders(scope=message)
                if not account.is_anonymous:
                    headers["X-VO-Authenticated"] = account.name
                else:
                    for challenge in CHALLENGES:
                        headers.append("WWW-Authenticate", challenge)
            await send(message)

        await self._application(scope, receive, sent)


_kept: tuple[float, str, Account] | None = None


async def _anonymous() -> Account:
    """Account of those who do not sign in; read again now and then, as its limits may change."""
    global _kept
    kept, database = _kept, str(session.engine().url)
    if kept is not None and kept[0] > time.monotonic() and kept[1] == database:
        return kept[2]
    found = await anyio.to_thread.run_sync(_read_anonymous)
    _kept = time.monotonic() + _KEPT_S, database, found
    return found


def _read_anonymous() -> Account:
    with session.transaction(Role.ACCOUNTS) as connection:
        return find_account(connection, account_id=ANONYMOUS)


def unreachable(error: Exception) -> Lost:
    """Failure for accounts that cannot be looked up; the log says why."""
    _log.error("accounts cannot be read", error=str(error))
    return Lost("the database cannot be reached at the moment")
