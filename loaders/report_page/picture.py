"""A picture of a page: a figure, what it is called, and its words for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

FloatArray = npt.NDArray[np.float64]

#: A white edge around markers that stand on an image.
_HALO = [withStroke(linewidth=2.6, foreground="white")]

#: Above so many marks on an image each is a dot.
_MANY = 2000

#: Colours that people with any colour vision tell apart (Okabe & Ito 2008, "Color Universal Design"), and
#: markers beside them, by state of a source and by kind of a change.
BLUE, RED, GREEN, AMBER, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#666666"
STATE_LOOK = {"known": (BLUE, "o"), "new": (RED, "s"), "merged": (AMBER, "^"), "missing": (PINK, "X")}
KIND_LOOK = {
    "new": (RED, "s"),
    "variable": (BLUE, "o"),
    "dipole": (GREEN, "D"),
    "hit": (AMBER, "X"),
    "edge": (GREY, "P"),
}

_DPI = 130

_WIDE = 900

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.linewidth": 0.7,
    "axes.edgecolor": "#333333",
    "axes.grid": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "image.origin": "lower",
    "image.interpolation": "nearest",
}


@dataclass(frozen=True)
class Picture:
    """A figure to be saved.

    Parameters
    ----------
    name
        Name of the file, without folder and suffix.
    title
        Heading above it.
    alt
        What is to be seen, for those who do not see it.
    caption
        How it is to be read.
    figure
        The figure.
    """

    name: str
    title: str
    alt: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class SavedPicture:
    """A picture in its file beside the page; ``width`` and ``height`` are pixels."""

    file: str
    title: str
    alt: str
    caption: str
    width: int
    height: int

    @property
    def is_wide(self) -> bool:
        """Whether it takes the whole width of a page."""
        return self.width > _WIDE


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the pages within this context."""
    with mpl.rc_context(_STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure, inches."""
    return Figure(figsize=(width, height), layout="constrained")


def grid_behind(axes: Axes) -> None:
    """Draw a faint grid behind what is drawn."""
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def draw_marks(axes: Axes, x: FloatArray, y: FloatArray, look: tuple[str, str], label: str) -> Line2D:
    """Mark places on an image: openly, that it is seen within; by dots where there are many.

    Parameters
    ----------
    axes
        Axes with the image, or without.
    x, y
        Shape (n,): places in its pixels.
    look
        Colour and marker.
    label
        What they are.

    Returns
    -------
    Line2D
        What stands in a legend for them.
    """
    colour, marker = look
    shape: dict[str, Any] = {"linestyle": "none", "marker": marker, "label": label}
    hollow: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": colour, "markeredgewidth": 1.2}
    size = float(np.interp(np.log10(max(x.size, 1)), [1.5, 3.3, 5.7], [7.0, 4.0, 0.6]))
    if x.size > _MANY:
        axes.plot(x, y, **shape, color=colour, markersize=size, markeredgewidth=0, alpha=0.6)
    else:
        axes.plot(x, y, **shape, **hollow, markersize=size, path_effects=_HALO)
    return Line2D([], [], **shape, **hollow, markersize=6)


def save_picture(picture: Picture, folder: Path) -> SavedPicture:
    """Write a picture as a PNG file into a folder."""
    file = f"{picture.name}.png"
    picture.figure.savefig(folder / file, dpi=_DPI, facecolor="white")
    width, height = (round(float(side) * _DPI) for side in picture.figure.get_size_inches())
    return SavedPicture(file, picture.title, picture.alt, picture.caption, width, height)
