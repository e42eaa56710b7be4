"""Which address answers what, beside TAP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from roman_db.accounts.admission import Admission, Admitted, Meter
from roman_db.accounts.usage import Kind
from roman_db.service_failure import Failure
from roman_db.tap.accounted_service import accounted
from roman_db.tap.accounting import AccountedResponse, RoleConnections, admit, limits_of
from roman_db.tap.failure_document import failure_response
from roman_db.tap.parameters import Limits
from roman_db.tap.routes import XML, availability
from roman_db.tap.sending import Asked
from roman_db.tap.web import address_of, read_form, request_limits
from roman_db.vo.capabilities import NAMES, SEARCHED, all_capabilities, capabilities_of, searched_table
from roman_db.vo.cone_search import cone_query, read_circle
from roman_db.vo.event_service import event_curves_response
from roman_db.vo.identifier import read_identifier
from roman_db.vo.image_service import coverage_response, cutout_response, data_response
from roman_db.vo.interval import refuse_filters
from roman_db.vo.link_document import MEDIA_TYPE, link_document
from roman_db.vo.parameters import Parameters
from roman_db.vo.processed_area import area_of_circle, area_of_wanted, check_processed
from roman_db.vo.products import links_of_all
from roman_db.vo.spectral_access import is_metadata_query, read_place, spectral_query
from roman_db.vo.spectrum_service import metadata_response, spectrum_response
from roman_db.vo.time_series import read_wanted, time_series_query

_T = TypeVar("_T")
_METHODS = ["GET", "POST"]
#: Most products whose links a document has.
_MOST_LINKED = 1000


def add_routes(application: FastAPI) -> None:
    """Add the services to an application that has settings and connections."""
    application.add_route("/scs", _cone_search, _METHODS)
    application.add_route("/timeseries", _time_series, _METHODS)
    application.add_route("/ssa", _spectra, _METHODS)
    application.add_route("/capabilities", _all_capabilities, ["GET"])
    application.add_route("/availability", availability, ["GET"])
    for name in NAMES:
        application.add_route(f"/{name}/capabilities", partial(_capabilities, name), ["GET"])
        application.add_route(f"/{name}/availability", availability, ["GET"])
    for name in SEARCHED:
        application.add_route(f"/{name}/tables", partial(_searched_table, name), ["GET"])
    application.add_route("/soda/sync", _soda, _METHODS)
    for path, answer in (
        ("/data", _data), ("/coverage", _coverage), ("/datalink", _data_link),
        ("/event_curves", _event_curves), ("/ssa/data", _spectrum),
    ):  # fmt: skip
        application.add_route(path, partial(_on_account, answer), _METHODS)


async def _cone_search(request: Request) -> Response:
    """Objects around a place."""
    try:
        admitted = await admit(request, Kind.SERVICE)
        parameters = await _parameters(request)
        make = partial(cone_query, parameters, _limits(request, admitted), _takes_gzip(request))
        asked = await _prepared(request, admitted, make)
        await check_processed(request, admitted, area_of_circle(read_circle(parameters)[2]))
    except Failure as failure:
        return failure_response(request, failure)
    return _accounted(asked, request, admitted)


async def _time_series(request: Request) -> Response:
    """Light curves of objects, one or thousands."""
    try:
        admitted = await admit(request, Kind.SERVICE)
        parameters = await _parameters(request)
        if request.url.path.startswith("/soda"):
            refuse_filters(parameters, ("BAND", "TIME"), "light curves")
        wanted = await _prepared(request, admitted, partial(read_wanted, parameters))
        await check_processed(request, admitted, area_of_wanted(wanted))
        limits = _limits(request, admitted)
        make = partial(time_series_query, wanted, parameters, limits, _takes_gzip(request))
        asked = await _prepared(request, admitted, make)
    except Failure as failure:
        return failure_response(request, failure)
    return _accounted(asked, request, admitted)


async def _spectra(request: Request) -> Response:
    """Which spectra there are, or what can be asked."""
    try:
        admitted = await admit(request, Kind.SERVICE)
        parameters = await _parameters(request)
        if is_metadata_query(parameters):
            return await _on_account(_spectral_metadata, request)
        place, limits = read_place(parameters), _limits(request, admitted)
        if place is not None:
            await check_processed(request, admitted, area_of_circle(place[2]))
        make = partial(spectral_query, parameters, limits, _takes_gzip(request), address_of(request))
        asked = await _prepared(request, admitted, make)
    except Failure as failure:
        return failure_response(request, failure)
    return _accounted(asked, request, admitted)


async def _prepared(request: Request, admitted: Admitted, make: Callable[[], _T]) -> _T:
    """What is made of a request before its query has a place among those of all accounts."""
    admission: Admission = request.app.state.admission
    return await admission.beside.prepared(admitted.party, make)


def _accounted(asked: Asked, request: Request, admitted: Admitted) -> Response:
    """Answer of an account, which tells of no more of the sky than it may."""
    most = admitted.account.limits
    bounded = replace(asked, most_area=most.sky_area, most_bytes=most.job_bytes)
    return AccountedResponse(bounded, request, admitted)


async def _all_capabilities(request: Request) -> Response:
    """What all services can do."""
    document = all_capabilities(address_of(request), request.app.state.settings)
    return Response(document, media_type=XML)


async def _capabilities(name: str, request: Request) -> Response:
    """What one service can do."""
    document = capabilities_of(name, address_of(request), request.app.state.settings)
    return Response(document, media_type=XML)


async def _searched_table(name: str, _: Request) -> Response:
    """Describe the table that a service searches."""
    return Response(searched_table(name), media_type=XML)


async def _soda(request: Request) -> Response:
    """Part of an image, or of light curves."""
    try:
        given = (await _parameters(request)).one("ID")
    except Failure as failure:
        return failure_response(request, failure)
    product = None if given is None else read_identifier(given)
    if product is not None and product.kind in ("object", "light_curve"):
        return await _time_series(request)
    return await _on_account(_cutout, request)


async def _cutout(request: Request, _: Meter, connections: RoleConnections) -> Response:
    """Cutout of an image."""
    return await cutout_response(await _parameters(request), connections)


async def _data(request: Request, _: Meter, connections: RoleConnections) -> Response:
    """File of a product."""
    return await data_response(await _parameters(request), connections)


async def _coverage(request: Request, _: Meter, connections: RoleConnections) -> Response:
    """Sky that exposures cover."""
    return await coverage_response(await _parameters(request), connections, request.app.state.coverage)


async def _data_link(request: Request, meter: Meter, connections: RoleConnections) -> Response:
    """What there is of products."""
    given = (await _parameters(request)).all("ID")
    links = await links_of_all(given[:_MOST_LINKED], connections, address_of(request))
    meter.n_row = len(links)
    document = link_document(links, address_of(request), len(given) > _MOST_LINKED)
    return Response(document, media_type=MEDIA_TYPE)


async def _event_curves(request: Request, meter: Meter, connections: RoleConnections) -> Response:
    """Curves of the models of an event."""
    return await event_curves_response(await _parameters(request), meter, connections)


async def _spectral_metadata(*_: object) -> Response:
    """What can be asked of the service of spectra."""
    return metadata_response()


async def _spectrum(request: Request, meter: Meter, connections: RoleConnections) -> Response:
    """A spectrum."""
    return await spectrum_response(await _parameters(request), meter, connections)


async def _on_account(
    answer: Callable[[Request, Meter, RoleConnections], Awaitable[Response]], request: Request
) -> Response:
    """Answer that is made at once, on account of whoever asks."""
    try:
        return await accounted(request, partial(answer, request))
    except Failure as failure:
        return failure_response(request, failure)


async def _parameters(request: Request) -> Parameters:
    """Parameters of a request, in the address and in a form, which is read once."""
    known: Parameters | None = getattr(request.state, "parameters", None)
    if known is None:
        known = request.state.parameters = Parameters((await read_form(request)).pairs)
    return known


def _limits(request: Request, admitted: Admitted) -> Limits:
    """Rows that an answer may have."""
    return limits_of(request_limits(request.app.state.settings), admitted).rows


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")
