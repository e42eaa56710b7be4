"""What all addresses read of a request: who asks, where we are, and what a form says."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from roman_db.settings import Settings
from roman_db.tap.failure import BadRequest

#: Longest body of a request in bytes; ADQL has 300,000 characters at most.
_LONGEST_BODY = 2 * 2**20
_FORM = "application/x-www-form-urlencoded"


def account_of(request: Request) -> int | None:
    """Account that asks, as whoever authenticates it has noted in ``request.state``; None for nobody."""
    account_id: int | None = getattr(request.state, "account_id", None)
    return account_id


def address_of(request: Request) -> str:
    """Address of the service, without a slash at its end."""
    chosen: Settings = request.app.state.settings
    return (chosen.tap_url or str(request.base_url)).rstrip("/")


async def read_pairs(request: Request) -> list[tuple[str, str]]:
    """Parameters of a request, in the address and in a form.

    Raises
    ------
    BadRequest
        If the form is none, or too long.
    """
    pairs = list(request.query_params.multi_items())
    if request.method != "POST":
        return pairs
    kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if kind != _FORM:
        raise BadRequest(f"a form must be {_FORM}, got {kind[:60]!r}; UPLOAD is not supported")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            raise BadRequest(f"a request has at most {_LONGEST_BODY} bytes")
    try:
        return pairs + parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("a form must be in UTF-8") from error
