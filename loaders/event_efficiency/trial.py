"""A trial: an event injected into a light curve, and the same light curve without one, searched alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from loaders.event_efficiency.draw import PLANET, Setup, draw, source_fraction
from loaders.event_efficiency.points import Points, extra_variance, pivot_of
from loaders.event_efficiency.selection import Rules, Selection, select
from loaders.light_curve_simulation.lenses import USUAL_LIMBS
from loaders.light_curve_simulation.magnify import magnification
from loaders.microlensing.find import Found, SkyCurve, look_at
from loaders.stored_curve.band import seasons_of

REFERENCE = "F146"
"""Optical element whose fluxes say how bright a star is."""

UNTOUCHED, REVERSED, INVERTED = "untouched", "reversed", "inverted"
NULLS = (UNTOUCHED, REVERSED, INVERTED)
"""Light curves without an event: as it is, backwards in time, and upside down."""

_NEAR, _LEAST_NEAR = 0.5, 0.05
"""An event is found if t_0 is off by less than that share of its Einstein time, or by so many days."""


@dataclass(frozen=True)
class Trial:
    """What is tried.

    Parameters
    ----------
    number
        Number of the trial.
    object_id, place, curves
        The star, its place (deg ICRS), and its light curves.
    setup, rules
        What is injected, and how it is searched.
    is_first
        Whether the star is also tried without an event: once is enough, and more would count it again.
    """

    number: int
    object_id: int
    place: tuple[float, float]
    curves: Sequence[Points]
    setup: Setup
    rules: Rules
    is_first: bool = True

    @property
    def is_tried_without(self) -> bool:
        """Whether it is searched without its event, too; planets are not."""
        return self.is_first and self.setup.kind != PLANET


@dataclass(frozen=True)
class Attempt:
    """What became of one light curve.

    Parameters
    ----------
    kind
        Kind of the event, or one of `NULLS`.
    truth
        Parameters of the event, with ``source_fraction`` and ``expected_delta_chi2``; of all,
        ``baseline_flux`` (nJy in `REFERENCE`).
    selection
        Whether it was searched, and why.
    classification
        ``not_selected``, ``no_candidate``, ``no_points``, ``elsewhere`` (an event at another time), or what
        the search says.
    is_found
        Whether an event was found, at the right time where there is one.
    is_failed
        Whether numbers failed, or there was nothing to look at.
    measured
        t_0, u_0, t_E, delta_chi2, and s and q of the model that is believed; empty where nothing was fitted.
    model
        Name of that model; None without.
    """

    kind: str
    truth: Mapping[str, float]
    selection: Selection
    classification: str
    is_found: bool
    is_failed: bool
    measured: Mapping[str, float] = field(default_factory=dict)
    model: str | None = None

    @property
    def has_planet(self) -> bool:
        """Whether the model that is believed has two lenses, the companion being lighter than 0.1."""
        return self.classification == "binary_lens" and self.measured.get("q", np.inf) < _LARGEST_Q


_LARGEST_Q = 0.1


def attempt(trial: Trial) -> list[Attempt]:
    """Inject an event and search; search the light curve without it, too, where that is to be done.

    All random numbers are those of the seed and the number of the trial.
    """
    rng = np.random.default_rng([trial.setup.seed, trial.number])
    flags = trial.rules.excluding_flags
    baseline = {curve.name: curve.mean(flags) for curve in trial.curves}
    if not baseline.get(REFERENCE, np.nan) > 0:
        return [nothing(trial.setup.kind)]
    truth, curves = inject(trial, baseline, rng)
    tried = [search(trial, trial.setup.kind, truth, curves)]
    return tried + search_without(trial, baseline) if trial.is_tried_without else tried


def search_without(trial: Trial, baseline: Mapping[str, float]) -> list[Attempt]:
    """Search the light curves of a trial without an event in each of the ways of `NULLS`.

    Parameters
    ----------
    trial
        Its ``curves`` are those without an event.
    baseline
        Their mean flux by optical element, nJy.
    """
    known = {"baseline_flux": baseline[REFERENCE]}
    return [search(trial, kind, known, _null(kind, trial.curves, baseline)) for kind in NULLS]


def inject(
    trial: Trial, baseline: Mapping[str, float], rng: np.random.Generator
) -> tuple[dict[str, float], list[Points]]:
    """Draw an event and add its light: the share of the source in the baseline times (A - 1).

    Parameters
    ----------
    trial
        Star and setup.
    baseline
        Mean flux by optical element, nJy; what is below zero counts as nothing.
    rng
        Random numbers.

    Returns
    -------
    truth : dict
        As of `Attempt`.
    curves : list of Points
        The light curves with the event.
    """
    flux, flags = baseline[REFERENCE], trial.rules.excluding_flags
    share = source_fraction(flux, rng)
    seasons = seasons_of([curve.band(flags) for curve in trial.curves])
    event = draw(trial.setup, trial.number, (_magnitude(share * flux), seasons), rng)
    lit, expected = [], 0.0
    for curve in trial.curves:
        source = share * max(np.nan_to_num(baseline[curve.name]), 0.0)
        rise = magnification(event | USUAL_LIMBS, curve.time, *trial.place, curve.name) - 1
        extra = source * np.maximum(rise, 0.0)
        lit.append(curve.brighter(extra, np.nan_to_num(baseline[curve.name]), rng))
        expected += expected_gain(curve, extra, baseline[curve.name], flags)
    more = {"source_fraction": share, "baseline_flux": flux, "expected_delta_chi2": expected}
    return event | more, lit


def expected_gain(curve: Points, extra: np.ndarray, baseline: float, excluding_flags: int) -> float:
    """By how much the true event lowers chi-square of a constant, but for noise: ``Σ w (x - mean)²``."""
    good = curve.counting(excluding_flags)
    if not good.any():
        return 0.0
    error = curve.error[good].astype(np.float64)
    weight = 1 / (error**2 + extra_variance(curve.name, baseline, extra[good], error))
    mean = np.average(extra[good], weights=weight)
    return float(np.sum(weight * (extra[good] - mean) ** 2))


def _null(kind: str, curves: Sequence[Points], baseline: Mapping[str, float]) -> list[Points]:
    """A light curve without an event."""
    if kind == INVERTED:
        return [curve.inverted(baseline[curve.name]) for curve in curves]
    if kind == REVERSED:
        pivot = pivot_of(curves)
        return [curve.backwards(pivot) for curve in curves]
    return list(curves)


def search(trial: Trial, kind: str, truth: Mapping[str, float], curves: Sequence[Points]) -> Attempt:
    """Search light curves, one an optical element, as all are searched.

    Parameters
    ----------
    trial
        Star and rules.
    kind, truth
        As of `Attempt`.
    curves
        What is searched.
    """
    selection = select(curves, trial.rules)
    if not selection.is_selected:
        return Attempt(kind, truth, selection, "not_selected", False, False)
    flags = trial.rules.excluding_flags
    bands = [curve.band(flags) for curve in curves]
    found = look_at(SkyCurve(trial.object_id, *trial.place, bands), modelled=trial.rules.modelled)
    if not found:
        return Attempt(kind, truth, selection, "no_candidate", False, False)
    one = _meant(found, truth)
    reason, is_event = one.verdict.reason, one.verdict.is_event
    if is_event and kind not in NULLS and not is_near(one.verdict.fit.t_0, truth):
        reason, is_event = "elsewhere", False
    return Attempt(kind, truth, selection, reason, is_event, reason == "fit_failed", *_measured(one))


def _meant(found: Sequence[Found], truth: Mapping[str, float]) -> Found:
    """Of events the one that is nearest to the true one, or the best; of others the best, which says why."""
    events = [one for one in found if one.verdict.is_event]
    if "t_0" not in truth:
        return (events or found)[0]
    return min(events, key=lambda one: abs(one.verdict.fit.t_0 - truth["t_0"]), default=found[0])


def is_near(t_0: float, truth: Mapping[str, float]) -> bool:
    """Whether a time is that of an event."""
    return abs(t_0 - truth["t_0"]) <= max(_NEAR * truth["t_E"], _LEAST_NEAR)


def _measured(one: Found) -> tuple[dict[str, float], str | None]:
    """Parameters of an event, and the name of its model."""
    fit = one.verdict.fit
    out = {"t_0": fit.t_0, "u_0": fit.u_0, "t_E": fit.t_E, "delta_chi2": one.verdict.gain}
    if not one.models:
        return out, None
    best = one.models[0]
    return out | {name: float(best.value[name]) for name in ("s", "q") if name in best.value}, best.name


def nothing(kind: str) -> Attempt:
    """The star has no light curve into which anything could be injected."""
    return Attempt(kind, {}, Selection(float("nan"), 0, False), "no_points", False, True)


def _magnitude(flux: float) -> float:
    """AB magnitude of a flux density in nJy."""
    return float(31.4 - 2.5 * np.log10(flux))
