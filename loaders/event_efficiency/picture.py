"""Pictures of efficiency: shares by cells of two quantities, and on the sky."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cdshealpix
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from loaders.wfi.catalog_product import write_whole

Cells = Sequence[Mapping[str, Any]]

_DARK = 0.55
"""Share below which the numbers are written in white."""

_LEAST_WRITTEN = 0.25
"""Width of a pixel on the sky, as a share of what is drawn, from which numbers are written into it."""


@dataclass(frozen=True)
class Side:
    """A side of a grid: columns ``name_lower`` and ``name_upper``, the label, and how edges are laid out."""

    name: str
    label: str
    is_log: bool = False
    is_inverted: bool = False


@dataclass(frozen=True)
class Grid:
    """What is drawn: the sides, and the share with the counts it is of (`share`, found, tried)."""

    x: Side
    y: Side
    share: str = "completeness"
    tried: str = "n_injected"


_TIME = Side("einstein_time", "Einstein time, days", is_log=True)
_MAGNITUDE = Side("magnitude", "F146 of the baseline, AB mag", is_inverted=True)

TIME_AND_MAGNITUDE = Grid(_TIME, _MAGNITUDE)
TIME_AND_IMPACT = Grid(_TIME, Side("u_0", "impact parameter, Einstein radii"))
PLANETS = Grid(Side("s", "separation s, Einstein radii", is_log=True), Side("q", "mass ratio q", is_log=True))
RELIABILITY = Grid(Side("field", "field"), _MAGNITUDE, "reliability", "n_found")
FIELDS = Grid(Side("field", "field"), _MAGNITUDE)


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure into a PNG file, whole or not at all."""
    write_whole(path, lambda place: figure.savefig(place, dpi=110))


def cells_figure(cells: Cells, grid: Grid, title: str) -> Figure:
    """Draw a share by cells, with its error and the number of events of each.

    Parameters
    ----------
    cells
        Rows with the sides of the grid, the share, its limits, and how many were tried; cells without a row
        stay white, those whose share is unknown grey. Fields may be told by ``field_name`` instead of edges.
    grid
        What is drawn.
    title
        What is shown.
    """
    figure = Figure(figsize=(8.5, 6.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    across, up = _edges(cells, grid.x), _edges(cells, grid.y)
    corners = np.stack(
        [across[:, [0, 1, 1, 0]], up[:, [0, 0, 1, 1]]],
        axis=-1,
    )
    _shade(axes, corners, _shares(cells, grid.share), grid.share)
    for cell, middle in zip(cells, corners.mean(axis=1), strict=True):
        _write(axes, cell, grid, (float(middle[0]), float(middle[1])))
    axes.autoscale_view()
    axes.margins(0)
    _label(axes, cells, grid)
    axes.set_title(title, fontsize=11)
    return figure


def sky_figure(cells: Cells, title: str) -> Figure:
    """Draw completeness and reliability on the sky.

    Parameters
    ----------
    cells
        Rows of ``roman.event_detection_map`` with ``n_injected`` and ``n_found``; grey where unknown.
    title
        What is shown.
    """
    figure = Figure(figsize=(11.0, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    corners = _pixels(cells)
    for axes, grid in zip(figure.subplots(1, 2), (FIELDS, RELIABILITY), strict=True):
        _shade(axes, corners, _shares(cells, grid.share), grid.share)
        if np.ptp(corners[0, :, 0]) >= _LEAST_WRITTEN * np.ptp(corners[..., 0]):
            for cell, middle in zip(cells, corners.mean(axis=1), strict=True):
                _write(axes, cell, grid, (float(middle[0]), float(middle[1])))
        axes.autoscale_view()
        axes.set_aspect(1 / np.cos(np.radians(corners[..., 1].mean())))
        axes.invert_xaxis()
        axes.ticklabel_format(useOffset=False)
        axes.locator_params(nbins=5)
        axes.set_xlabel("right ascension, deg")
        axes.set_ylabel("declination, deg")
    figure.suptitle(title, fontsize=11)
    return figure


def _pixels(cells: Cells) -> npt.NDArray[np.float64]:
    """Right ascensions and declinations (degrees ICRS) of the corners of pixels, shape (n, 4, 2)."""
    index = np.array([cell["healpix_index"] for cell in cells], np.uint64)
    lon, lat = cdshealpix.vertices(index, int(cells[0]["healpix_order"]))
    return np.stack([lon.to_value("deg"), lat.to_value("deg")], axis=-1)


def _shares(cells: Cells, name: str) -> npt.NDArray[np.float64]:
    """Shares of cells, NaN where unknown."""
    return np.array([np.nan if cell[name] is None else cell[name] for cell in cells], float)


def _edges(cells: Cells, side: Side) -> npt.NDArray[np.float64]:
    """Lower and upper edges of cells on a side, shape (n, 2): decimal logarithms, or places of names."""
    if side.name == "field":
        names = _fields(cells)
        place = np.array([names.index(cell["field_name"]) for cell in cells], float)
        return np.stack([place, place + 1], axis=1)
    edges = np.array([[cell[f"{side.name}_{end}"] for end in ("lower", "upper")] for cell in cells], float)
    return np.log10(edges) if side.is_log else edges


def _fields(cells: Cells) -> list[str]:
    return sorted({cell["field_name"] for cell in cells})


def _shade(axes: Axes, corners: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], name: str) -> None:
    """Colour cells by their share; grey where it is unknown."""
    known = np.isfinite(shares)
    axes.add_collection(PolyCollection(list(corners[~known]), facecolors="#dddddd", edgecolors="white"))
    drawn = PolyCollection(
        list(corners[known]), array=shares[known], cmap="viridis", edgecolors="white", lw=1
    )
    drawn.set_clim(0, 1)
    axes.add_collection(drawn)
    axes.figure.colorbar(drawn, ax=axes, label=name, shrink=0.9)


def _write(axes: Axes, cell: Mapping[str, Any], grid: Grid, place: tuple[float, float]) -> None:
    """Write the share with half its interval, and of how many, into a cell."""
    share = cell[grid.share]
    if share is None:
        text, colour = "–", "black"
    else:
        half = (cell[f"{grid.share}_upper"] - cell[f"{grid.share}_lower"]) / 2
        text = f"{100 * share:.0f} ± {100 * half:.0f} %\n{cell[grid.tried]}"
        colour = "white" if share < _DARK else "black"
    axes.text(*place, text, ha="center", va="center", fontsize=8, color=colour)


def _label(axes: Axes, cells: Cells, grid: Grid) -> None:
    """Edges of the cells as ticks, bright stars at the top."""
    for side, ticks, label in (
        (grid.x, axes.set_xticks, axes.set_xlabel),
        (grid.y, axes.set_yticks, axes.set_ylabel),
    ):
        label(side.label)
        if side.name == "field":
            names = _fields(cells)
            ticks(np.arange(len(names)) + 0.5, names)
            continue
        edges = sorted({cell[f"{side.name}_{end}"] for cell in cells for end in ("lower", "upper")})
        ticks(np.log10(edges) if side.is_log else edges, [f"{edge:.3g}" for edge in edges])
    if grid.y.is_inverted:
        axes.invert_yaxis()
