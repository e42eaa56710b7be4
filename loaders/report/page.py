"""The pages as HTML: templates with values put in, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import jinja2

from loaders.report.attention import Attention, sorted_by_level
from loaders.report.difference_pictures import HALF_CUT_OUT, Change
from loaders.report.facts import KINDS, STATES, DifferenceFacts, ImageFacts, ReferenceFacts, RunFacts
from loaders.report.picture import SavedPicture

_TEMPLATES = Path(__file__).parent / "templates"

_UNKNOWN = "–"

#: Inputs that were refused of which the page of a run has a line.
_REJECTIONS = 100


@dataclass(frozen=True)
class ShownChange:
    """A change with its picture in a file."""

    change: Change
    picture: SavedPicture


@dataclass(frozen=True)
class ReferencePictures:
    """Pictures of the page of a reference image, by section."""

    image: Sequence[SavedPicture]
    exposures: Sequence[SavedPicture]
    sources: Sequence[SavedPicture]
    difference: Sequence[SavedPicture]
    changes: Sequence[ShownChange]


@dataclass(frozen=True)
class ImageSummary:
    """What the page of a run shows of a reference image, and the file of the image's own page.

    ``states`` and ``kinds`` count its objects and what changed; empty where it was not searched or compared.
    """

    image: ImageFacts
    states: Mapping[str, int]
    difference: DifferenceFacts | None
    kinds: Mapping[str, int]
    thumbnail: SavedPicture | None
    file: str


def summary(facts: ReferenceFacts, thumbnail: SavedPicture | None) -> ImageSummary:
    """Keep of a reference image what the page of the run shows."""
    sources, changes = facts.sources, facts.changes
    return ImageSummary(
        facts.image,
        {} if sources is None else {state: sources.count(state) for state in STATES},
        facts.difference,
        {} if changes is None else {kind: changes.count(kind) for kind in KINDS},
        thumbnail,
        reference_file(facts.image.reference_image_id),
    )


def reference_file(reference_image_id: int) -> str:
    """Name of the page of a reference image."""
    return f"reference_{reference_image_id}.html"


def reference_page(
    facts: ReferenceFacts, pictures: ReferencePictures, attention: Sequence[Attention], index: str | None
) -> str:
    """Write the page of a reference image; ``index`` is the page of its run, if there is one."""
    values = {"facts": facts, "pictures": pictures, "attention": attention, "index": index}
    constants = {"states": STATES, "kinds": KINDS, "cut_out_side": 2 * HALF_CUT_OUT + 1}
    return _environment().get_template("reference.html").render(values | constants)


def run_page(run: RunFacts, images: Sequence[ImageSummary], attention: Sequence[Attention]) -> str:
    """Write the page of a run."""
    values = {"run": run, "images": images, "attention": sorted_by_level(attention)}
    constants = {"states": STATES, "kinds": KINDS, "most": _REJECTIONS, "page_of": reference_file}
    return _environment().get_template("run.html").render(values | constants)


def _environment() -> jinja2.Environment:
    """Templates that escape whatever is put in, and refuse what they do not know."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": count, "fixed": fixed, "digits": digits, "duration": duration}
    return environment


def count(value: int | None) -> str:
    """Whole number with thousands apart."""
    return _UNKNOWN if value is None else f"{value:,}"


def fixed(value: float | None, places: int) -> str:
    """Number with so many places; a dash for what is unknown."""
    return _UNKNOWN if value is None or value != value else f"{value:.{places}f}"


def digits(value: float | None, number: int = 3) -> str:
    """Number with so many digits that count; a dash for what is unknown."""
    return _UNKNOWN if value is None or value != value else f"{value:.{number}g}"


def duration(value: timedelta | None) -> str:
    """Length of time in the two units that matter, such as ``3 min 20 s``."""
    if value is None:
        return _UNKNOWN
    seconds = value.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
