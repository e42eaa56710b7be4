"""Which address answers what, beside TAP."""

from __future__ import annotations

from functools import partial

import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from roman_db.settings import Settings
from roman_db.tap.failure import Failure
from roman_db.tap.parameters import Limits
from roman_db.tap.response import QueryResponse
from roman_db.vo.cone_search import cone_query
from roman_db.vo.failure_document import cone_error
from roman_db.vo.parameters import read_parameters

_METHODS = ["GET", "POST"]


def add_routes(application: FastAPI) -> None:
    """Add the services to an application that has settings and connections."""
    application.add_route("/scs", _cone_search, _METHODS)


async def _cone_search(request: Request) -> Response:
    """Objects around a place."""
    try:
        parameters = await read_parameters(request)
        make = partial(cone_query, parameters, _limits(request), _takes_gzip(request))
        asked = await anyio.to_thread.run_sync(make)
    except Failure as failure:
        return cone_error(failure)
    return QueryResponse(asked, request.app.state.connections)


def _limits(request: Request) -> Limits:
    """Rows that an answer may have."""
    chosen: Settings = request.app.state.settings
    return Limits(chosen.tap_rows, chosen.tap_max_rows)


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")
