"""The page of an event from the database; `roman_db.portal` finds these by entry points."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from loaders.event_page.document import event_document
from loaders.report_page.picture import styled
from loaders.report_page.render import environment
from loaders.season_report.attention import of_event, what_to_do
from loaders.season_report.facts import EventFacts
from loaders.season_report.load import read_events
from loaders.season_report.page import TEMPLATES, columns_of
from loaders.season_report.posterior_picture import draw_posterior

_DPI = 130


def event_page(found: Mapping[str, Any], root: str) -> dict[str, Any]:
    """What the page of an event shows besides its plots.

    Parameters
    ----------
    found
        ``event_id``, ``survey``, ``season`` and ``photometry_kind`` of the event.
    root
        What stands before the addresses of all pages.

    Returns
    -------
    dict
        ``facts`` and ``models``: tables as in the report of the season, as HTML; ``attention``: what is to be
        looked at; ``name`` of the believed model, ``parameters`` and ``n_twin``.
    """
    event = _read(found)
    values = {
        "event": event,
        "object_link": lambda number: Markup('<a href="{}/object/{}">{}</a>').format(root, number, number),
        "event_address": lambda number: f"{root}/event/{number}",
    } | columns_of(event)
    templates = environment(TEMPLATES)
    best = event.models[0] if event.models else None
    return {
        "facts": Markup(templates.get_template("event_facts.html").render(values)),
        "models": Markup(templates.get_template("event_models.html").render(values)),
        "attention": [what_to_do(one) for one in of_event(event, is_drawn=bool(event.models))],
        "name": None if best is None else best.model.name,
        "parameters": {} if best is None else best.model.value,
        "n_twin": len(event.twins),
        "has_posterior": best is not None and bool(best.model.sample),
    }


def event_curves(found: Mapping[str, Any], span: tuple[float, float] | None) -> dict[str, Any] | None:
    """Points and models of an event for its plots: `loaders.event_page.document.event_document`."""
    return event_document(_read(found), span)


def event_posterior(found: Mapping[str, Any]) -> bytes | None:
    """Picture (PNG) of the posterior of the believed model; None where it was not sampled."""
    with styled():
        picture = draw_posterior(_read(found), "event")
        if picture is None:
            return None
        sink = io.BytesIO()
        picture.figure.savefig(sink, dpi=_DPI, facecolor="white", format="png")
    return sink.getvalue()


def _read(found: Mapping[str, Any]) -> EventFacts:
    """The event with all that is known of it."""
    arguments = {name: found[name] for name in ("survey", "season", "photometry_kind")}
    (event,) = read_events(arguments, [found["event_id"]])
    return event
