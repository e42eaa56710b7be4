"""Who looks at a page: a token in a cookie that no script and no other site can use.

The cookie is HttpOnly and SameSite=Strict, and Secure over TLS. Sibling sites and other ports of the host
share its "site", so a request with it counts only if the browser says that it comes from these pages (Fetch
Metadata, W3C; the header ``Origin`` where a browser sends none). See OWASP, Cross-Site Request Forgery
Prevention.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roman_db.accounts.authentication import Respond, current_account, require, unreachable
from roman_db.accounts.token_store import SignedIn
from roman_db.service_failure import NotSignedIn
from roman_db.settings import settings

COOKIE = "roman_db_token"
#: Seconds for which a browser keeps it.
KEPT_S = 12 * 3600

_SAFE = ("GET", "HEAD", "OPTIONS")
#: First parts of the addresses of programs, which are told that a sign-in has ended; pages are shown anyway.
_SERVICES = ("tap", "account")
_ENDED = "your sign-in has ended: sign in again"


class CookieSignIn:
    """Signs in whoever sends the cookie from these pages, as the header ``Authorization`` would.

    Parameters
    ----------
    application
        What answers.
    respond
        Makes the answer that says why nobody can be signed in.
    """

    def __init__(self, application: ASGIApp, respond: Respond) -> None:
        self._application = application
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the account that it comes from."""
        request = Request(scope, receive) if scope["type"] == "http" else None
        token = None if request is None else _token(request)
        if request is None or token is None:
            await self._application(scope, receive, send)
            return
        known: Scope = dict(scope)
        known["headers"] = [*scope["headers"], (b"authorization", b"Bearer " + token.encode("latin-1"))]
        try:
            await current_account(Request(known, receive))
        except NotSignedIn:
            await self._ended(request, scope, receive, send)
        except SQLAlchemyError as error:
            await self._respond(request, unreachable(error))(scope, receive, send)
        else:
            await self._application(known, receive, _without(send, ("www-authenticate",)))

    async def _ended(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a cookie that does not sign in any more, and have the browser forget it."""
        forgotten = Response()
        forget(request, forgotten)
        given = forgotten.headers["set-cookie"]
        if request.url.path.removeprefix(_root(request)).lstrip("/").partition("/")[0] in _SERVICES:
            answer = JSONResponse({"detail": _ENDED}, NotSignedIn.status, {"set-cookie": given})
            await answer(scope, receive, send)
            return
        await self._application(scope, receive, _without(send, (), given))


def visitor(request: Request) -> SignedIn | None:
    """Return who has signed in, for pages; None for nobody."""
    known: SignedIn | None = getattr(request.state, "signed_in", None)
    return None if known is None or known.account.is_anonymous else known


Visitor = Annotated[SignedIn | None, Depends(visitor)]
__all__ = ["COOKIE", "CookieSignIn", "Visitor", "forget", "is_from_here", "remember", "require", "visitor"]


def remember(request: Request, response: Response, token: str) -> None:
    """Have the browser send a token from now on."""
    response.set_cookie(
        COOKIE, token, KEPT_S, path=_root(request) or "/", secure=_is_secure(request), httponly=True,
        samesite="strict",
    )  # fmt: skip


def forget(request: Request, response: Response) -> None:
    """Have the browser forget the token."""
    path, secure = _root(request) or "/", _is_secure(request)
    response.delete_cookie(COOKIE, path, secure=secure, httponly=True, samesite="strict")


def is_from_here(method: str, headers: Headers) -> bool:
    """Whether a browser says that a request comes from these pages, or from nowhere (an address typed in).

    Parameters
    ----------
    method
        Of HTTP; one that changes nothing need not prove it where the browser says nothing.
    headers
        Of the request.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return method in _SAFE
    ours = {headers.get("host", ""), urlsplit(settings().tap_url or "").netloc} - {""}
    return urlsplit(origin).netloc in ours


def _token(request: Request) -> str | None:
    """Token of the cookie, where it counts; a header that signs in goes before it."""
    token = request.cookies.get(COOKIE)
    if token is None or not token.isascii() or "authorization" in request.headers:
        return None
    return token if is_from_here(request.method, request.headers) else None


def _without(send: Send, names: Iterable[str], cookie: str | None = None) -> Send:
    """Send without some headers, which make a browser ask for a password, and with a cookie."""

    async def sent(message: Message) -> None:
        """Pass a part of the answer on, its headers changed."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name in names:
                del headers[name]
            if cookie is not None and "set-cookie" not in headers:
                headers.append("set-cookie", cookie)
        await send(message)

    return sent


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https" or (settings().tap_url or "").startswith("https:")


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")
