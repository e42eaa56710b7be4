"""Pictures of the exposures of a reference image: where they lie, and how they compare with one another."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from loaders.report.facts import BoolArray, ExposureFacts, FloatArray
from loaders.report_page.picture import BLUE, GREEN, RED, Picture, grid_behind, new_figure

#: Above so many exposures error bars would be a blur.
_MANY = 400
#: Share of the values that decides the limits of an axis; what is beyond is drawn at its edge.
_INNER = (0.02, 0.98)


def time_origin(time: FloatArray) -> float:
    """Whole day that is taken off times so that the ticks have few digits, MJD."""
    return float(np.floor(time.min())) if time.size else 0.0


def value_limits(used: FloatArray, others: FloatArray) -> tuple[float, float]:
    """Ends of an axis that shows what is used whole, and others as far as they are near.

    Parameters
    ----------
    used, others
        Shapes (n,), (m,); NaN does not count.
    """
    main = used[np.isfinite(used)]
    if main.size == 0:
        main = others[np.isfinite(others)]
    if main.size == 0:
        return 0.0, 1.0
    low, high = float(main.min()), float(main.max())
    inner = np.quantile(main, _INNER)
    room = float(inner[1] - inner[0]) or abs(high) * 0.1 or 1.0
    low, high = max(low, float(inner[0]) - 3 * room), min(high, float(inner[1]) + 3 * room)
    near = others[np.isfinite(others) & (others > low - room) & (others < high + room)]
    low, high = float(min([low, *near])), float(max([high, *near]))
    margin = 0.06 * (high - low) or room
    return low - margin, high + margin


def draw_shifts(exposures: ExposureFacts, prefix: str) -> Picture:
    """Draw the shifts against time, and against each other."""
    used = exposures.is_used
    figure = new_figure(7.4, 3.9)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.7, 1.0))
    east: Axes = figure.add_subplot(grid[0, 0])
    north: Axes = figure.add_subplot(grid[1, 0], sharex=east)
    scatter: Axes = figure.add_subplot(grid[:, 1])
    east.tick_params(labelbottom=False)
    for axes, value, error, colour, name in (
        (east, exposures.east, exposures.east_err, BLUE, "east"),
        (north, exposures.north, exposures.north_err, GREEN, "north"),
    ):
        _series(axes, exposures, value, error, colour)
        axes.set_ylabel(f"{name} [mas]")
        axes.axhline(0, color="#999999", linewidth=0.7, zorder=0)
    north.set_xlabel(f"midpoint − {time_origin(exposures.time):.0f} [d, MJD TDB]")
    _scatter_of_shifts(scatter, exposures)
    return Picture(
        f"{prefix}_shifts",
        "Registration of the exposures",
        f"Shifts of {int(used.sum())} exposures against time, east and north, and as a scatter: standard "
        f"deviation {_deviation(exposures.east[used])} mas east and {_deviation(exposures.north[used])} mas "
        f"north; {int((~used).sum())} exposures were left out.",
        "Where each exposure shows the sky less where its WCS says, with standard errors. Red crosses: "
        "exposures that were left out, at the edge where they are beyond it or were not compared. A trend "
        "or a step in time says that the pointing or the distortion is not what the WCS has.",
        figure,
    )


def draw_levels(exposures: ExposureFacts, prefix: str) -> Picture:
    """Draw sky, flux scale and share of rejected pixels of each exposure against time."""
    figure = new_figure(7.4, 4.9)
    panels = figure.subplots(3, 1, sharex=True)
    none = np.full(exposures.time.size, np.nan)
    for axes, value, label in (
        (panels[0], exposures.sky, "sky\n[nJy per pixel]"),
        (panels[1], exposures.scale, "flux scale"),
        (panels[2], 100 * exposures.rejected, "pixels left\nout [%]"),
    ):
        _series(axes, exposures, value, none, BLUE)
        axes.set_ylabel(label)
    panels[2].set_ylim(bottom=0)
    panels[2].set_xlabel(f"midpoint − {time_origin(exposures.time):.0f} [d, MJD TDB]")
    used = exposures.is_used
    return Picture(
        f"{prefix}_levels",
        "Sky, flux scale and rejected pixels",
        f"Sky, flux scale and share of rejected pixels of {used.size} exposures against time; the flux scale "
        f"of those used has a standard deviation of {_deviation(exposures.scale[used])}; "
        f"{int((~used).sum())} exposures that were left out are crosses.",
        "Red crosses: exposures that were left out, at the edge where they are beyond it or were not "
        "compared. A flux scale away "
        "from one says that the calibration of an exposure differs, many rejected pixels that it does not "
        "fit the others.",
        figure,
    )


def _series(axes: Axes, exposures: ExposureFacts, value: FloatArray, error: FloatArray, colour: str) -> None:
    """Draw a value of each exposure against time, those left out as crosses; say so where there is none."""
    time = exposures.time - time_origin(exposures.time)
    used = exposures.is_used & np.isfinite(value)
    lost = ~exposures.is_used
    low, high = value_limits(value[used], value[lost])
    look: dict[str, Any] = {"linestyle": "none", "color": colour, "marker": "o", "markeredgewidth": 0}
    axes.plot(time[used], value[used], markersize=_size(used), **look)
    if used.sum() <= _MANY and np.isfinite(error[used]).any():
        axes.errorbar(time[used], value[used], error[used], fmt="none", ecolor=colour, elinewidth=0.7)
    # An exposure of which nothing is known stands at the bottom: that it was left out is what is to be seen.
    shown = np.clip(np.where(np.isfinite(value), value, low), low, high)
    _crosses(axes, time[lost], shown[lost])
    axes.set_ylim(low, high)
    grid_behind(axes)
    if not np.isfinite(value).any():
        say_nothing_measured(axes)


def say_nothing_measured(axes: Axes) -> None:
    """Say in the middle of axes that there is nothing to draw, as of images of a few exposures."""
    axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", va="center", color="#666666")


def _crosses(axes: Axes, x: FloatArray, y: FloatArray) -> None:
    """Mark exposures that were left out; not none, of which the layout would not know the place."""
    if np.isfinite(x + y).any():
        axes.plot(x, y, **_CROSS)


_CROSS: dict[str, Any] = {
    "linestyle": "none",
    "marker": "X",
    "color": RED,
    "markersize": 7,
    "markeredgecolor": "white",
    "markeredgewidth": 0.5,
    "clip_on": False,
    "zorder": 5,
}


def _scatter_of_shifts(axes: Axes, exposures: ExposureFacts) -> None:
    """Draw shifts north against shifts east, on equal scales."""
    used, lost = exposures.is_used, ~exposures.is_used
    east, north = exposures.east, exposures.north
    ends = [*value_limits(east[used], east[lost]), *value_limits(north[used], north[lost])]
    most = max(abs(end) for end in ends)
    axes.plot(east[used], north[used], "o", color=BLUE, markersize=_size(used), markeredgewidth=0)
    _crosses(axes, np.clip(east[lost], -most, most), np.clip(north[lost], -most, most))
    axes.set_xlim(-most, most)
    axes.set_ylim(-most, most)
    axes.set_aspect("equal")
    axes.set_xlabel("east [mas]")
    axes.set_ylabel("north [mas]")
    grid_behind(axes)


def _size(used: BoolArray) -> float:
    """Size of a dot: the more there are, the smaller."""
    return float(np.interp(used.sum(), [50, 2000], [4.5, 1.5]))


def _deviation(values: FloatArray) -> str:
    """Standard deviation in three digits."""
    seen = values[np.isfinite(values)]
    return f"{np.std(seen):.3g}" if seen.size else "unknown"
