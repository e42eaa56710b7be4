"""Images made of images, and what is put into them."""

from __future__ import annotations

from collections.abc import Iterator

from bench import injection
from bench.record import Figure


def figures() -> Iterator[Figure]:
    """All figures of this area."""
    yield from injection.figures()
