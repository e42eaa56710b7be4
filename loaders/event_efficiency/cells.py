"""Which pictures of efficiency there are, and how each is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from loaders.event_efficiency.picture import (
    FIELDS,
    PLANETS,
    RELIABILITY,
    TIME_AND_IMPACT,
    TIME_AND_MAGNITUDE,
    Grid,
    cells_figure,
    sky_figure,
)


@dataclass(frozen=True)
class View:
    """A picture: the grid on which it is drawn (None: the sky), and what it shows in words."""

    grid: Grid | None
    title: str
    text: str

    def figure(self, cells: Sequence[Mapping[str, Any]], title: str) -> Figure:
        """Draw the cells."""
        return sky_figure(cells, title) if self.grid is None else cells_figure(cells, self.grid, title)


VIEWS = {
    "magnitude": View(
        TIME_AND_MAGNITUDE,
        "Completeness by Einstein time and magnitude",
        "Events of single lenses with impact parameters below one.",
    ),
    "u_0": View(
        TIME_AND_IMPACT,
        "Completeness by Einstein time and impact parameter",
        "Stars of all magnitudes.",
    ),
    "planets": View(
        PLANETS,
        "Completeness of planets",
        "Found is a planet whose event is, and in whose model there is a companion lighter than a tenth.",
    ),
    "fields": View(
        FIELDS,
        "Completeness by field and magnitude",
        "Events of single lenses and planets.",
    ),
    "reliability": View(
        RELIABILITY,
        "Reliability by field and magnitude",
        "Of what is found in light curves with an event and in the same untouched, the share with an event; "
        "grey where nothing is found.",
    ),
    "sky": View(
        None,
        "Completeness and reliability on the sky",
        "HEALPix pixels of 6.9 arcmin; grey where nothing is found.",
    ),
}
"""Pictures by the names by which they are asked for, those of `loaders.event_efficiency.statements.CELLS`."""
