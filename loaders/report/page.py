"""The pages as HTML: templates with values put in, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loaders.report.difference_pictures import HALF_CUT_OUT, Change
from loaders.report.facts import KINDS, STATES, DifferenceFacts, ImageFacts, ReferenceFacts
from loaders.report.run_facts import RunFacts
from loaders.report_page.attention import Attention, sorted_by_level
from loaders.report_page.picture import SavedPicture
from loaders.report_page.render import environment
from loaders.season_report.page import MOST_PICTURES, SeasonPage
from loaders.season_report.page import TEMPLATES as SEASON_TEMPLATES

_TEMPLATES = Path(__file__).parent / "templates"

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
    return environment(_TEMPLATES).get_template("reference.html").render(values | constants)


def run_page(
    run: RunFacts,
    images: Sequence[ImageSummary],
    attention: Sequence[Attention],
    season: SeasonPage | None = None,
) -> str:
    """Write the page of a run; ``season`` is what a run of a season or survey has besides."""
    values = {"run": run, "images": images, "attention": sorted_by_level(attention), "season": season}
    constants = {"states": STATES, "kinds": KINDS, "most": _REJECTIONS, "most_pictures": MOST_PICTURES}
    return environment(_TEMPLATES, SEASON_TEMPLATES).get_template("run.html").render(values | constants)
