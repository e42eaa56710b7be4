"""Artificial sources searched by our own detection, into the database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from loaders.blind_recovery.detect import detect_crowded, detect_static, read_image
from loaders.injection.image import read_facts
from loaders.injection.load import read_injection
from loaders.psf.load import ServingPsf, psf_for
from loaders.recovery.load import refresh_efficiency, store_matches
from loaders.recovery.match import MatchOptions, MeasuredSources
from loaders.rejection import Rejected, unexpected
from loaders.static_catalog.image import EXPOSURE
from loaders.static_catalog.load import psf_for_image
from roman_db import session
from roman_db.load_run import Counts, load_run

#: What may search: the detection of static catalogs, and that of crowded fields.
STATIC, CROWDED = "static_catalog", "crowded_search"

Lists = tuple[MeasuredSources, MeasuredSources]
"""All that was measured after the sources were added, and before."""


def detect_injection(
    name: str, product: str, options: MatchOptions, progress: Callable[[int, int], None]
) -> Counts:
    """Search the images of an injection without and with its sources, and store what is found.

    Counted are the images, each searched twice and stored, or rejected.

    Parameters
    ----------
    name
        The injection.
    product
        `STATIC` or `CROWDED`: what searches; the rows are stored under this name.
    options
        What counts as the same.
    progress
        Told after each image how many are done, and how many there are.

    Raises
    ------
    Rejected
        Code ``unknown_injection``.
    """
    stored = read_injection(name)
    search = {STATIC: _static_lists, CROWDED: _crowded_lists}[product]
    with load_run("detect injection", {"name": name, "product": product}, expected=len(stored.images)) as run:
        for done, image in enumerate(stored.images, 1):
            found = _searched(search, image)
            if isinstance(found, Rejected):
                with session.transaction() as connection:
                    run.reject(connection, found)
            else:
                store_matches(run, stored, (product, image), found, options)
            progress(done, len(stored.images))
        refresh_efficiency(run, stored.injection_run_id, product)
        return run.counts()


def _searched(search: Callable[[sa.Row[Any]], Lists], image: sa.Row[Any]) -> Lists | Rejected:
    """What a search finds in an image, or why it finds nothing."""
    try:
        return search(image)
    except Rejected as rejected:
        return rejected
    except Exception as error:  # noqa: BLE001 - a fault of ours costs this image, not the others
        return unexpected(Path(image.path), error)


def _static_lists(image: sa.Row[Any]) -> Lists:
    """Static catalogs after and before; both with the PSF of the image as it was."""
    before = read_image(Path(image.source_path), image.level)
    psf = _psf(Path(image.source_path)).psf if image.level == EXPOSURE else psf_for_image(before).psf
    after = read_image(Path(image.path), image.level)
    return detect_static(after, psf), detect_static(before, psf)


def _crowded_lists(image: sa.Row[Any]) -> Lists:
    """The search of crowded fields after and before.

    Raises
    ------
    Rejected
        Code ``not_level2`` for a mosaic.
    """
    if image.level != EXPOSURE:
        what = "is a mosaic, which is not searched as crowded fields are"
        raise Rejected(image.path, what, f"Search it as {STATIC}", "not_level2")
    serving = _psf(Path(image.source_path))
    known = serving.psf_model_id is not None
    after, before = (
        detect_crowded(Path(path), serving.psf, psf_was_measured=known)
        for path in (image.path, image.source_path)
    )
    return after, before


def _psf(path: Path) -> ServingPsf:
    """PSF that serves an exposure."""
    facts = read_facts(path)
    with session.reading() as connection:
        return psf_for(connection, facts.detector, facts.optical_element, facts.mjd_tdb)
