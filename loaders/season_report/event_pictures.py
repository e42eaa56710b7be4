"""Pictures of an event: light curves with the believed model, whole and close, and what that leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from loaders.event_models.evaluate import ModelCurve
from loaders.report_page.picture import AMBER, BLUE, GREEN, GREY, PINK, RED, Picture, grid_behind, new_figure
from loaders.season_report.facts import EventFacts, ModelFacts
from loaders.season_report.model_curve import (
    SeenBand,
    curve_of,
    peak_window,
    seen_bands,
    times_to_draw,
    window,
)
from loaders.stored_curve.band import FloatArray

#: Colours of elements in the order in which they are drawn, and of models by rank.
_ELEMENTS = (GREY, BLUE, RED, GREEN, AMBER, PINK)
_MODELS = ("#111111", PINK, GREEN, AMBER)

#: Days that are taken off times.
_OFFSET = 2_450_000

_WIDTH, _PANEL, _REST = 9.6, 2.0, 0.9

#: Residuals beyond so many errors stand at the edge.
_FAR = 8.0

#: Flux over that of the median from which the axis is logarithmic above it.
_STEEP = 8.0

#: Points of which no errors are drawn.
_MANY = 1000

#: Residuals are averaged over so many parts of the time that is drawn.
_PARTS = 60


@dataclass(frozen=True)
class Drawn:
    """What all pictures of an event draw: light curves, and the curves of models, the believed one first."""

    event: EventFacts
    bands: Sequence[SeenBand]
    models: Sequence[tuple[ModelFacts, ModelCurve]]


def drawn(event: EventFacts) -> Drawn:
    """Prepare an event that has models: the first, and those that describe it as well.

    Raises
    ------
    LookupError
        If the kind of a model is not known.
    """
    shown = [event.models[0], *event.twins][: len(_MODELS)]
    models = [(one, curve_of(event, one)) for one in shown]
    return Drawn(event, seen_bands(event, event.models[0]), models)


def draw_whole(seen: Drawn, prefix: str) -> Picture:
    """Draw all points, a panel an element."""
    figure = new_figure(_WIDTH, _PANEL * len(seen.bands) + 0.5)
    panels: list[Axes] = list(np.atleast_1d(figure.subplots(len(seen.bands), 1, sharex=True)))
    first, last = _span(seen.bands)
    times = times_to_draw(seen.event, first, last)
    for axes, one, colour in zip(panels, seen.bands, _ELEMENTS, strict=False):
        _points(axes, one, colour)
        curves = _curves(axes, seen.models[:1], one.band.name, times)
        _finish(axes, one, curves)
    _shade(panels, window(seen.event))
    _label_time(panels[-1])
    n_point = sum(len(one.band) for one in seen.bands)
    return Picture(
        f"{prefix}_whole",
        "All points",
        f"Light curves in {_names(seen.bands)} with {n_point:,} points, and the believed model over them.",
        "Errors are scaled by the scatter of neighbouring points where that is larger; points that stand "
        "alone are left out, as in the search. Shaded: what the next picture shows.",
        figure,
    )


def draw_close(seen: Drawn, span: tuple[float, float], prefix: str, title: str) -> Picture | None:
    """Draw a time (BJD TDB) with its models and what the first leaves; None without points."""
    low, high = span
    near = [one for one in seen.bands if ((one.band.time >= low) & (one.band.time <= high)).any()]
    if not near:
        return None
    figure = new_figure(_WIDTH, (_PANEL + _REST + 0.4) * len(near) + 0.5)
    panels = figure.subplots(2 * len(near), 1, sharex=True, height_ratios=[2.4, 1] * len(near))
    times = times_to_draw(seen.event, low, high)
    for k, one in enumerate(near):
        inside = (one.band.time >= low) & (one.band.time <= high)
        part = SeenBand(one.band.take(inside), one.residual[inside])
        colour = _ELEMENTS[seen.bands.index(one) % len(_ELEMENTS)]
        _points(panels[2 * k], part, colour)
        _finish(panels[2 * k], part, _curves(panels[2 * k], seen.models, one.band.name, times))
        _residual(panels[2 * k + 1], part, colour, (low, high))
    panels[-1].set_xlim(low - _OFFSET, high - _OFFSET)
    _label_time(panels[-1])
    if len(seen.models) > 1:
        panels[0].legend(loc="best", fontsize=8)
    return Picture(
        prefix,
        title,
        f"Light curves in {_names(near)} about the event with {_said(seen)}, and what the first leaves.",
        "Below each light curve: what the believed model leaves, in errors, with means of neighbours. "
        "Whatever holds together there, the model does not describe.",
        figure,
    )


def draw_residuals(seen: Drawn, prefix: str) -> Picture:
    """Draw what the believed model leaves of all points, and how that is distributed."""
    figure = new_figure(_WIDTH, 1.5 * len(seen.bands) + 0.6)
    panels = figure.subplots(len(seen.bands), 2, squeeze=False, width_ratios=[4, 1], sharex="col")
    span = _span(seen.bands)
    said = []
    for (left, right), one, colour in zip(panels, seen.bands, _ELEMENTS, strict=False):
        _residual(left, one, colour, span)
        left.set_title(one.band.name, fontsize=8, loc="left")
        _distribution(right, one.residual, colour)
        said.append(f"{one.band.name} {np.std(one.residual):.3g}")
    _label_time(panels[-1][0])
    panels[-1][1].set_xlabel("errors")
    return Picture(
        f"{prefix}_residuals",
        "What the model leaves",
        f"Residuals of all points in errors; their standard deviations are {', '.join(said)}.",
        "Dots: means over parts of the time. Right: their distribution beside the unit normal. A slope or "
        "wave over the seasons says that the star varies, or that parallax is missing.",
        figure,
    )


def draw_small(seen: Drawn, prefix: str) -> Picture:
    """Draw the event in the element with most points, for the page of the run."""
    low, high = window(seen.event)
    one = max(seen.bands, key=lambda band: len(band.band))
    inside = (one.band.time >= low) & (one.band.time <= high)
    figure = new_figure(3.2, 2.1)
    axes: Axes = figure.subplots()
    _points(axes, SeenBand(one.band.take(inside), one.residual[inside]), GREY)
    _curves(axes, seen.models[:1], one.band.name, times_to_draw(seen.event, low, high))
    axes.set_xlim(low - _OFFSET, high - _OFFSET)
    axes.tick_params(labelsize=7)
    axes.ticklabel_format(useOffset=False, axis="x")
    axes.locator_params(axis="x", nbins=4)
    return Picture(
        f"{prefix}_small",
        f"Event {seen.event.event_id}",
        f"Light curve of event {seen.event.event_id} in {one.band.name} with its believed model.",
        f"Event {seen.event.event_id}",
        figure,
    )


def _span(bands: Sequence[SeenBand]) -> tuple[float, float]:
    """First and last time of all points."""
    return min(float(b.band.time[0]) for b in bands), max(float(b.band.time[-1]) for b in bands)


def _names(bands: Sequence[SeenBand]) -> str:
    return ", ".join(one.band.name for one in bands)


def _said(seen: Drawn) -> str:
    """The models that are drawn, in words."""
    first, *others = (one.model.name for one, _ in seen.models)
    return f"the model {first}" + (f" and those that fit as well: {', '.join(others)}" if others else "")


def _points(axes: Axes, one: SeenBand, colour: str) -> None:
    """Draw points, in µJy; with their errors where they are few."""
    time, flux, error = one.band.time - _OFFSET, one.band.flux / 1000, one.band.error / 1000
    if len(one.band) > _MANY:
        axes.plot(time, flux, ".", markersize=1.6, alpha=0.5, color=colour)
    else:
        axes.errorbar(time, flux, error, fmt="o", markersize=2.4, linewidth=0.6, color=colour, alpha=0.7)


def _curves(
    axes: Axes, models: Sequence[tuple[ModelFacts, ModelCurve]], element: str, times: FloatArray
) -> FloatArray:
    """Draw models over points, the first last; the flux of the first in µJy, empty where it has none."""
    first = np.empty(0)
    for k in reversed(range(len(models))):
        one, curve = models[k]
        if (element, 1) in curve.flux:
            flux = curve.flux_at(element, times) / 1000
            style = "-" if k == 0 else "--"
            name = f"{one.rank}: {one.model.name}"
            axes.plot(times - _OFFSET, flux, style, color=_MODELS[k], linewidth=1.0, label=name, zorder=3)
            first = flux if k == 0 else first
    return first


def _residual(axes: Axes, one: SeenBand, colour: str, span: tuple[float, float]) -> None:
    """Draw residuals with means over parts of the time."""
    inside = np.clip(one.residual, -_FAR, _FAR)
    axes.plot(one.band.time - _OFFSET, inside, ".", markersize=1.6, alpha=0.35, color=colour)
    edges = np.linspace(*span, _PARTS + 1)
    part = np.clip(np.digitize(one.band.time, edges) - 1, 0, _PARTS - 1)
    number = np.bincount(part, minlength=_PARTS)
    full = number > 2
    weight = np.maximum(number, 1)
    mean = np.bincount(part, one.residual, _PARTS) / weight
    when = np.bincount(part, one.band.time - _OFFSET, _PARTS) / weight
    error = 1 / np.sqrt(weight)
    axes.errorbar(
        when[full], mean[full], error[full], fmt="o", markersize=2.8, color="#111111", linewidth=0.8
    )
    axes.axhline(0, color="#333333", linewidth=0.7)
    most = max(3.5, min(_FAR, 1.1 * float(np.abs(inside).max(initial=0))))
    axes.set_ylim(-most, most)
    axes.set_ylabel("left [errors]", fontsize=8)
    grid_behind(axes)


def _distribution(axes: Axes, residual: FloatArray, colour: str) -> None:
    """Draw the histogram of residuals beside the unit normal."""
    edges = np.linspace(-6, 6, 49).tolist()
    axes.hist(np.clip(residual, -5.99, 5.99), edges, density=True, color=colour, alpha=0.6)
    x = np.linspace(-6, 6, 200)
    axes.plot(x, np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi), color="#333333", linewidth=0.9, linestyle="--")
    axes.set_yticks([])


def _shade(panels: Sequence[Axes], span: tuple[float, float]) -> None:
    for axes in panels:
        axes.axvspan(span[0] - _OFFSET, span[1] - _OFFSET, color=AMBER, alpha=0.12, linewidth=0)


def _finish(axes: Axes, one: SeenBand, curve: FloatArray) -> None:
    """Let a light curve and its model fill the panel, and single points far below not make them small."""
    axes.set_ylabel(f"{one.band.name} [µJy]")
    every = np.concatenate([curve, np.quantile(one.band.flux / 1000, [0.001, 1.0])])
    edge = 3 * float(np.median(one.band.error)) / 1000 + 0.06 * float(np.ptp(every))
    axes.set_ylim(float(every.min()) - edge, float(every.max()) + edge)
    usual = float(np.median(one.band.flux)) / 1000
    if every.max() > _STEEP * usual > 0:
        axes.set_yscale("asinh", linear_width=usual)
        axes.set_ylim(float(every.min()) - edge / _STEEP, 1.3 * float(every.max()))
    grid_behind(axes)


def _label_time(axes: Axes) -> None:
    axes.set_xlabel(f"BJD (TDB) - {_OFFSET:,}".replace(",", " "))
    axes.ticklabel_format(useOffset=False, axis="x")


def figures_of(seen: Drawn, prefix: str) -> list[Picture]:
    """The pictures of the page of an event."""
    spans = [("close", "The event", window(seen.event)), ("peak", "The peak", peak_window(seen.event))]
    close = [draw_close(seen, span, f"{prefix}_{name}", title) for name, title, span in spans if span]
    return [draw_whole(seen, prefix), *(one for one in close if one), draw_residuals(seen, prefix)]
