"""``/tap``: queries at once, and what the service says of itself; they run in `roman_db.tap.response`."""

from __future__ import annotations

from functools import partial

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from roman_db.service_failure import Failure
from roman_db.settings import Settings
from roman_db.tap import vosi
from roman_db.tap.accounting import AccountedResponse, admit, limits_of
from roman_db.tap.connections import Connections
from roman_db.tap.failure_document import failure_response
from roman_db.tap.prepared import prepared
from roman_db.tap.web import address_of, read_form, request_limits

XML = "text/xml"


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
    form = await read_form(request)
    admitted = await admit(request)
    limits = limits_of(request_limits(request.app.state.settings, address_of(request)), admitted)
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    try:
        asked = await anyio.to_thread.run_sync(partial(prepared, form.pairs, form.files, limits, takes_gzip))
    except Failure as failure:
        query = next((value for name, value in form.pairs if name.upper() == "QUERY"), None)
        return failure_response(request, failure, query)
    return AccountedResponse(asked, request, admitted)


async def availability(request: Request) -> Response:
    """Say whether queries can be answered."""
    connections: Connections = request.app.state.connections
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


async def _tables(request: Request) -> Response:
    """Describe the tables; ``detail=min`` leaves the columns out."""
    detail = request.query_params.get("detail", "max")
    if detail not in ("min", "max"):
        return Response(f"detail must be min or max, got {detail[:60]!r}", 400, media_type="text/plain")
    return Response(vosi.tables(detail == "max"), media_type=XML)


async def _table(request: Request) -> Response:
    """Describe one table."""
    name = request.path_params["name"]
    document = vosi.table(name)
    if document is None:
        return Response(f"there is no table {name[:60]!r}", 404, media_type="text/plain")
    return Response(document, media_type=XML)


async def _examples(request: Request) -> Response:
    """Show queries to begin with."""
    return Response(vosi.examples(), media_type="application/xhtml+xml")
