"""What needs an eye: rules on what a run and its images came to, in plain words with what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from loaders.report.facts import ReferenceFacts
from loaders.report.page import reference_file
from loaders.report.psf_attention import of_psf
from loaders.report.run_facts import RunFacts
from loaders.report_page.attention import Attention

#: Share of the pixels of a difference beyond five standard deviations above which it is to be looked at; of
#: noise it is 6e-7.
FRACTION_BEYOND = 1e-3

#: Shares of the objects of an image that may be missing, and that may be new where there is an image before.
MISSING, UNMATCHED = 0.02, 0.10

#: So few objects are no pattern.
FEW = 3

#: Share of the pixels of an exposure in the image that may have been left out.
REJECTED = 0.05

#: Error of the PSF, as a fraction of the light of a star, from which fluxes and faint objects are not right.
POOR_PSF = 0.1

_AGAIN = "Mend the cause, or report it with the log, and give the same command again."
_KILLED = (
    "Most often memory ran out: look into the system's log, give it more memory or fewer workers "
    "(ROMAN_DB_WORKERS), and give the same command again."
)


def of_run(run: RunFacts) -> Iterator[Attention]:
    """What is to be looked at of a run besides its images."""
    if run.state == "running":
        yield Attention(
            "The run is going on, or its process is gone.",
            f"Write the report again when it has ended: roman-db report run {run.load_run_id}. If it was "
            "killed, give the same command again: it goes on where it was.",
        )
    elif run.state not in ("succeeded", "partly_failed"):
        # Units that failed say why themselves.
        message = f": {run.message}" if run.message and not run.failed else ""
        yield Attention(f"The run is {run.state}{message}.", _AGAIN, "failure")
    for unit in run.failed:
        why = f": {unit.message}" if unit.message else "."
        is_killed = (unit.message or "").startswith("BrokenProcessPool")
        remedy = _KILLED if is_killed else _AGAIN
        yield Attention(f"The unit {unit.task} {unit.unit} {unit.state}{why}", remedy, "failure")
    # A unit that failed is listed above; its inputs were rejected with it, whatever the code.
    with_units = tuple(f"{unit.task} {unit.unit} failed: " for unit in run.failed)
    refused = [one for one in run.rejections if not one.reason.startswith(with_units)]
    # The same exposure may be refused in several passes.
    inputs = {(one.source, one.code, one.remedy) for one in refused}
    for (code, remedy), count in sorted(Counter((code, remedy) for _, code, remedy in inputs).items()):
        yield Attention(f"{count:,} input{' was' if count == 1 else 's were'} refused: {code}.", f"{remedy}.")
    for metric in run.metrics:
        if metric.n_failure:
            yield Attention(
                f"The quality metric {metric.metric} is beyond its limit in {metric.n_failure} of "
                f"{metric.n} values.",
                'Which they are: roman-db query "SELECT exposure_id, block_id, psf_model_id, '
                f"reference_image_id, value FROM ops.quality_metric WHERE load_run_id = {run.load_run_id} "
                f"AND metric = '{metric.metric}' AND verdict = 'failure'\"",
            )


def of_image(facts: ReferenceFacts) -> Iterator[Attention]:
    """What is to be looked at of a reference image."""
    for what, do in _of_image(facts):
        name = facts.image.name
        yield Attention(f"{name}: {what}", do, page=reference_file(facts.image.reference_image_id))


def _of_image(facts: ReferenceFacts) -> Iterator[tuple[str, str]]:
    """The same, without the name of the image."""
    again = "Make the image again: roman-db run eight-day --redo, with --detector and --optical-element."
    for note in facts.notes:
        replaced = "Nothing: another image has taken its place."
        yield note, replaced if facts.image.is_superseded else again
    yield from _of_exposures(facts)
    yield from _of_dithers(facts)
    if facts.image.psf_model_id is None:
        yield (
            "its PSF is that of the optics, not one of its stars.",
            "Fluxes are right to some per cent only. Give the command again once PSFs of these days are "
            "built; if none is, there are too few stars or exposures: see roman.psf_model.",
        )
    if (facts.image.psf_error or 0.0) > POOR_PSF:
        yield (
            f"its PSF is off by {facts.image.psf_error:.0%} of the light of a star.",
            "Take its fluxes, and objects near bright ones, with care: a PSF of few exposures, or of a "
            "catalog that was wrong, does it. Where better exposures exist, make the PSFs again: roman-db "
            "run daily --redo, then the image.",
        )
    yield from of_psf(facts)
    yield from _of_sources(facts)
    yield from _of_difference(facts)


def _of_dithers(facts: ReferenceFacts) -> Iterator[tuple[str, str]]:
    """What its exposures are too few, or too much alike, for."""
    image = facts.image
    if image.is_judged is False:
        yield (
            f"it is made of {image.n_exposure} exposures only, too few to tell hits and trails from the sky: "
            "whatever an exposure shows is in the image.",
            "Look at its objects with care; wait for more exposures of these days, and make it again.",
        )
    if image.oversampling == 1:
        yield (
            "its exposures lie in one place of a pixel: it is not super-sampled.",
            "Nothing can be done with these exposures; dithers by parts of a pixel are what it takes.",
        )


def _of_exposures(facts: ReferenceFacts) -> Iterator[tuple[str, str]]:
    image, exposures = facts.image, facts.exposures
    if image.n_refused:
        reasons = Counter(str(why) for why in exposures.refused[~exposures.is_used])
        said = "; ".join(why if count == 1 else f"{why} ({count})" for why, count in reasons.items())
        yield (
            f"{image.n_refused} of its {image.n_exposure + image.n_refused} exposures left out: {said}.",
            "Look at the exposures in the registration; if a WCS is wrong, process the exposure again and "
            "load it with --replace.",
        )
    many = exposures.is_used & (np.nan_to_num(exposures.rejected) > REJECTED)
    if many.any():
        yield (
            f"more than {REJECTED:.0%} of the pixels were left out of {int(many.sum())} of its exposures.",
            "Look at these exposures: their PSF or WCS may be off, or a trail crosses them.",
        )


def _of_sources(facts: ReferenceFacts) -> Iterator[tuple[str, str]]:
    sources = facts.sources
    if sources is None:
        return
    known, new, missing = (sources.count(state) for state in ("known", "new", "missing"))
    if missing > max(FEW, MISSING * (known + missing)):
        yield (
            f"{missing:,} of {known + missing:,} objects that it should show are missing.",
            "Look where they are: crowded on one side they point to the alignment or the background.",
        )
    if facts.image.n_before and new > max(FEW, UNMATCHED * (known + new)):
        yield (
            f"{new:,} of {known + new:,} objects match none that was known, although an image before it was "
            "searched.",
            "Look at their magnitudes and places: faint ones near bright stars and edges are hardly real.",
        )


def _of_difference(facts: ReferenceFacts) -> Iterator[tuple[str, str]]:
    difference = facts.difference
    if difference is not None and difference.fraction_beyond > FRACTION_BEYOND:
        yield (
            f"{difference.fraction_beyond:.2%} of the pixels of the difference are beyond five standard "
            f"deviations (limit {FRACTION_BEYOND:.1%}).",
            "Look at the difference: what was found to change is not among them. Rings about many stars are "
            "a PSF or kernel that does not fit, pairs of red and blue an alignment that does not: until "
            "that is mended, take the changes with care.",
        )
