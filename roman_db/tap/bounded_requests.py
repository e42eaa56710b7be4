"""What is refused of any request before somebody reads it: bodies that are too long, and addresses with NUL.

FastAPI reads a body in JSON whole before anything asks who sent it, and what its own ``max_body_size``
answers is not the document of the service that was asked. Bodies with files have bounds of their own
(`roman_db.tap.web`).
"""

from __future__ import annotations

from collections import deque

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roman_db.service_failure import BadRequest, Failure, TooLarge
from roman_db.tap.failure_document import failure_response

#: Most bytes of a body without files; ADQL has 300,000 characters at most.
LONGEST_BODY = 2 * 2**20
#: How the addresses begin that take files.
_WITH_FILES = ("/tap/sync", "/tap/async")


class BoundedRequests:
    """Middleware before all others.

    Parameters
    ----------
    application
        What answers.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless it is refused."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                raise BadRequest("an address has no character of number 0 (%00)")
            known = receive if scope["path"].startswith(_WITH_FILES) else await _read(request, receive)
        except Failure as failure:
            await failure_response(request, failure)(scope, receive, send)
            return
        await self._application(scope, known, send)


async def _read(request: Request, receive: Receive) -> Receive:
    """Read a body, and give it again to whoever asks for it.

    Raises
    ------
    TooLarge
        If it is longer than it may be, or says so.
    """
    length = request.headers.get("content-length")
    if length is None and "transfer-encoding" not in request.headers:
        return receive
    _check(int(length or 0))
    n_byte, read = 0, deque[Message]()
    while not read or read[-1].get("more_body", False):
        read.append(await receive())
        n_byte += len(read[-1].get("body", b""))
        _check(n_byte)

    async def again() -> Message:
        """Give what was read, and then what comes."""
        return read.popleft() if read else await receive()

    return again


def _check(n_byte: int) -> None:
    if n_byte > LONGEST_BODY:
        raise TooLarge(f"a request of this kind has at most {LONGEST_BODY} bytes")
