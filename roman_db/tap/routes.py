"""``/tap``: queries at once, and what the service says of itself; they run in `roman_db.tap.response`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeVar

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from roman_db.accounts.admission import Admission, Admitted
from roman_db.accounts.authentication import client_of_request, party_of_request
from roman_db.accounts.side_places import SideWork
from roman_db.service_failure import Failure
from roman_db.settings import Settings
from roman_db.tap import vosi
from roman_db.tap.accounting import AccountedResponse, admit, limits_of
from roman_db.tap.connections import Connections
from roman_db.tap.failure_document import failure_response
from roman_db.tap.prepared import prepared
from roman_db.tap.sending import Asked
from roman_db.tap.upload_turn import HoldingResponse, form_in_turn
from roman_db.tap.web import Form, address_of, request_limits

XML = "text/xml"
_T = TypeVar("_T")


def router() -> APIRouter:
    """Addresses of TAP but for its jobs."""
    made = APIRouter()
    made.add_route("/tap/sync", _sync, ["GET", "POST"])
    made.add_route("/tap/availability", availability, ["GET"])
    made.add_route("/tap/capabilities", _capabilities, ["GET"])
    made.add_route("/tap/tables", _tables, ["GET"])
    made.add_route("/tap/tables/{name}", _table, ["GET"])
    made.add_route("/tap/examples", _examples, ["GET"])
    return made


async def _sync(request: Request) -> Response:
    """Answer a query."""
    admitted = await admit(request)
    async with AsyncExitStack() as stack:
        form = await form_in_turn(request, admitted.party, stack)
        try:
            asked = await _asked(request, form, admitted)
        except Failure as failure:
            query = next((value for name, value in form.pairs if name.upper() == "QUERY"), None)
            return failure_response(request, failure, query)
        return HoldingResponse(AccountedResponse(asked, request, admitted), stack.pop_all())


async def _asked(request: Request, form: Form, admitted: Admitted) -> Asked:
    """What a form asks; without tables, whose place is held already, it is read in a place of its own."""
    limits = limits_of(request_limits(request.app.state.settings, address_of(request)), admitted)
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    make = partial(prepared, form.pairs, form.files, limits, takes_gzip)
    if form.names_tables:
        return await anyio.to_thread.run_sync(make)
    admission: Admission = request.app.state.admission
    return await admission.beside.prepared(admitted.party, make)


async def availability(request: Request) -> Response:
    """Say whether queries can be answered."""
    connections: Connections = request.app.state.connections
    admission: Admission = request.app.state.admission
    async with admission.beside.place(SideWork.LOOKING, client_of_request(request) or ""):
        try:
            async with connections.lent() as held:
                await connections.in_thread(held.check)
        except Failure as failure:
            return Response(vosi.availability(str(failure)), media_type=XML)
    return Response(vosi.availability(None), media_type=XML)


async def _capabilities(request: Request) -> Response:
    """Say what the service can do."""
    chosen: Settings = request.app.state.settings
    return Response(vosi.capabilities(address_of(request), chosen), media_type=XML)


async def _described(request: Request, describe: Callable[[], _T]) -> _T:
    """Description of tables, which the database is asked for, in a thread and in a place beside queries."""
    admission: Admission = request.app.state.admission
    return await admission.beside.prepared(await party_of_request(request), describe)


async def _tables(request: Request) -> Response:
    """Describe the tables; ``detail=min`` leaves the columns out."""
    detail = request.query_params.get("detail", "max")
    if detail not in ("min", "max"):
        return Response(f"detail must be min or max, got {detail[:60]!r}", 400, media_type="text/plain")
    document = await _described(request, partial(vosi.tables, detail == "max"))
    return Response(document, media_type=XML)


async def _table(request: Request) -> Response:
    """Describe one table."""
    name = request.path_params["name"]
    document = await _described(request, partial(vosi.table, name))
    if document is None:
        return Response(f"there is no table {name[:60]!r}", 404, media_type="text/plain")
    return Response(document, media_type=XML)


async def _examples(request: Request) -> Response:
    """Show queries to begin with."""
    return Response(vosi.examples(), media_type="application/xhtml+xml")
