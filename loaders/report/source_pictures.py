"""Pictures of the objects on a reference image: how many, how well measured, of what size, and where."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loaders.report.facts import STATES, FloatArray, IntArray, ReferencePixels, SourceFacts
from loaders.report.image_pictures import Marks, image_figure, lay_image, mark_by_class
from loaders.report.pixels import masked, shrink, stretch
from loaders.report_page.magnitude import ab_magnitude, magnitude_error
from loaders.report_page.picture import (
    BLUE,
    RED,
    STATE_LOOK,
    Picture,
    grid_behind,
    new_figure,
)

_BIN = 0.5
_SIZE = (4.6, 3.1)


def magnitude_histogram(sources: SourceFacts) -> tuple[FloatArray, dict[str, IntArray]]:
    """Count objects in bins of half a magnitude.

    Returns
    -------
    ndarray
        Shape (n + 1,): edges of the bins, AB magnitudes.
    dict of str to ndarray
        Shape (n,): objects of each state in each bin.
    """
    magnitude = ab_magnitude(sources.flux)
    seen = magnitude[np.isfinite(magnitude)]
    low, high = (np.floor(seen.min() / _BIN), np.floor(seen.max() / _BIN)) if seen.size else (0.0, 0.0)
    edges = np.arange(low, high + 2) * _BIN
    counts = {}
    for state in STATES:
        mine = magnitude[(sources.state == state) & np.isfinite(magnitude)]
        counts[state] = np.histogram(mine, edges)[0].astype(np.int64)
    return edges, counts


def draw_magnitudes(sources: SourceFacts, prefix: str) -> Picture:
    """Draw how many objects of each state there are by magnitude."""
    edges, counts = magnitude_histogram(sources)
    figure = new_figure(*_SIZE)
    axes: Axes = figure.subplots()
    bottom = np.zeros(edges.size - 1)
    for state in STATES:
        if counts[state].any():
            colour, _ = STATE_LOOK[state]
            label = f"{state} ({sources.count(state):,})"
            width = 0.9 * _BIN
            axes.bar(edges[:-1] + _BIN / 2, counts[state], width, bottom, color=colour, label=label)
            bottom += counts[state]
    axes.set_xlabel("AB magnitude [mag]")
    axes.set_ylabel("objects in half a magnitude")
    axes.legend(loc="upper left", frameon=False)
    grid_behind(axes)
    said = ", ".join(f"{sources.count(state):,} {state}" for state in STATES)
    return Picture(
        f"{prefix}_magnitudes",
        "Objects by magnitude",
        f"Histogram of objects by magnitude: {said}.",
        "Of merged and missing objects the magnitude is that of the catalog. Missing objects that are bright "
        "say that the search failed, or that they faded.",
        figure,
    )


def draw_errors(sources: SourceFacts, prefix: str) -> Picture:
    """Draw the error of each magnitude against the magnitude."""
    error = magnitude_error(sources.flux, sources.flux_err) * 1000
    picture = _against_magnitude(sources, error, "error [mmag]")
    return Picture(
        f"{prefix}_errors",
        "Magnitude and its error",
        f"Errors of magnitudes against magnitude, {_middle(error, sources)} mmag in the median.",
        "The lower edge is the noise of an isolated star; what lies above it has neighbours. A second "
        "sequence says that a part of the image has fewer exposures.",
        picture,
    )


def draw_chi2(sources: SourceFacts, prefix: str) -> Picture:
    """Draw the reduced chi-square of each fit against magnitude."""
    picture = _against_magnitude(sources, sources.reduced_chi2, "reduced $\\chi^2$ of the core", 1.0)
    return Picture(
        f"{prefix}_chi2",
        "Goodness of fit",
        "Reduced chi-square of the fits against magnitude, "
        f"{_middle(sources.reduced_chi2, sources)} in the median; it should be one.",
        "One is what noise alone gives. A rise towards bright stars is the error of the PSF; one at all "
        "magnitudes says that the errors of the pixels are not right.",
        picture,
    )


def draw_sizes(sources: SourceFacts, prefix: str) -> Picture:
    """Draw the excess in size of each source against magnitude, stars and what is larger."""
    magnitude, size = ab_magnitude(sources.flux), sources.size
    known = np.isfinite(size) & np.isfinite(magnitude)
    figure = new_figure(*_SIZE)
    axes: Axes = figure.subplots()
    for chosen, colour, marker, name in (
        (known & ~sources.is_extended, BLUE, "o", "like a star"),
        (known & sources.is_extended, RED, "s", "extended"),
    ):
        _dots(axes, magnitude[chosen], size[chosen], (colour, marker), f"{name} ({int(chosen.sum()):,})")
    axes.axhline(0, color="#333333", linewidth=0.8)
    if known.any():
        low, high = np.quantile(size[known], (0.005, 0.995))
        axes.set_ylim(min(low, -0.1) - 0.05, max(high, 0.1) + 0.05)
    _finish(axes, "excess in size over the PSF")
    return Picture(
        f"{prefix}_sizes",
        "Stars and galaxies",
        f"Excess in size against magnitude of {int(known.sum()):,} sources, "
        f"{int((known & sources.is_extended).sum()):,} of which are extended.",
        "Stars lie along zero; galaxies and pairs above. A bend of the stars with magnitude says that bright "
        "ones are wider than the PSF.",
        figure,
    )


def draw_places(
    pixels: ReferencePixels | None, sources: SourceFacts, shape: tuple[int, int], prefix: str
) -> Picture:
    """Draw where the objects are, over the image if there is one, in colours of their states."""
    figure, axes = image_figure(shape, 7.4)
    if pixels is not None:
        values, step = shrink(masked(pixels.flux, pixels.usable))
        lay_image(axes, values, step, cmap="gray_r", norm=stretch(values), alpha=0.75)
    of = {state: sources.state == state for state in STATES}
    marks = [Marks(one, STATE_LOOK[one], sources.x[chosen], sources.y[chosen]) for one, chosen in of.items()]
    said = mark_by_class(figure, shape, marks)
    return Picture(
        f"{prefix}_places",
        "Where the objects are",
        f"Positions of the objects over the image by state: {said}.",
        "New objects that crowd about a bright star or along an edge are hardly real. Missing objects stand "
        "where the catalog has them.",
        figure,
    )


def _against_magnitude(
    sources: SourceFacts, value: FloatArray, label: str, line: float | None = None
) -> Figure:
    """Draw a positive value of known and new objects against magnitude, on a logarithmic axis."""
    magnitude = ab_magnitude(sources.flux)
    figure = new_figure(*_SIZE)
    axes: Axes = figure.subplots()
    for state in ("known", "new"):
        chosen = (sources.state == state) & np.isfinite(magnitude) & (value > 0)
        if chosen.any():
            name = f"{state} ({int(chosen.sum()):,})"
            _dots(axes, magnitude[chosen], value[chosen], STATE_LOOK[state], name)
    axes.set_yscale("log")
    if line is not None:
        axes.axhline(line, color="#333333", linewidth=0.8)
    _finish(axes, label)
    return figure


def _middle(value: FloatArray, sources: SourceFacts) -> str:
    """Median of what is known, in three digits."""
    seen = value[np.isfinite(value) & np.isin(sources.state, ("known", "new"))]
    return f"{np.median(seen):.3g}" if seen.size else "unknown"


def _dots(
    axes: Axes, x: FloatArray, y: FloatArray, look: tuple[str, str], label: str, zorder: float = 2
) -> None:
    """Draw dots, the smaller and the more transparent the more there are."""
    size, alpha = _weight(x.size)
    axes.plot(
        x, y, linestyle="none", color=look[0], marker=look[1], markersize=size, alpha=alpha,
        markeredgewidth=0, label=label, zorder=zorder,
    )  # fmt: skip


def _weight(count: int) -> tuple[float, float]:
    """Size and opacity of so many dots."""
    size = float(np.interp(np.log10(max(count, 1)), [1.5, 3, 5], [4.5, 2.6, 1.2]))
    return size, float(np.clip((800 / max(count, 1)) ** 0.5, 0.12, 0.8))


def _finish(axes: Axes, label: str) -> None:
    axes.set_xlabel("AB magnitude [mag]")
    axes.set_ylabel(label)
    axes.legend(loc="upper left", frameon=False, fontsize=8, markerscale=1.6)
    grid_behind(axes)
