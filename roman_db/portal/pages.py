"""The pages by their addresses; what a page shows at once is in it, plots ask for their data."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roman_db.portal.calculations import calculation
from roman_db.portal.found_objects import MOST, found_objects
from roman_db.portal.page import not_found, page, root_of
from roman_db.portal.reading import row, rows
from roman_db.portal.search import EventNumber, NotUnderstood, ObjectNumber, SpectrumNumber, read_search
from roman_db.portal.spectrum_pages import spectra_of
from roman_db.query.coordinates import sexagesimal
from roman_db.tap.formats.choice import FORMATS
from roman_db.tap.vosi import read_examples
from roman_db.whole_number import whole_number

router = APIRouter(include_in_schema=False)

#: Hours after receipt within which exposures are to be photometered (SSC's plan, daily mode).
_DUE_HOURS = 12.0
_MOST_EVENTS = 500
#: Days for which a daily product stays among the deadlines.
_LISTED_DAYS = 30


@router.get("/")
def front(request: Request) -> Response:
    """What there is, and where to begin."""
    return page("front.html", request, counts=row("overview"), events=rows("events", most=10))


@router.get("/search")
def search(request: Request, q: str = "") -> Response:
    """What a search finds; one object or event is shown at once."""
    try:
        wanted = read_search(q)
    except NotUnderstood as error:
        return page("search.html", request, 400, search=q, problem=str(error), found=[], most=MOST)
    if isinstance(wanted, EventNumber):
        return _to(request, f"/event/{wanted.event_id}")
    if isinstance(wanted, SpectrumNumber):
        return _to(request, f"/spectrum/{wanted.spectrum_id}")
    if isinstance(wanted, ObjectNumber) and row("object", object_id=wanted.object_id) is not None:
        return _to(request, f"/object/{wanted.object_id}")
    if isinstance(wanted, ObjectNumber):
        return not_found(request, f"There is no object {wanted.object_id}.", q)
    found = found_objects(wanted)
    if len(found) == 1:
        return _to(request, f"/object/{found[0]['object_id']}")
    return page("search.html", request, search=q, problem=None, found=found, most=MOST)


@router.get("/object/{object_id}")
def one_object(request: Request, object_id: str) -> Response:
    """All that is known of an object."""
    number = whole_number(object_id)
    target = None if number is None else row("object", object_id=number)
    if target is None:
        return not_found(request, f"There is no object {object_id[:40]}.")
    parts = ("flux", "alias", "astrometry", "statistics", "periods", "events")
    known: dict[str, Any] = {part: rows(f"object_{part}", object_id=number) for part in parts}
    return page(
        "object.html",
        request,
        target=target,
        place=sexagesimal(target["ra"], target["dec"]),
        kinds=_kinds(rows("curve_kinds", object_id=number)),
        spectra=spectra_of(target["object_id"]),
        **known,
    )


@router.get("/events")
def events(request: Request) -> Response:
    """Events, the clearest first."""
    return page("events.html", request, events=rows("events", most=_MOST_EVENTS), most=_MOST_EVENTS)


@router.get("/event/{event_id}")
def event(request: Request, event_id: str) -> Response:
    """An event with its models."""
    number = whole_number(event_id)
    found = None if number is None else row("event", event_id=number)
    if found is None:
        return not_found(request, f"There is no event {event_id[:40]}.")
    described = calculation("event_page")(found, root_of(request))
    return page("event.html", request, event=found, **described)


@router.get("/exposure/{exposure_id}")
def exposure(request: Request, exposure_id: str) -> Response:
    """An exposure and its quality."""
    number = whole_number(exposure_id)
    found = None if number is None else row("exposure", exposure_id=number)
    if found is None:
        return not_found(request, f"There is no exposure {exposure_id[:40]}.")
    metrics = rows("exposure_quality", exposure_id=number)
    return page("exposure.html", request, exposure=found, metrics=metrics)


@router.get("/query")
def query(request: Request) -> Response:
    """A box for ADQL."""
    return page("query.html", request, examples=read_examples(), formats=_formats())


@router.get("/sky")
def sky(request: Request) -> Response:
    """The sky with what is covered and catalogued."""
    return page("sky.html", request, fields=rows("fields"))


@router.get("/operations")
def operations(request: Request) -> Response:
    """What is due, late and failed, and how quality goes."""
    return page(
        "operations.html",
        request,
        deadlines=rows("deadlines", days=_LISTED_DAYS, hours=_DUE_HOURS),
        deliveries=rows("deliveries", days=_LISTED_DAYS),
        listed_days=_LISTED_DAYS,
        waiting=rows("waiting_exposures", days=30, hours=_DUE_HOURS),
        failed=rows("failed_units", days=30, most=100),
        rejections=rows("rejections", days=30),
        runs=rows("runs", most=30),
        metrics=rows("metrics", days=30),
        due_hours=_DUE_HOURS,
    )


def _formats() -> list[tuple[str, str]]:
    """Formats of answers: the name that a request has, and the name on the web."""
    return [(one.aliases[0], one.media_type) for one in FORMATS if one.aliases]


def _kinds(curves: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Light curves by kind of photometry, those of the PSF first, then that with most epochs."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for one in curves:
        kinds.setdefault(one["photometry_kind"], []).append(one)
    return dict(
        sorted(kinds.items(), key=lambda item: (item[0] != "psf", -sum(one["n_epoch"] for one in item[1])))
    )


def _to(request: Request, path: str) -> Response:
    """Send the browser to another page."""
    return RedirectResponse(f"{root_of(request)}{path}", 303)
