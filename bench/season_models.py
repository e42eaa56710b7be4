"""End of season: models of simulated planetary events and of single lenses, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.record import Figure
from loaders.event_models.fitted_model import FittedModel
from loaders.event_models.lens_fit import Points, solve_fluxes
from loaders.light_curve_simulation.magnify import magnification
from loaders.light_curve_simulation.simulate import SimulatedCurve
from loaders.microlensing.find import Found

AREA = "season"

SIGNALS = (160.0, 300.0)
"""Fall of chi-square from the best single lens to the truth, from which a planet is to be found."""

WRONG_S, WRONG_Q = 0.1, 0.3
"""How far s (natural logarithm, close or wide) and q (decimal) may be off."""


def could_show(curve: SimulatedCurve) -> bool:
    """Whether the planet of a simulated event could be found at all (`most_signal`)."""
    return most_signal(curve) > SIGNALS[0]


def most_signal(curve: SimulatedCurve) -> float:
    """By how much of chi-square the planet of a simulated event changes the light curve.

    The change at the true path is an upper limit of what a single lens that is fitted leaves.
    """
    truth = dict(curve.truth)
    alone = {name: value for name, value in truth.items() if name not in ("s", "q", "alpha")}
    points = curve.points["F146"]
    both, single = (magnification(t, points.bjd_tdb, curve.ra, curve.dec, "F146") for t in (truth, alone))
    change = truth["source_flux_F146"] * (both - single) / points.flux_err
    return float(np.sum(change**2))


@dataclass(frozen=True)
class Looked:
    """A simulated event, what was found of it, and the seconds that took."""

    curve: SimulatedCurve
    found: Found
    seconds: float

    @property
    def best(self) -> FittedModel:
        """The model that is believed."""
        return self.found.models[0]

    @property
    def signal(self) -> float:
        """By how much chi-square of the truth is below that of the best single lens."""
        points = Points.of(self.found.verdict.bands)
        curve = self.curve
        true = np.empty(points.time.size)
        for element, part in zip(points.names, points.slices, strict=True):
            place = (points.time[part], curve.ra, curve.dec)
            true[part] = magnification(dict(curve.truth), *place, element)
        _, residual = solve_fluxes(points, true[None])
        single = [m.chi2 for m in self.found.models if m.kind.n_lens == m.kind.n_source == 1]
        return min(single) - float(residual @ residual)

    @property
    def is_right(self) -> bool:
        """Whether s, but for the degeneracy of close and wide, and q are those of the truth."""
        value, truth = self.best.value, self.curve.truth
        if "q" not in value:
            return False
        off = min(abs(np.log(value["s"] / truth["s"])), abs(np.log(value["s"] * truth["s"])))
        return bool(off < np.log1p(WRONG_S) and abs(np.log10(value["q"] / truth["q"])) < WRONG_Q)


def of_planets(events: Sequence[Looked], refused: Sequence[SimulatedCurve]) -> Iterator[Figure]:
    """How many planets are found with the right parameters, and how long that takes.

    Events that the search refused count as missed, their signal being what it may be at most.
    """
    signals = [(event, event.signal) for event in events]
    for least in SIGNALS:
        some = [event for event, signal in signals if signal > least]
        missed = sum(most_signal(curve) > least for curve in refused)
        if some:
            number = len(some) + missed
            share = sum(event.is_right for event in some) / number
            error = float(np.sqrt(share * (1 - share) / number))
            name = (
                f"{number} planets whose signal is above {least:.0f}, {missed} of them refused: s and q right"
            )
            yield Figure(
                AREA, name, share, f"± {error:.2f}", 0.9, "max", "RTModel, as published (2024)", 0.88
            )
    some = [event for event, signal in signals if signal > SIGNALS[0]]
    if some:
        called = sum(event.best.kind.n_lens > 1 for event in some) / (len(some) + len(refused))
        yield Figure(AREA, "the same planets: called two lenses", called, "", 0.6, "max")
        worst = max(event.seconds for event in some)
        yield Figure(AREA, "the same planets: search and all models, the longest", worst, "s", 600, "min")
        usual = float(np.median([event.seconds for event in some]))
        yield Figure(AREA, "the same planets: search and all models, median", usual, "s", 60, "min")


def of_single_lenses(events: Sequence[Looked]) -> Iterator[Figure]:
    """How many single lenses are called something else, and how long their models take."""
    wrong = float(np.mean([event.found.verdict.reason != "single_lens" for event in events]))
    name = f"{len(events)} single lenses, half of them with large sources: called something else"
    yield Figure(AREA, name, wrong, "", 0.05, "min")
    usual = float(np.median([event.seconds for event in events]))
    yield Figure(AREA, "single lenses: search and all models, median", usual, "s", None, "min")
