"""Images made of images, what is put into them, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterator

from bench import detection, difference, injection, reference_image, static_catalog
from bench.record import Figure


def figures() -> Iterator[Figure]:
    """All figures of this area."""
    yield from detection.figures()
    yield from reference_image.figures()
    yield from difference.figures()
    yield from injection.figures()
    yield from static_catalog.figures()
