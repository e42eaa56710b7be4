"""Events in images against the same events in light curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from loaders.wfi.catalog_product import write_whole

FloatArray = npt.NDArray[np.float64]

_GROUPS = {
    "both": (True, True, "tab:blue", "o"),
    "images alone": (True, False, "tab:green", "^"),
    "light curves alone": (False, True, "tab:orange", "v"),
    "neither": (False, False, "tab:red", "x"),
}
"""Found in images, found in light curves, and how it is drawn."""

_PANELS = (
    ("delta_chi2", "fall of chi-square", True),
    ("einstein_time", "t_E, days", True),
    ("u_0", "u_0", False),
)


def draw_pairs(pairs: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Draw events at both levels into a PNG file, as `pairs_figure`."""
    figure = pairs_figure(pairs, title)
    write_whole(path, lambda place: figure.savefig(place, dpi=110))


def pairs_figure(pairs: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Draw what images gave against what light curves gave: fall of chi-square, t_E and u_0.

    Parameters
    ----------
    pairs
        Rows of the example ``event_media``; what was fitted at one level alone is not drawn.
    title
        What is shown.
    """
    figure = Figure(figsize=(12.0, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, words, is_log) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        _panel(axes, pairs, name, is_log=is_log)
        axes.set_xlabel(f"{words}, in light curves")
        axes.set_ylabel(f"{words}, in images")
    figure.axes[0].legend(fontsize=8)
    figure.suptitle(title, fontsize=11)
    return figure


def _panel(axes: Axes, pairs: Sequence[Mapping[str, Any]], name: str, *, is_log: bool) -> None:
    """One quantity at both levels."""
    if is_log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    found = np.array([(one["is_found_images"], one["is_found_lightcurve"]) for one in pairs], dtype=bool)
    x, y = (_values(pairs, f"{name}_{medium}") for medium in ("lightcurve", "images"))
    drawn = np.isfinite(x) & np.isfinite(y) & ((x > 0) & (y > 0) | (not is_log))
    for label, (images, lightcurve, colour, marker) in _GROUPS.items():
        group = (found[:, 0] == images) & (found[:, 1] == lightcurve)
        mine = drawn & group
        axes.plot(x[mine], y[mine], marker, color=colour, ms=4, label=f"{label}: {group.sum()}")
    if drawn.any():
        ends = np.array([min(x[drawn].min(), y[drawn].min()), max(x[drawn].max(), y[drawn].max())])
        axes.plot(ends, ends, color="0.6", lw=1, zorder=0)


def _values(pairs: Sequence[Mapping[str, Any]], name: str) -> FloatArray:
    """A column; NaN where it is empty."""
    return np.array([np.nan if one[name] is None else one[name] for one in pairs], dtype=np.float64)
