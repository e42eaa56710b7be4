"""The web application: which address answers what. No query runs here; see `roman_db.tap.response`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import parse_qsl

import anyio.to_thread
from fastapi import FastAPI, Request
from starlette.responses import Response

from roman_db.portal.mounting import mount_portal
from roman_db.settings import Settings, settings
from roman_db.tap import vosi
from roman_db.tap.adql import AdqlError, Translation, schema_catalog, translate
from roman_db.tap.connections import Connections
from roman_db.tap.failure import BadRequest, Failure
from roman_db.tap.parameters import Limits, QueryRequest, read_request
from roman_db.tap.response import QueryResponse, error_response
from roman_db.tap.sending import Asked
from roman_db.tap.warm_up import warm_up

#: Longest body of a request in bytes; ADQL has 300,000 characters at most.
_LONGEST_BODY = 2 * 2**20
_FORM = "application/x-www-form-urlencoded"
_XML = "text/xml"


def make_application() -> FastAPI:
    """Make the application with the settings of this process."""
    chosen = settings()
    application = FastAPI(
        title="Roman light-curve database", openapi_url=None, lifespan=partial(_lifespan, chosen=chosen)
    )
    application.state.settings = chosen
    mount_portal(application)
    application.add_route("/tap/sync", _sync, ["GET", "POST"])
    application.add_route("/tap/availability", _availability, ["GET"])
    application.add_route("/tap/capabilities", _capabilities, ["GET"])
    application.add_route("/tap/tables", _tables, ["GET"])
    application.add_route("/tap/tables/{name}", _table, ["GET"])
    application.add_route("/tap/examples", _examples, ["GET"])
    return application


@contextlib.asynccontextmanager
async def _lifespan(application: FastAPI, chosen: Settings) -> AsyncIterator[None]:
    """Make what the first query would wait for, and close connections at the end."""
    await anyio.to_thread.run_sync(warm_up)
    connections = Connections(chosen.tap_connections, chosen.tap_timeout_s)
    application.state.connections = connections
    yield
    await connections.close()


async def _sync(request: Request) -> Response:
    """Answer a query."""
    query: str | None = None
    try:
        chosen: Settings = request.app.state.settings
        asked = read_request(await _pairs(request), Limits(chosen.tap_rows, chosen.tap_max_rows))
        query = asked.query
        translation = await anyio.to_thread.run_sync(partial(_translated, asked))
    except Failure as failure:
        return error_response(failure, query)
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    return QueryResponse(Asked(asked, translation, takes_gzip), request.app.state.connections)


def _translated(asked: QueryRequest) -> Translation:
    """Query in SQL.

    Raises
    ------
    BadRequest
        If it is none, with the place.
    """
    try:
        return translate(asked.query, schema_catalog())
    except AdqlError as error:
        raise BadRequest(str(error)) from error


async def _pairs(request: Request) -> list[tuple[str, str]]:
    """Parameters of a request, in the address and in a form."""
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


async def _availability(request: Request) -> Response:
    """Say whether queries can be answered."""
    connections: Connections = request.app.state.connections
    try:
        async with connections.lent() as held:
            await connections.in_thread(held.check)
    except Failure as failure:
        return Response(vosi.availability(str(failure)), media_type=_XML)
    return Response(vosi.availability(None), media_type=_XML)


async def _capabilities(request: Request) -> Response:
    """Say what the service can do."""
    chosen: Settings = request.app.state.settings
    return Response(vosi.capabilities(_address(request), chosen), media_type=_XML)


async def _tables(request: Request) -> Response:
    """Describe the tables; ``detail=min`` leaves the columns out."""
    detail = request.query_params.get("detail", "max")
    if detail not in ("min", "max"):
        return Response(f"detail must be min or max, got {detail[:60]!r}", 400, media_type="text/plain")
    return Response(vosi.tables(detail == "max"), media_type=_XML)


async def _table(request: Request) -> Response:
    """Describe one table."""
    name = request.path_params["name"]
    document = vosi.table(name)
    if document is None:
        return Response(f"there is no table {name[:60]!r}", 404, media_type="text/plain")
    return Response(document, media_type=_XML)


async def _examples(request: Request) -> Response:
    """Show queries to begin with."""
    return Response(vosi.examples(), media_type="application/xhtml+xml")


def _address(request: Request) -> str:
    """Address of the service, without a slash at its end."""
    chosen: Settings = request.app.state.settings
    return (chosen.tap_url or str(request.base_url)).rstrip("/")
