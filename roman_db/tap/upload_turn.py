"""Forms with tables wait for their turn before they are read, and hold a place until all is answered."""

from __future__ import annotations

from contextlib import AsyncExitStack

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from roman_db.accounts.admission import Admission
from roman_db.accounts.side_places import SideWork
from roman_db.tap.web import Form, has_parts, read_form


async def form_in_turn(request: Request, party: str, stack: AsyncExitStack) -> Form:
    """Read a form; one with tables, in its parts or at addresses, has a place until the stack is closed.

    Raises
    ------
    Failure
        As `read_form`, or if too many wait already.
    """
    admission: Admission = request.app.state.admission
    turn = admission.beside.place(SideWork.UPLOAD, party)
    if has_parts(request):
        await stack.enter_async_context(turn)
        return await read_form(request)
    form = await read_form(request)
    if form.names_tables:
        await stack.enter_async_context(turn)
    return form


class HoldingResponse(Response):
    """An answer that holds what a stack has until it is sent.

    Parameters
    ----------
    answer
        The answer.
    stack
        What is let go of then.
    """

    def __init__(self, answer: Response, stack: AsyncExitStack) -> None:
        super().__init__()
        self._answer = answer
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        async with self._stack:
            await self._answer(scope, receive, send)
