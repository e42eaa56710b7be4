"""Which address answers what, beside TAP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from roman_db.tap.connections import Connections
from roman_db.tap.failure import Failure
from roman_db.tap.parameters import Limits
from roman_db.tap.response import QueryResponse, error_response
from roman_db.tap.routes import XML, availability
from roman_db.tap.web import address_of, read_form, request_limits
from roman_db.vo.capabilities import NAMES, all_capabilities, capabilities_of, searched_table
from roman_db.vo.cone_search import cone_query
from roman_db.vo.failure_document import cone_error, text_error
from roman_db.vo.image_service import coverage_response, cutout_response, data_response
from roman_db.vo.link_document import MEDIA_TYPE, link_document
from roman_db.vo.parameters import Parameters
from roman_db.vo.products import links_of_all
from roman_db.vo.time_series import time_series_query

_METHODS = ["GET", "POST"]
#: Most products whose links a document has.
_MOST_LINKED = 1000


def add_routes(application: FastAPI) -> None:
    """Add the services to an application that has settings and connections."""
    application.add_route("/scs", _cone_search, _METHODS)
    application.add_route("/datalink", _data_link, _METHODS)
    application.add_route("/timeseries", _time_series, _METHODS)
    application.add_route("/capabilities", _all_capabilities, ["GET"])
    application.add_route("/availability", availability, ["GET"])
    for name in NAMES:
        application.add_route(f"/{name}/capabilities", partial(_capabilities, name), ["GET"])
        application.add_route(f"/{name}/availability", availability, ["GET"])
    application.add_route("/scs/tables", _searched_table, ["GET"])
    for path, answer in (
        ("/soda/sync", cutout_response), ("/data", data_response), ("/coverage", coverage_response)
    ):  # fmt: skip
        application.add_route(path, partial(_of_images, answer), _METHODS)


async def _cone_search(request: Request) -> Response:
    """Objects around a place."""
    try:
        parameters = await _parameters(request)
        make = partial(cone_query, parameters, _limits(request), _takes_gzip(request))
        asked = await anyio.to_thread.run_sync(make)
    except Failure as failure:
        return cone_error(failure)
    return QueryResponse(asked, request.app.state.connections)


async def _time_series(request: Request) -> Response:
    """Light curves of objects, one or thousands."""
    try:
        parameters = await _parameters(request)
        make = partial(time_series_query, parameters, _limits(request), _takes_gzip(request))
        asked = await anyio.to_thread.run_sync(make)
    except Failure as failure:
        return error_response(failure)
    return QueryResponse(asked, request.app.state.connections)


async def _all_capabilities(request: Request) -> Response:
    """What all services can do."""
    document = all_capabilities(address_of(request), request.app.state.settings)
    return Response(document, media_type=XML)


async def _capabilities(name: str, request: Request) -> Response:
    """What one service can do."""
    document = capabilities_of(name, address_of(request), request.app.state.settings)
    return Response(document, media_type=XML)


async def _searched_table(_: Request) -> Response:
    """Describe the table that cone search searches."""
    return Response(searched_table(), media_type=XML)


async def _of_images(
    answer: Callable[[Parameters, Connections], Awaitable[Response]], request: Request
) -> Response:
    """Image, file or coverage."""
    try:
        return await answer(await _parameters(request), request.app.state.connections)
    except Failure as failure:
        return text_error(failure)


async def _data_link(request: Request) -> Response:
    """What there is of products."""
    try:
        given = (await _parameters(request)).all("ID")
        links = await links_of_all(given[:_MOST_LINKED], request.app.state.connections, address_of(request))
    except Failure as failure:
        return text_error(failure)
    document = link_document(links, address_of(request), len(given) > _MOST_LINKED)
    return Response(document, media_type=MEDIA_TYPE)


async def _parameters(request: Request) -> Parameters:
    """Parameters of a request, in the address and in a form."""
    return Parameters((await read_form(request)).pairs)


def _limits(request: Request) -> Limits:
    """Rows that an answer may have."""
    return request_limits(request.app.state.settings).rows


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")
