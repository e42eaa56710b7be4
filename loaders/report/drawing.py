"""All pictures of the page of a reference image, drawn and written beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from loaders.report.difference_pictures import (
    draw_changes,
    draw_cut_outs,
    draw_histogram,
    draw_kernel,
    draw_significance,
)
from loaders.report.exposure_pictures import draw_levels, draw_shifts
from loaders.report.facts import ReferenceFacts
from loaders.report.image_pictures import draw_coverage, draw_image, draw_psf, draw_thumbnail
from loaders.report.page import ReferencePictures, ShownChange
from loaders.report.psf_pictures import draw_psf_shape
from loaders.report.source_pictures import (
    draw_chi2,
    draw_errors,
    draw_magnitudes,
    draw_places,
    draw_sizes,
)
from loaders.report_page.picture import Picture, SavedPicture, save_picture, styled

#: Changes with cut-outs on a page.
_CUT_OUTS = 12


def draw_reference(facts: ReferenceFacts, folder: Path) -> ReferencePictures:
    """Draw what there is of a reference image, in place of what was drawn of it before."""
    prefix = _prefix(facts)
    for old in folder.glob(f"{prefix}_*.png"):
        old.unlink()
    with styled():
        return ReferencePictures(
            image=_saved(_image(facts, prefix), folder),
            exposures=_saved(_exposures(facts, prefix), folder),
            sources=_saved(_sources(facts, prefix), folder),
            difference=_saved(_difference(facts, prefix), folder),
            changes=_changes(facts, prefix, folder),
        )


def draw_small(facts: ReferenceFacts, folder: Path) -> SavedPicture | None:
    """Draw the thumbnail of a reference image, if its pixels are there."""
    if facts.pixels is None:
        return None
    with styled():
        return save_picture(draw_thumbnail(facts.pixels, _prefix(facts), facts.image.name), folder)


def _prefix(facts: ReferenceFacts) -> str:
    """What the names of the files of its pictures begin with."""
    return f"reference_{facts.image.reference_image_id}"


def _saved(pictures: Iterator[Picture], folder: Path) -> list[SavedPicture]:
    """Write pictures one after the other, so that no more than one is held."""
    return [save_picture(one, folder) for one in pictures]


def _image(facts: ReferenceFacts, prefix: str) -> Iterator[Picture]:
    if facts.pixels is not None:
        yield draw_image(facts.pixels, prefix)
        yield draw_coverage(facts.pixels, prefix)
        yield draw_psf(facts.pixels, prefix)
    if facts.psf is not None:
        yield draw_psf_shape(facts.psf, (facts.image.n_y, facts.image.n_x), prefix)


def _exposures(facts: ReferenceFacts, prefix: str) -> Iterator[Picture]:
    if facts.exposures.time.size:
        yield draw_shifts(facts.exposures, prefix)
        yield draw_levels(facts.exposures, prefix)


def _sources(facts: ReferenceFacts, prefix: str) -> Iterator[Picture]:
    if facts.sources is not None:
        yield draw_magnitudes(facts.sources, prefix)
        yield draw_errors(facts.sources, prefix)
        yield draw_chi2(facts.sources, prefix)
        yield draw_sizes(facts.sources, prefix)
        yield draw_places(facts.pixels, facts.sources, (facts.image.n_y, facts.image.n_x), prefix)


def _difference(facts: ReferenceFacts, prefix: str) -> Iterator[Picture]:
    pixels = facts.difference_pixels
    if pixels is not None:
        yield draw_significance(pixels, prefix)
        yield draw_histogram(pixels, prefix)
        yield draw_kernel(pixels, prefix)
    if facts.changes is not None:
        yield draw_changes(pixels, facts.changes, (facts.image.n_y, facts.image.n_x), prefix)


def _changes(facts: ReferenceFacts, prefix: str, folder: Path) -> list[ShownChange]:
    """Cut-outs of the most significant changes."""
    if facts.difference_pixels is None or facts.changes is None:
        return []
    drawn = draw_cut_outs(facts.difference_pixels, facts.changes, _CUT_OUTS, prefix)
    return [ShownChange(one, save_picture(one.picture, folder)) for one in drawn]
