"""The points of an event beside its models: which model, with which errors, and what is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.event_models.evaluate import ModelCurve, kind_named
from loaders.season_report.facts import EventFacts, ModelFacts
from loaders.stored_curve.band import Band, FloatArray

#: Einstein times on either side of t_0 that are drawn close; at least so many days.
_CLOSE, _LEAST_DAYS = 2.5, 0.25

#: The peak: so many impact parameters or radii of the source on either side, if that is so much shorter.
_PEAK, _SHORT = 5.0, 0.3

#: Times at which a model is drawn, evenly, and about t_0.
_EVEN, _ABOUT = 1200, 800


@dataclass(frozen=True)
class SeenBand:
    """A light curve as its event's model was fitted to it: errors scaled; residual in errors, shape (n,)."""

    band: Band
    residual: FloatArray


def curve_of(event: EventFacts, one: ModelFacts) -> ModelCurve:
    """A model of an event that can be asked for its flux.

    Raises
    ------
    LookupError
        If its kind is not known.
    """
    stored = one.model
    t_0_par = stored.t_0_par if stored.has_parallax else None
    limb = stored.limb or None
    return ModelCurve(kind_named(stored.name), stored.value, stored.flux, event.place, t_0_par, limb)


def seen_bands(event: EventFacts, one: ModelFacts) -> list[SeenBand]:
    """The light curves in the elements in which a model has fluxes, and what it leaves of them."""
    curve = curve_of(event, one)
    out = []
    for band in event.bands:
        if (band.name, 1) in curve.flux and len(band):
            error = band.error * one.error_scale.get(band.name, 1.0)
            scaled = Band(band.name, band.time, band.flux, error)
            out.append(SeenBand(scaled, (band.flux - curve.flux_at(band.name, band.time)) / error))
    return out


def window(event: EventFacts) -> tuple[float, float]:
    """Times (BJD TDB) between which the event is drawn close: some Einstein times, where there are points.

    Without a model they are those of the search.
    """
    first = np.min([band.time[0] for band in event.bands if len(band)])
    last = np.max([band.time[-1] for band in event.bands if len(band)])
    middle, half = event.t_0_guess, _CLOSE * event.t_eff
    if event.models:
        value = event.models[0].model.value
        times = [value[name] for name in ("t_0", "t_0_1", "t_0_2") if name in value]
        middle = float(np.mean(times))
        half = _CLOSE * value["t_E"] + float(np.ptp(times)) / 2
    half = max(half, _LEAST_DAYS)
    low, high = max(middle - half, first), min(middle + half, last)
    return (float(low), float(high)) if low < high else (float(first), float(last))


def peak_window(event: EventFacts) -> tuple[float, float] | None:
    """Times (BJD TDB) about the closest approach, where that is short against the event; else None."""
    if not event.models:
        return None
    value = event.models[0].model.value
    if "t_0" not in value:
        return None
    half = _PEAK * max(abs(value["u_0"]), value.get("rho", 0.0)) * value["t_E"]
    low, high = window(event)
    if half > _SHORT * (high - low) / 2:
        return None
    return max(value["t_0"] - half, low), min(value["t_0"] + half, high)


def times_to_draw(event: EventFacts, low: float, high: float) -> FloatArray:
    """Times (BJD TDB) at which the curve of a model is drawn: evenly, and more about the closest approach."""
    even = np.linspace(low, high, _EVEN)
    if not event.models:
        return even
    value = event.models[0].model.value
    about = [
        value[name] + value["t_E"] * np.sinh(np.linspace(-8, 8, _ABOUT)) / np.sinh(8) * _CLOSE
        for name in ("t_0", "t_0_1", "t_0_2")
        if name in value
    ]
    times = np.concatenate([even, *about])
    return np.unique(times[(times >= low) & (times <= high)])
