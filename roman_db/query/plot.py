"""The plot of a light curve, for paper and screen.

One panel for each optical element, in the order of wavelength; the time axis is broken where nothing was
observed for long, such as between seasons.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import AutoMinorLocator, MaxNLocator, ScalarFormatter

from roman_db.query.coordinates import sexagesimal
from roman_db.query.error import QueryError
from roman_db.query.light_curve import FloatArray, LightCurve, Series
from roman_db.query.output import PICTURES
from roman_db.query.plot_panel import CATALOG_LINE, Panel, draw_panel, order

_STYLE_SHEET: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.linewidth": 0.7,
    "axes.edgecolor": "#333333",
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "ytick.minor.visible": True,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}
#: The axis is broken where nothing was observed for longer than this, and for shorter gaps if they are longer
#: than these days and this part of the whole.
_SEASON_GAP_DAYS, _GAP_DAYS, _GAP_PART = 20.0, 5.0, 0.3
#: No part of a broken axis is narrower than this part of the widest.
_NARROWEST = 0.2
#: Room above the panels.
_HEAD_INCHES = 0.52
_GREY = "#555555"


def save_plot(light_curve: LightCurve, path: Path) -> None:
    """Draw a light curve into a file, PNG, PDF or SVG by its suffix.

    Raises
    ------
    QueryError
        If there is nothing to draw, the suffix is another or the file cannot be written.
    """
    if path.suffix.lower() not in PICTURES:
        raise QueryError(f"cannot draw into {path.name}: end it in one of {', '.join(PICTURES)}")
    with mpl.rc_context(_STYLE_SHEET):
        figure = draw(light_curve)
        try:
            figure.savefig(path, dpi=200)
        except OSError as error:
            raise QueryError(f"cannot write {path}: {error.strerror or error}") from error


def draw(light_curve: LightCurve) -> Figure:
    """Draw a light curve.

    Raises
    ------
    QueryError
        If no point has a flux.
    """
    series = sorted((one for one in light_curve.series if one.is_measured.any()), key=order)
    if not series:
        raise QueryError(f"object {light_curve.target.object_id} has no point with a flux: nothing to draw")
    spans = split_at_gaps(np.concatenate([one.bjd_tdb[one.is_measured] for one in series]))
    heights = _heights(series)
    height = _HEAD_INCHES + 0.5 + 1.9 * sum(heights)
    below_head = (0, 0, 1, 1 - _HEAD_INCHES / height)
    layout = ConstrainedLayoutEngine(rect=below_head, w_pad=0.04, h_pad=0.03, wspace=0.01, hspace=0.01)
    figure = Figure(figsize=(8.5, height), layout=layout)
    grid = figure.subplots(
        len(series), len(spans), squeeze=False, sharex="col", sharey="row",
        width_ratios=_widths(spans), height_ratios=heights,
    )  # fmt: skip
    offset = _offset(spans)
    catalog = [light_curve.target.flux.get(one.optical_element, np.nan) for one in series]
    panels = [Panel.of(one, flux, offset) for one, flux in zip(series, catalog, strict=True)]
    shows_catalog = [draw_panel(row, panel) for row, panel in zip(grid, panels, strict=True)]
    _limit_times(grid[-1], spans, offset)
    for row in grid:
        _break_axes(row)
    _write_head(figure, light_curve, shows_catalog=any(shows_catalog))
    figure.supxlabel(f"$\\mathrm{{BJD_{{TDB}}}} - {offset:.0f}$  [d]", fontsize=9.5)
    return figure


def split_at_gaps(times: FloatArray) -> list[tuple[float, float]]:
    """Split times at long gaps.

    Parameters
    ----------
    times
        Shape (n,), days, in any order; at least one.

    Returns
    -------
    list of (float, float)
        First and last time of each part, in order.
    """
    ordered = np.unique(times)
    gaps = np.diff(ordered)
    part = _GAP_PART * (ordered[-1] - ordered[0])
    is_long = (gaps > _SEASON_GAP_DAYS) | ((gaps > _GAP_DAYS) & (gaps > part))
    (breaks,) = np.nonzero(is_long)
    first = np.concatenate([[0], breaks + 1])
    last = np.concatenate([breaks, [ordered.size - 1]])
    return [(float(ordered[i]), float(ordered[j])) for i, j in zip(first, last, strict=True)]


def _heights(series: Sequence[Series]) -> list[float]:
    """Give the series with the most points more room."""
    most = max(one.bjd_tdb.size for one in series)
    return [1.5 if one.bjd_tdb.size == most else 1.0 for one in series]


def _widths(spans: Sequence[tuple[float, float]]) -> list[float]:
    """Widths of the parts in proportion to their days, but none too narrow to see."""
    days = np.array([end - start for start, end in spans])
    return list(np.maximum(days, max(_NARROWEST * days.max(), 1e-6)))


def _offset(spans: Sequence[tuple[float, float]]) -> float:
    """Days that are taken off, so that the ticks have few digits."""
    step = 1000.0 if spans[-1][1] - spans[0][0] > 100 else 10.0
    return float(np.floor(spans[0][0] / step) * step)


def _limit_times(row: Sequence[Axes], spans: Sequence[tuple[float, float]], offset: float) -> None:
    """Let every column show its part of the time."""
    longest = max(end - start for start, end in spans)
    for axes, (start, end) in zip(row, spans, strict=True):
        margin = 0.03 * max(end - start, _NARROWEST * longest, 0.01)
        axes.set_xlim(start - offset - margin, end - offset + margin)
        axes.xaxis.set_major_locator(MaxNLocator(**_ticks(len(spans))))
        axes.xaxis.set_minor_locator(AutoMinorLocator())
        axes.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))


def _ticks(n_part: int) -> dict[str, Any]:
    """How many ticks a part of the time axis has, and in which steps."""
    if n_part == 1:
        return {"nbins": 9, "steps": [1, 2, 5, 10]}
    return {"nbins": max(3, 9 // n_part), "steps": [1, 2, 3, 5, 10], "min_n_ticks": 1, "prune": "both"}


def _break_axes(row: Sequence[Axes]) -> None:
    """Mark where the time axis is broken by slanted strokes on both sides."""
    stroke: dict[str, Any] = {
        "marker": [(-0.6, -1), (0.6, 1)], "markersize": 7, "linestyle": "none", "color": "#333333",
        "markeredgewidth": 0.8, "clip_on": False, "zorder": 10,
    }  # fmt: skip
    for left, right in itertools.pairwise(row):
        left.spines.right.set_visible(False)
        right.spines.left.set_visible(False)
        left.tick_params(axis="y", which="both", right=False)
        right.tick_params(axis="y", which="both", left=False)
        for axes, side in ((left, 1), (right, 0)):
            (line,) = axes.plot([side, side], [0, 1], transform=axes.transAxes, **stroke)
            line.set_in_layout(False)


def _write_head(figure: Figure, light_curve: LightCurve, *, shows_catalog: bool) -> None:
    """Write above the panels which object it is, and what the symbols mean."""
    target = light_curve.target
    height = figure.get_figheight()
    name, place = 1 - 0.09 / height, 1 - 0.32 / height
    words = f"{sexagesimal(target.ra, target.dec)}   ({target.ra:.6f}, {target.dec:+.6f})  ICRS"
    figure.text(0.01, name, f"Roman object {target.object_id}", fontsize=11, fontweight="bold", va="top")
    figure.text(0.01, place, words, fontsize=8.5, color=_GREY, va="top")
    dot: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 4.5, "color": _GREY}
    symbols = [
        Line2D([], [], **dot, label="measured"),
        Line2D([], [], **dot, fillstyle="none", label="flagged"),
    ]
    if shows_catalog:
        symbols.append(Line2D([], [], **CATALOG_LINE, label="catalog"))
    legend = figure.legend(handles=symbols, loc="upper right", ncols=3, frameon=False, fontsize=8.5)
    legend.set_in_layout(False)
