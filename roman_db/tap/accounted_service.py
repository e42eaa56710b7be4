"""Answers of services beside queries, on account: each waits for its turn and is written to the ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roman_db.accounts.admission import Admission, Meter
from roman_db.accounts.authentication import unreachable
from roman_db.accounts.usage import Kind, Outcome
from roman_db.portal.reading import count_rows_in
from roman_db.service_failure import Failure
from roman_db.tap.accounting import ERRORS_FROM, RoleConnections, admit
from roman_db.tap.failure_document import failure_response

#: How the addresses of the data of pages begin.
_DATA = "/portal/data/"


#: Makes an answer with connections in the role of whoever asks, and notes in the meter what rows it has.
Answer = Callable[[Meter, RoleConnections], Awaitable[Response]]


async def accounted(request: Request, answer: Answer) -> Response:
    """Answer when it is the turn of whoever asks, and write what that took to the ledger.

    The place is held until the answer is made; a file is sent without one, and counts with all its bytes.

    Parameters
    ----------
    request
        Who asks.
    answer
        Makes the answer.

    Raises
    ------
    Failure
        If the account may not ask, or the answer cannot be made.
    """
    admitted = await admit(request, Kind.SERVICE)
    state = request.app.state
    admission: Admission = state.admission
    async with admission.running(admitted) as meter:
        response = await answer(meter, RoleConnections(state.connections, admitted))
        meter.n_byte = int(response.headers.get("content-length", 0))
        return response


class AccountedData:
    """Middleware before the data of the portal's pages, which counts for accounts as queries do.

    Parameters
    ----------
    application
        What answers.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when it is its turn, and write to the ledger what that took."""
        if scope["type"] != "http" or not scope["path"].startswith(_DATA):
            await self._application(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            admitted = await admit(request, Kind.PORTAL)
            async with AsyncExitStack() as stack:
                admission: Admission = request.app.state.admission
                meter = await stack.enter_async_context(admission.running(admitted))

                async def measured(message: Message) -> None:
                    """Pass a part of the answer on, which when it begins needs its place no more."""
                    await send(message)
                    if message["type"] == "http.response.start":
                        _note(meter, message)
                        await stack.aclose()

                with count_rows_in(meter):
                    await self._application(scope, receive, measured)
        except Failure as failure:
            await failure_response(request, failure)(scope, receive, send)
        except SQLAlchemyError as error:
            await failure_response(request, unreachable(error))(scope, receive, send)


def _note(meter: Meter, start: Message) -> None:
    """Note what the beginning of an answer says of it."""
    headers = dict(start["headers"])
    meter.n_byte = int(headers.get(b"content-length", 0))
    if start["status"] >= ERRORS_FROM:
        meter.outcome = Outcome.FAILED
