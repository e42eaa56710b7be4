"""What needs an eye, in plain words with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Attention:
    """Something to look at: what it is, what to do, how bad, and the page that shows it.

    Parameters
    ----------
    what, do
        Sentences.
    level
        ``failure`` or ``warning``.
    page
        File beside the page of the run; None for that page itself.
    link
        What the link to it is called.
    """

    what: str
    do: str
    level: str = "warning"
    page: str | None = None
    link: str = "Its page"


def sorted_by_level(found: Sequence[Attention]) -> list[Attention]:
    """Failures first, otherwise in order."""
    return sorted(found, key=lambda one: one.level != "failure")
