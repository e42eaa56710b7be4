"""The pages of a season and of its events, drawn and written; no page needs the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from loaders.report_page.picture import SavedPicture, save_picture, styled
from loaders.report_page.render import environment
from loaders.season_report.attention import of_event, what_to_do
from loaders.season_report.event_pictures import draw_small, drawn, figures_of
from loaders.season_report.facts import EventFacts, SeasonFacts, event_file
from loaders.season_report.mosaic_pictures import mosaic_pictures
from loaders.season_report.overview_pictures import season_pictures
from loaders.season_report.posterior_picture import draw_posterior

#: Where the templates are, of the pages of events and of what the page of a run shows of a season.
TEMPLATES = Path(__file__).parent / "templates"

#: Events of which the page of a run has a small picture.
MOST_PICTURES = 24


@dataclass(frozen=True)
class EventSummary:
    """What the page of a run shows of an event; None and empty without a model."""

    event_id: int
    object_id: int
    classification: str
    delta_chi2: float | None
    name: str | None
    value: Mapping[str, float]
    error: Mapping[str, float]
    reduced_chi2: float | None
    n_twin: int
    attention: Sequence[str]
    thumbnail: SavedPicture | None
    file: str


@dataclass(frozen=True)
class SeasonPage:
    """What the page of a run shows of a season."""

    facts: SeasonFacts
    pictures: Sequence[SavedPicture]
    events: Sequence[EventSummary]
    mosaics: Sequence[SavedPicture] = ()


def write_event(event: EventFacts, folder: Path) -> EventSummary:
    """Write the page of an event with its pictures into a folder, in place of what was there of it."""
    prefix = f"event_{event.event_id}"
    for old in folder.glob(f"{prefix}_*.png"):
        old.unlink()
    pictures, small = _draw(event, folder, prefix)
    said = of_event(event, is_drawn=small is not None)
    values = {"event": event, "pictures": pictures, "attention": [what_to_do(one) for one in said]}
    values |= {"object_link": _command, "event_address": event_file}
    page = environment(TEMPLATES).get_template("event.html").render(values | columns_of(event))
    (folder / event_file(event.event_id)).write_text(page, encoding="utf-8")
    return _summary(event, said, small)


def _draw(event: EventFacts, folder: Path, prefix: str) -> tuple[list[SavedPicture], SavedPicture | None]:
    """Draw an event; nothing where it has no model or points, or its kind is not known."""
    if not event.models:
        return [], None
    try:
        seen = drawn(event)
    except LookupError:
        return [], None
    if not seen.bands:
        return [], None
    with styled():
        posterior = draw_posterior(event, prefix)
        figures = [*figures_of(seen, prefix), *([posterior] if posterior else [])]
        pictures = [save_picture(one, folder) for one in figures]
        return pictures, save_picture(draw_small(seen, prefix), folder)


def _command(object_id: int) -> Markup:
    """The command that shows the light curve of an object: a page in a folder has no link to it."""
    return Markup("<code>roman-db lightcurve --id {}</code>").format(object_id)


def columns_of(event: EventFacts) -> dict[str, Any]:
    """Names of the parameters of all models in order, and elements with the numbers of their sources."""
    names = dict.fromkeys(name for one in event.models for name in one.model.value)
    fluxes = sorted(event.models[0].model.flux) if event.models else []
    return {"names": list(names), "fluxes": fluxes}


def _summary(event: EventFacts, said: Sequence[str], small: SavedPicture | None) -> EventSummary:
    best = event.models[0] if event.models else None
    return EventSummary(
        event.event_id,
        event.object_id,
        event.classification,
        event.delta_chi2,
        None if best is None else best.model.name,
        {} if best is None else best.model.value,
        {} if best is None else best.model.error,
        None if best is None else best.reduced_chi2,
        len(event.twins),
        said,
        small,
        event_file(event.event_id),
    )


def season_page(
    facts: SeasonFacts, events: Sequence[EventSummary], threshold: float, folder: Path
) -> SeasonPage:
    """Draw the pictures of a season into a folder; ``threshold`` is the index of variable objects."""
    with styled():
        pictures = [save_picture(one, folder) for one in season_pictures(facts, threshold)]
        mosaics = [save_picture(one, folder) for one in mosaic_pictures(facts.mosaics)]
    return SeasonPage(facts, pictures, events, mosaics)


def attention_of_events(events: Sequence[EventSummary]) -> list[tuple[int, str]]:
    """What is to be looked at of all events, as `loaders.season_report.attention.of_events` takes it."""
    return [(one.event_id, what) for one in events for what in one.attention]
