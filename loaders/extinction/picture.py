"""A picture of the map: extinction, reddening, and the errors of both."""

from __future__ import annotations

from pathlib import Path

import cdshealpix
import numpy as np
import numpy.typing as npt
from astropy import units as u
from astropy.coordinates import SkyCoord
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from loaders.extinction.cell import PAIRS
from loaders.extinction.configuration import REFERENCE
from loaders.extinction.product import ExtinctionMap
from loaders.wfi.catalog_product import write_whole

FloatArray = npt.NDArray[np.float64]

_UNKNOWN = "#dddddd"
"""Colour of cells without a clump."""


def draw_map(current: ExtinctionMap, path: Path) -> None:
    """Draw the map into a PNG file, as `map_figure`."""
    figure = map_figure(current)
    write_whole(path, lambda place: figure.savefig(place, dpi=110))


def map_figure(current: ExtinctionMap) -> Figure:
    """Draw the map in Galactic coordinates; cells without a clump are grey."""
    of_f146 = current.values[REFERENCE]
    reddening, error = current.reddening(PAIRS[0])
    panels = (
        (of_f146["extinction"], "A(F146), mag", "viridis"),
        (reddening, "E(F087 - F146), mag", "inferno"),
        (of_f146["clump_mag_err"], "error of the clump in F146, mag", "cividis"),
        (error, "error of E(F087 - F146), mag", "cividis"),
    )
    figure = Figure(figsize=(10.5, 9.0), layout="constrained")
    FigureCanvasAgg(figure)
    corners = _corners(current)
    for axes, (values, title, colours) in zip(figure.subplots(2, 2).ravel(), panels, strict=True):
        _draw(axes, corners, values, colours)
        axes.set_title(title, fontsize=10)
    figure.supxlabel("Galactic longitude, deg")
    figure.supylabel("Galactic latitude, deg")
    return figure


def _draw(axes: Axes, corners: FloatArray, values: FloatArray, colours: str) -> None:
    """Draw the cells of a panel with their scale."""
    known = np.isfinite(values)
    axes.add_collection(PolyCollection(list(corners[~known]), facecolors=_UNKNOWN, edgecolors="none"))
    cells = PolyCollection(list(corners[known]), array=values[known], cmap=colours, edgecolors="face", lw=0.2)
    axes.add_collection(cells)
    axes.autoscale_view()
    axes.set_aspect(1 / np.cos(np.radians(corners[..., 1].mean())))
    axes.invert_xaxis()
    axes.tick_params(labelsize=8)
    if known.any():
        bar = axes.figure.colorbar(cells, ax=axes, shrink=0.85)
        bar.ax.tick_params(labelsize=8)


def _corners(current: ExtinctionMap) -> FloatArray:
    """Galactic longitudes and latitudes (degrees) of the corners of cells, shape (n, 4, 2)."""
    out = np.empty((len(current), 4, 2))
    for order in np.unique(current.order):
        mine = current.order == order
        lon, lat = cdshealpix.vertices(current.index[mine].astype(np.uint64), int(order))
        galactic = SkyCoord(lon, lat, frame="icrs").galactic
        out[mine] = np.stack(
            [galactic.l.wrap_at(180 * u.deg).to_value(u.deg), galactic.b.to_value(u.deg)], axis=-1
        )
    return out
