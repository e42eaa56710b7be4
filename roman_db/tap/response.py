"""The response to a query: it begins when the first rows are there, and ends with whoever waits for it."""

from __future__ import annotations

from contextlib import AsyncExitStack

import anyio
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from roman_db.service_failure import Cancelled, Failure
from roman_db.tap.connections import Connections, Held
from roman_db.tap.failure_document import failure_response
from roman_db.tap.pace import Pace
from roman_db.tap.sending import Asked, Sending

_PAUSE_S = 0.2
_log = structlog.get_logger()


class QueryResponse(Response):
    """Runs a query as soon as there is a place for it, and sends its rows as they come.

    Parameters
    ----------
    asked
        What is asked.
    connections
        Where the query runs.
    pace_s
        Seconds in which the client must take each MiB.
    """

    def __init__(self, asked: Asked, connections: Connections, pace_s: float) -> None:
        super().__init__()
        self._pace = Pace(pace_s)
        self._asked = asked
        self._connections = connections
        self._sending: Sending | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless the client goes: then its query is cancelled."""
        failed: Failure | None = None
        async with anyio.create_task_group() as group:
            waiting = anyio.CancelScope()
            group.start_soon(self._watch, receive, waiting)
            try:
                await self._answer(scope, receive, send, waiting)
            except Cancelled:
                pass  # nobody is there to be told
            except Failure as failure:
                failed = failure
            group.cancel_scope.cancel()
        if failed is not None:
            raise failed  # the server then ends the connection, and so tells the client

    async def _watch(self, receive: Receive, waiting: anyio.CancelScope) -> None:
        """Wait until the client goes, and end what is done for it: the wait, or the query."""
        while (await receive())["type"] != "http.disconnect":
            pass
        waiting.cancel()
        while True:
            # Said between two statements it is not heard, so it is said until the query has ended.
            if self._sending is not None:
                await self._connections.in_thread(self._sending.cancel)
            await anyio.sleep(_PAUSE_S)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, waiting: anyio.CancelScope) -> None:
        """Wait for a place, if there are to be rows, and send them; who goes while waiting is not served."""
        async with AsyncExitStack() as stack:
            held: Held | None = None
            if self._asked.request.rows:
                with waiting:
                    held = await stack.enter_async_context(self._connections.lent())
                if held is None or waiting.cancel_called:
                    return
            self._sending = Sending(self._asked, held, self._connections.limits.timeout_s)
            try:
                await self._send(self._sending, send)
            except Failure as failure:
                if self._sending.has_begun or isinstance(failure, Cancelled):
                    raise
                answer = failure_response(Request(scope), failure, self._asked.request.query)
                await answer(scope, receive, send)
            finally:
                if not self._sending.has_ended:
                    with anyio.CancelScope(shield=True):
                        await self._connections.in_thread(self._sending.end)

    async def _send(self, sending: Sending, send: Send) -> None:
        """Send the chunks; raises `Cancelled` where the client does not take them."""
        chunk, is_last = await self._connections.in_thread(sending.begin)
        await send(self._start(len(chunk) if is_last else None))
        while True:
            try:
                async with self._pace.waiting():
                    await send({"type": "http.response.body", "body": chunk, "more_body": not is_last})
            except TimeoutError:
                _log.warning("a client takes its answer too slowly", n_row=sending.n_row)
                raise Cancelled("the client takes its answer too slowly") from None
            self._pace.moved(len(chunk))
            if is_last:
                return
            chunk, is_last = await self._connections.in_thread(sending.next_chunk)

    def _start(self, length: int | None) -> Message:
        """Beginning of the response; ``length`` in bytes where it is known."""
        headers = {
            "content-type": self._asked.request.format.content_type,
            "vary": "Accept-Encoding",
        }
        if self._asked.compresses:
            headers["content-encoding"] = "gzip"
        if length is not None:
            headers["content-length"] = str(length)
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        return {"type": "http.response.start", "status": 200, "headers": encoded}
