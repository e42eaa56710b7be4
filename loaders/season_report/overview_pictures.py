"""Pictures of a season: variability by magnitude, extinction, events on the sky and by time, efficiency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from loaders.event_efficiency.cells import VIEWS
from loaders.extinction.configuration import REFERENCE
from loaders.extinction.picture import map_figure
from loaders.report_page.picture import AMBER, BLUE, GREEN, GREY, PINK, RED, Picture, grid_behind, new_figure
from loaders.season_report.facts import FloatArray, SeasonFacts, SkyFacts, VariabilityFacts

#: Colour and marker of events by class; of what is refused and of classes that are not here.
_LOOK = {
    "single_lens": (BLUE, "o"),
    "anomalous": (AMBER, "^"),
    "binary_lens": (RED, "s"),
    "binary_source": (GREEN, "D"),
}
_OTHER, _REFUSED = (PINK, "P"), (GREY, "x")

#: Above so many dots each is faint.
_MANY = 2000

_SIZE = (4.6, 3.4)


def season_pictures(facts: SeasonFacts, threshold: float) -> Iterator[Picture]:
    """Draw what there is of a season; ``threshold`` is the index from which an object is variable."""
    if facts.variability is not None:
        yield draw_index(facts.variability, threshold)
        yield draw_locus(facts.variability)
    if facts.sky.is_event.size:
        yield draw_sky(facts.sky)
    if any(times.size for times in facts.einstein_time.values()):
        yield draw_times(facts.einstein_time)
    if facts.extinction is not None and (facts.extinction.status[REFERENCE] == "fitted").any():
        yield draw_extinction(facts)
    for view, cells in facts.efficiency.items():
        if cells:
            yield draw_efficiency(facts, view)


def draw_index(sample: VariabilityFacts, threshold: float) -> Picture:
    """Draw the variability index against magnitude."""
    figure = new_figure(*_SIZE)
    axes: Axes = figure.subplots()
    _constant_and_variable(axes, sample, np.maximum(sample.index, 0.1))
    axes.axhline(
        threshold, color="#333333", linewidth=0.9, linestyle="--", label=f"variable from {threshold:g}"
    )
    axes.set_yscale("log")
    _finish(axes, sample, "variability index")
    beyond = int(np.sum(sample.is_variable))
    return Picture(
        "season_index",
        "Variability",
        f"Variability index against magnitude of {sample.index.size:,} objects in {sample.optical_element}; "
        f"{beyond:,} of them are variable.",
        f"{_sampled(sample)} Constant stars lie below the line at all magnitudes; a rise of all of them at "
        "bright or faint ones says that their errors are not right there.",
        figure,
    )


def draw_locus(sample: VariabilityFacts) -> Picture:
    """Draw the scatter against magnitude, and where constant stars lie."""
    figure = new_figure(*_SIZE)
    axes: Axes = figure.subplots()
    _constant_and_variable(axes, sample, sample.root)
    magnitude, centre, width = sample.locus.T
    if magnitude.size:
        axes.plot(magnitude, centre, color="#111111", linewidth=1.3, label="constant stars")
        axes.fill_between(magnitude, centre - width, centre + width, color="#111111", alpha=0.25, linewidth=0)
    axes.axhline(1.0, color="#333333", linewidth=0.7, linestyle=":")
    axes.set_yscale("log")
    _finish(axes, sample, "cube root of reduced $\\chi^2$")
    said = (
        f"{magnitude.size} cells of it have enough stars" if magnitude.size else "too few stars for a locus"
    )
    return Picture(
        "season_locus",
        "Scatter and the locus of constant stars",
        f"Cube root of reduced chi-square against magnitude in {sample.optical_element}; {said}.",
        f"{_sampled(sample)} One is what the errors promise. The black line is the locus, its grey band one "
        "standard deviation: what lies above is variable.",
        figure,
    )


def draw_sky(sky: SkyFacts) -> Picture:
    """Draw where the objects and the candidates are."""
    figure = new_figure(*_SIZE)
    axes: Axes = figure.subplots()
    size = 1.0 if sky.objects.shape[0] > _MANY else 2.5
    axes.plot(*sky.objects.T, ".", color="#cccccc", markersize=size, zorder=1)
    for name in sorted(set(sky.classification[sky.is_event].tolist())):
        mine = sky.is_event & (sky.classification == name)
        _marks(axes, sky.candidates[mine], _LOOK.get(name, _OTHER), f"{name} ({int(mine.sum()):,})")
    refused = sky.candidates[~sky.is_event]
    if refused.size:
        _marks(axes, refused, _REFUSED, f"refused ({len(refused):,})", alpha=0.5)
    middle = float(np.median(sky.candidates[:, 1]))
    axes.set_aspect(1 / np.cos(np.radians(middle)), adjustable="datalim")
    axes.invert_xaxis()
    axes.ticklabel_format(useOffset=False)
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel("right ascension [deg]")
    axes.set_ylabel("declination [deg]")
    axes.legend(loc="best", fontsize=7, markerscale=1.2)
    n_event = int(sky.is_event.sum())
    return Picture(
        "season_sky",
        "Events on the sky",
        f"Places of {n_event:,} events by class, of {len(refused):,} refused candidates, and of objects.",
        "Events lie where the stars are. What crowds in a line or a spot is an artefact: an asteroid, a "
        "ghost, or a detector that is off.",
        figure,
    )


def draw_times(times: Mapping[str, FloatArray]) -> Picture:
    """Draw the Einstein times of events by class."""
    every = np.concatenate(list(times.values()))
    low, high = np.floor(4 * np.log10(every.min())) / 4, np.ceil(4 * np.log10(every.max())) / 4
    edges = 10 ** np.arange(low, max(high, low + 0.25) + 0.125, 0.25)
    figure = new_figure(*_SIZE)
    axes: Axes = figure.subplots()
    colours = [_LOOK.get(name, _OTHER)[0] for name in times]
    labels = [f"{name} ({own.size:,})" for name, own in times.items()]
    axes.hist(list(times.values()), edges.tolist(), stacked=True, color=colours, label=labels, rwidth=0.9)
    axes.set_xscale("log")
    axes.set_xlabel("Einstein time [d]")
    axes.set_ylabel("events in a quarter of a decade")
    axes.legend(loc="best", fontsize=8)
    grid_behind(axes)
    return Picture(
        "season_times",
        "Einstein times",
        f"Histogram of the Einstein times of {every.size:,} events by class, {np.median(every):.3g} days in "
        "the median.",
        "Of the believed models. Most lenses of the bulge take five to fifty days; a crowd at another is "
        "an artefact.",
        figure,
    )


def draw_extinction(facts: SeasonFacts) -> Picture:
    """Draw the map of extinction."""
    current = facts.extinction
    assert current is not None
    found = int(np.isfinite(current.values[REFERENCE]["extinction"]).sum())
    return Picture(
        "season_extinction",
        "Extinction",
        f"Maps of the extinction in {REFERENCE}, of reddening, and of their errors: "
        f"{found:,} of {len(current):,} cells have a red clump.",
        "Grey cells have no red clump. Cells that differ from all around them have few stars or another "
        "population.",
        map_figure(current),
    )


def draw_efficiency(facts: SeasonFacts, view: str) -> Picture:
    """Draw which injected events were found, by the cells of a picture of `VIEWS`."""
    cells, what = facts.efficiency[view], VIEWS[view]
    n = sum(int(cell["n_injected"]) for cell in cells)
    return Picture(
        f"season_efficiency_{view}",
        what.title,
        f"{what.title}: {len(cells):,} cells of {n:,} events injected into light curves.",
        f"{what.text} In each cell the share, half its interval of one standard deviation, and of how many; "
        "it is known to ±2 % where that is 2 or less.",
        what.figure(cells, f"{facts.name}, {facts.photometry_kind}"),
    )


def _sampled(sample: VariabilityFacts) -> str:
    """How many of the constant objects are drawn."""
    return "All objects." if sample.one_in == 1 else f"One in {sample.one_in:,} of the constant objects."


def _constant_and_variable(axes: Axes, sample: VariabilityFacts, value: FloatArray) -> None:
    """Draw a value against magnitude, constant and variable objects apart."""
    known = np.isfinite(value) & np.isfinite(sample.magnitude)
    for chosen, colour, name in (
        (~sample.is_variable, BLUE, "constant"),
        (sample.is_variable, RED, "variable"),
    ):
        mine = chosen & known
        if not mine.any():
            continue
        few = mine.sum() < _MANY
        label, size, alpha = f"{name} ({int(mine.sum()):,})", 3.0 if few else 1.2, 0.8 if few else 0.35
        dots: dict[str, Any] = {
            "linestyle": "none",
            "marker": ".",
            "markersize": 2 * size,
            "alpha": alpha,
            "color": colour,
        }
        axes.plot(sample.magnitude[mine], value[mine], **dots, markeredgewidth=0, label=label)


def _finish(axes: Axes, sample: VariabilityFacts, label: str) -> None:
    axes.set_xlabel(f"{sample.optical_element} [mag AB]")
    axes.set_ylabel(label)
    axes.legend(loc="best", fontsize=7)
    grid_behind(axes)


def _marks(axes: Axes, place: FloatArray, look: tuple[str, str], label: str, alpha: float = 1.0) -> None:
    colour, marker = look
    size = 4.5 if place.shape[0] < _MANY else 2.0
    axes.plot(
        *place.T, linestyle="none", marker=marker, color=colour, markersize=size, alpha=alpha, label=label
    )
