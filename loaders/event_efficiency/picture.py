"""A map of completeness: Einstein time against magnitude."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from loaders.wfi.catalog_product import write_whole

_DARK = 0.55
"""Completeness below which the numbers are written in white."""


def draw_completeness(cells: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Draw completeness into a PNG file, as `completeness_figure`."""
    figure = completeness_figure(cells, title)
    write_whole(path, lambda place: figure.savefig(place, dpi=110))


def completeness_figure(cells: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Draw completeness with its numbers of events.

    Parameters
    ----------
    cells
        Rows of the example ``event_efficiency``; cells without a row stay white.
    title
        What is shown.
    """
    figure = Figure(figsize=(8.5, 6.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    corners = np.array([_corners(cell) for cell in cells])
    shares = np.array([cell["completeness"] for cell in cells])
    drawn = PolyCollection(list(corners), array=shares, cmap="viridis", edgecolors="white", lw=1)
    drawn.set_clim(0, 1)
    axes.add_collection(drawn)
    for cell, middle in zip(cells, corners.mean(axis=1), strict=True):
        _write(axes, cell, (float(middle[0]), float(middle[1])))
    _label(axes, cells)
    axes.set_title(title, fontsize=11)
    figure.colorbar(drawn, ax=axes, label="completeness")
    return figure


def _corners(cell: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Corners of a cell: decimal logarithm of days, and magnitude."""
    left, right = np.log10(cell["einstein_time_lower"]), np.log10(cell["einstein_time_upper"])
    low, high = cell["magnitude_lower"], cell["magnitude_upper"]
    return [(left, low), (right, low), (right, high), (left, high)]


def _write(axes: Axes, cell: Mapping[str, Any], place: tuple[float, float]) -> None:
    """Write completeness with half its interval, and the number of events, into a cell."""
    share = cell["completeness"]
    half = (cell["completeness_upper"] - cell["completeness_lower"]) / 2
    text = f"{100 * share:.0f} ± {100 * half:.0f} %\n{cell['n_injected']}"
    colour = "white" if share < _DARK else "black"
    axes.text(*place, text, ha="center", va="center", fontsize=8, color=colour)


def _label(axes: Axes, cells: Sequence[Mapping[str, Any]]) -> None:
    """Edges of the cells as ticks, bright stars at the top."""
    edges = sorted({cell[f"einstein_time_{side}"] for cell in cells for side in ("lower", "upper")})
    axes.set_xticks(np.log10(edges), [f"{edge:g}" for edge in edges])
    axes.set_xlabel("Einstein time, days")
    axes.set_ylabel("F146 of the baseline, AB mag")
    axes.autoscale_view()
    axes.margins(0)
    axes.invert_yaxis()
