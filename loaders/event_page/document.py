"""An event as arrays for plots: its points, the curves of its models, what they leave, and its geometry."""

from __future__ import annotations

from typing import Any

import numpy as np

from loaders.event_models.evaluate import ModelCurve
from loaders.lens.caustics import caustics
from loaders.season_report.event_pictures import drawn
from loaders.season_report.facts import EventFacts
from loaders.season_report.model_curve import peak_window, times_to_draw, window

#: Times at which the path of the source is drawn.
_PATH = 400


def event_document(event: EventFacts, span: tuple[float, float] | None) -> dict[str, Any] | None:
    """Points and models of an event between two times.

    Parameters
    ----------
    event
        With its light curves and models.
    span
        First and last time (BJD TDB) at which models are drawn; None for the time of the event.

    Returns
    -------
    dict or None
        ``bands``: points of each optical element, all of them; ``models``: curves of the believed model and
        of those that describe the event as well; ``whole``, ``window``, ``peak``: times to look at;
        ``geometry``. None where there is no model that can be drawn, or no point.
    """
    if not event.models:
        return None
    try:
        seen = drawn(event)
    except LookupError:
        return None
    if not seen.bands:
        return None
    near = window(event)
    low, high = span or near
    times = times_to_draw(event, low, high)
    return {
        "bands": [
            {
                "optical_element": one.band.name,
                "time": one.band.time,
                "flux": one.band.flux,
                "flux_err": one.band.error,
                "residual": one.residual,
            }
            for one in seen.bands
        ],
        "models": [
            {
                "rank": facts.rank,
                "name": facts.model.name,
                "time": times,
                "flux": {name: curve.flux_at(name, times) for name in curve.elements},
            }
            for facts, curve in seen.models
        ],
        "whole": (min(b.band.time[0] for b in seen.bands), max(b.band.time[-1] for b in seen.bands)),
        "window": near,
        "peak": peak_window(event),
        "geometry": geometry(seen.models[0][1], near),
    }


def geometry(curve: ModelCurve, span: tuple[float, float]) -> dict[str, Any]:
    """The path of the source between two times (BJD TDB), lenses, and caustics, Einstein radii.

    Where lenses turn, they and their caustics are those of t_0_par. Coordinates are those of
    `ModelCurve.source_at`; a single lens has a point for a caustic.
    """
    time = np.linspace(*span, _PATH)
    x, y = curve.source_at(time)
    rho = float(curve.value.get("rho", 0.0))
    lenses: list[tuple[float, float]] = [(0.0, 1.0)]
    bends = (np.zeros(1), np.zeros(1))
    if curve.kind.n_lens == 2:
        s, q = curve.value["s"], curve.value["q"]
        lenses = [(-s * q / (1 + q), 1 / (1 + q)), (s / (1 + q), q / (1 + q))]
        bends = caustics(s, q)
    return {
        "time": time,
        "x": x,
        "y": y,
        "rho": rho,
        "lenses": [{"x": at, "mass": mass} for at, mass in lenses],
        "caustic_x": bends[0],
        "caustic_y": bends[1],
    }
