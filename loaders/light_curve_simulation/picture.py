"""A picture of one light curve of each class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from loaders.light_curve_simulation.magnify import magnification
from loaders.light_curve_simulation.simulate import KINDS, Recipe, SimulatedCurve, prepare, simulate

_COLOURS = {"F087": "#3b6fb6", "F146": "#555555", "F213": "#c1432e"}
_COLUMNS = 4
_BRIGHT = 20.0
"""F146 AB magnitude above which a light curve shows what it is of."""

_TRIES = 60
_FIRST_DAY = 2_461_000.0
_WIDTHS = {"planet": 1.2, "binary_lens": 2.0, "free_floating": 5.0, "finite_source": 0.5}
"""Half the width of a panel in Einstein times, where it is not 2."""

_DAYS = {"rr_lyrae": 3.0, "sinusoid": 20.0, "eclipsing": 20.0, "flares": 20.0, "cosmic_rays": 10.0}
"""Width of a panel in days, where it is not all of the survey."""


def draw_classes(recipe: Recipe, path: Path) -> None:
    """Draw a bright light curve of each class, in magnitudes, into a PNG file.

    Parameters
    ----------
    recipe
        Seed and cadence; the shares do not matter.
    path
        File.
    """
    rows = -(-len(KINDS) // _COLUMNS)
    figure = Figure(figsize=(3.4 * _COLUMNS, 2.1 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, _COLUMNS).ravel()
    for panel, kind in zip(axes, KINDS, strict=False):
        _draw(panel, _bright(recipe, kind))
    for panel in axes[len(KINDS) :]:
        panel.set_axis_off()
    figure.supxlabel(f"BJD (TDB) - {_FIRST_DAY:.0f}, days")
    figure.supylabel("AB magnitude")
    figure.savefig(path, dpi=110)


def _bright(recipe: Recipe, kind: str) -> SimulatedCurve:
    """A bright light curve of a class that shows what it is of; each class begins at numbers of its own."""
    survey = prepare(replace(recipe, shares={kind: 1.0}))
    first = KINDS.index(kind) * _TRIES
    curves = (simulate(survey, number) for number in range(first, first + _TRIES))
    return max(curves, key=_shows)


def _shows(curve: SimulatedCurve) -> float:
    """How well a light curve shows what it is of: its brightness, and of two lenses how much they matter."""
    bright = min(0.0, _BRIGHT + 2.5 * float(np.log10(curve.baseline["F146"] / 3631e9)))
    truth = dict(curve.truth)
    if "u_0" not in truth:
        return bright
    shown = bright - max(abs(truth["u_0"]) - 0.3, 0.0)
    if "q" not in truth:
        return shown
    times = np.linspace(truth["t_0"] - truth["t_E"], truth["t_0"] + truth["t_E"], 300)
    one = {name: value for name, value in truth.items() if name != "q"}
    ratio = magnification(truth, times, curve.ra, curve.dec) / magnification(one, times, curve.ra, curve.dec)
    return shown + min(2.0, 5 * float(np.ptp(np.log(ratio))))


def _draw(panel: Axes, curve: SimulatedCurve) -> None:
    """Draw a light curve."""
    first, last = _interval(curve)
    for element in ("F146", "F087", "F213"):
        points = curve.points[element]
        seen = (points.flags == 0) & (points.flux > 0) & (points.bjd_tdb > first) & (points.bjd_tdb < last)
        magnitude = -2.5 * np.log10(points.flux[seen] / 3631e9)
        size = 0.8 if element == "F146" else 5.0
        panel.plot(points.bjd_tdb[seen] - _FIRST_DAY, magnitude, ".", ms=size, color=_COLOURS[element])
    panel.invert_yaxis()
    panel.set_title(curve.kind.replace("_", " "), fontsize=9)
    panel.tick_params(labelsize=7)


def _interval(curve: SimulatedCurve) -> tuple[float, float]:
    """Times between which a light curve is drawn."""
    truth, times = curve.truth, curve.points["F146"].bjd_tdb
    if "t_E_2" in truth:
        both, half = (truth["t_0"], truth["t_0_2"]), 2 * max(truth["t_E"], truth["t_E_2"])
        return min(both) - half, max(both) + half
    if "t_0" in truth:
        half = max(_WIDTHS.get(curve.kind, 2.0) * truth["t_E"], 0.3)
        return truth["t_0"] - half, truth["t_0"] + half
    if "middle" in truth:
        return truth["middle"] - 3 * truth["length"], truth["middle"] + 3 * truth["length"]
    if "begin" in truth:
        return truth["begin"] - truth["length"], truth["begin"] + 2 * truth["length"]
    start = float(times[0])
    return start, start + _DAYS.get(curve.kind, 1e5)
