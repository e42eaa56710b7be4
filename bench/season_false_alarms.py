"""End of season: how often constant stars come out as events, by the very path that all light curves go.

Constant stars of six seasons in three elements are made as the simulator makes them, in blocks that share
times. Their statistics say which of them are searched, as in the database; these are searched, judged, and
kept or refused. ``python -m bench.season_false_alarms --kind outliers --number 1000000`` does it for
many, and says what the candidates were.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from bench.record import Figure
from loaders.event_efficiency.selection import Locus, Rules, magnitude_of, selection_of
from loaders.light_curve.summary import SegmentMatrix, SummaryArray, summarise
from loaders.light_curve_simulation.artefacts import outliers
from loaders.light_curve_simulation.noise import band_noise
from loaders.light_curve_simulation.schedule import SEASONS
from loaders.light_curve_simulation.simulate import Recipe, Survey, prepare
from loaders.light_curve_simulation.stars import draw_blend, draw_star
from loaders.microlensing.find import Found, SkyCurve, look_at
from loaders.microlensing.load import LEAST_CONNECTION, LEAST_INDEX, LEAST_RUN, SHARED
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.stored_curve.band import Band, FloatArray, usable_band

AREA = "season"
SEED = 20281103

KINDS = ("gaussian", "outliers", "blocks")
"""Noise that is what errors say; that of the simulator, with outliers and errors that are 5 % off; the same
with zero points of exposures and of days that are off for all stars of a detector."""

NUMBERS = {"gaussian": 2_000, "outliers": 10_000, "blocks": 1_000}
"""Stars of each kind that `make bench` tries."""

_POOL, _BLOCK, _DETECTOR = 4_000, 50, 1_000
"""Different stars; stars made at once; stars whose exposures are off together."""

_ZERO_POINT = 1e-3
"""Standard deviation of the zero points of exposures, and of days: the floor of the simulated errors."""

_SCATTER = 0.05
"""Natural logarithm by which scatter and stated errors of a star differ, as in the simulator."""

_CELL, _FEWEST = 0.5, 50
"""Magnitudes of a cell of the locus of constant stars, and the least number of its stars."""


@dataclass(frozen=True)
class Block:
    """Stars in one element: flux and flags, shape (n, n_epoch), errors and true fluxes, shape (n,); nJy."""

    time: FloatArray
    flux: npt.NDArray[np.float32]
    error: npt.NDArray[np.float32]
    flags: npt.NDArray[np.uint16]
    truth: FloatArray

    def summaries(self) -> SummaryArray:
        """As they are stored with light curves."""
        error = np.broadcast_to(self.error[:, None], self.flux.shape)
        return summarise(SegmentMatrix(self.flux, error, self.flags), self.time, self.truth, EXCLUDING_FLAGS)

    def band(self, name: str, k: int) -> Band:
        """The points of a star that count."""
        error = np.full(self.time.size, self.error[k])
        return usable_band(name, self.time, self.flux[k], error, self.flags[k] & EXCLUDING_FLAGS != 0)


@dataclass(frozen=True)
class Sky:
    """Constant stars of a kind of noise."""

    kind: str
    seed: int = SEED
    recipe: Recipe = field(default_factory=lambda: Recipe(SEED, {"constant": 1.0}))

    @cached_property
    def survey(self) -> Survey:
        """The times that all stars share."""
        return prepare(self.recipe)

    @cached_property
    def pool(self) -> Mapping[str, FloatArray]:
        """True fluxes of different stars by element, nJy, shape (n,)."""
        rng = np.random.default_rng([self.seed, 0])
        stars = [(draw_star(rng, 15.0, 24.0).flux, draw_blend(rng)) for _ in range(_POOL)]
        return {e: np.array([flux[e] + blend[e] for flux, blend in stars]) for e in self.survey.times}

    def blocks(self, first: int, number: int) -> dict[str, Block]:
        """Some stars of one detector, by element; the same number always gives the same star."""
        numbers = np.arange(first, first + number)
        rngs = [np.random.Generator(np.random.SFC64([self.seed, 1, k])) for k in numbers]
        scale = np.exp([0.0 if self.kind == "gaussian" else _SCATTER * r.standard_normal() for r in rngs])
        out = {}
        for element, time in self.survey.times.items():
            truth = self.pool[element][numbers % _POOL]
            error = band_noise(element).error(truth)
            pull = np.empty((number, time.size), np.float32)
            flags = np.zeros(pull.shape, np.uint16)
            for k, rng in enumerate(rngs):
                pull[k] = rng.standard_normal(time.size, dtype=np.float32) * np.float32(scale[k])
                if self.kind != "gaussian":
                    added, flags[k] = outliers(np.ones(time.size), rng)
                    pull[k] += added.astype(np.float32)
            pull *= error[:, None].astype(np.float32)
            pull += truth[:, None].astype(np.float32)
            if self.kind == "blocks":
                off = self._zero_points(first // _DETECTOR, element)
                pull += truth[:, None].astype(np.float32) * off.astype(np.float32)
            out[element] = Block(time, pull, error.astype(np.float32), flags, truth)
        return out

    def _zero_points(self, detector: int, element: str) -> FloatArray:
        """By what share of the flux exposures of a detector are off, shape (n_epoch,)."""
        time = self.survey.times[element]
        rng = np.random.default_rng([self.seed, 2, detector, sorted(self.survey.times).index(element)])
        day = np.floor(time - time[0]).astype(np.int64)
        of_days = rng.standard_normal(day[-1] + 1)[day]
        return np.asarray(_ZERO_POINT * (of_days + rng.standard_normal(time.size)))

    def rules(self) -> Rules:
        """What is searched, with the locus of these stars."""
        found: dict[str, list[SummaryArray]] = {}
        for first in range(0, _POOL // 2, _BLOCK):
            for element, block in self.blocks(first, _BLOCK).items():
                found.setdefault(element, []).append(block.summaries())
        loci = {element: _locus(np.concatenate(parts)) for element, parts in found.items()}
        return Rules(LEAST_INDEX, LEAST_RUN, LEAST_CONNECTION, EXCLUDING_FLAGS, loci)


def _locus(summaries: SummaryArray) -> Locus:
    """Where these stars lie, as ``queries/jobs/variability_locus.sql`` has it."""
    magnitude = np.array([magnitude_of(flux) for flux in summaries["mean_flux"]])
    root = np.cbrt(summaries["weighted_m2"] / (summaries["n_point"] - 1))
    cell = np.floor(magnitude / _CELL)
    rows = []
    for one in np.unique(cell):
        here = cell == one
        if here.sum() >= _FEWEST:
            low, middle = np.percentile(root[here], (15.8655, 50))
            rows.append((magnitude[here].mean(), middle, middle - low))
    return Locus(*np.array(rows).T)


@dataclass(frozen=True)
class Star:
    """A constant star: its number, and what was looked at; None where its statistics spared it the search."""

    number: int
    found: Sequence[Found] | None

    @property
    def is_event(self) -> bool:
        """Whether it came out as an event."""
        return bool(self.found and self.found[-1].verdict.is_event)


def shared(event: Star, others: Sequence[Star]) -> bool:
    """Whether neighbours have an event at once, as ``queries/jobs/shared_events.sql`` says it of a database.

    All stars of a detector count as neighbours.
    """
    one, span = (event.found or [])[-1].candidate, SEASONS[-1][1] - SEASONS[0][0]
    alike, expected = set(), 0.0
    for star in others:
        for other in [] if star.number == event.number else [found.candidate for found in star.found or []]:
            shorter = min(one.t_eff, other.t_eff)
            if max(one.t_eff, other.t_eff) <= 2 * shorter:
                expected += shorter / span
                if abs(one.t_0 - other.t_0) < shorter / 2:
                    alike.add(star.number)
    n, expected = len(alike), max(expected, 1e-9)
    if n < SHARED["fewest"] or n <= expected:
        return False
    return bool(n * (1 + np.log(expected / n)) - expected < SHARED["log_chance"])


@dataclass
class Tally:
    """What became of stars, of those of one detector after the other."""

    stars: list[Star] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)

    def add(self, star: Star) -> list[Star]:
        """Count a star, and with the last one of a detector its events: those that neighbours do not have."""
        self.count["searched"] += star.found is not None
        self.count.update(one.verdict.reason for one in star.found or [])
        self.stars.append(star)
        if (star.number + 1) % _DETECTOR:
            return []
        events = [star for star in self.stars if star.is_event]
        alone = [star for star in events if not shared(star, self.stars)]
        self.count["events"] += len(events)
        self.count["events alone"] += len(alone)
        self.stars.clear()
        return alone


def stars(sky: Sky, first: int, number: int, *, everything: bool = False) -> Iterator[Star]:
    """Go the way of all light curves with constant stars.

    Parameters
    ----------
    sky
        Where they are.
    first, number
        Which of them.
    everything
        Whether all are searched, whatever their statistics.
    """
    rules = sky.rules()
    for begin in range(first, first + number, _BLOCK):
        blocks = sky.blocks(begin, min(_BLOCK, first + number - begin))
        summaries = {element: block.summaries() for element, block in blocks.items()}
        for k in range(len(next(iter(blocks.values())).truth)):
            chosen = everything or _is_searched(summaries, k, rules)
            bands = [block.band(element, k) for element, block in blocks.items()] if chosen else []
            curve = SkyCurve(begin + k, sky.recipe.ra, sky.recipe.dec, bands)
            yield Star(begin + k, look_at(curve, modelled=False) if chosen else None)


def _is_searched(summaries: Mapping[str, SummaryArray], k: int, rules: Rules) -> bool:
    """Whether the statistics of a star ask for a search."""
    return selection_of([(element, one[k]) for element, one in summaries.items()], rules).is_selected


def upper_limit(count: int, confidence: float = 0.95) -> float:
    """Upper limit of the mean of a Poisson distribution, by a count of it (Gehrels 1986, ApJ 303, 336)."""
    return float(chi2.ppf(confidence, 2 * (count + 1)) / 2)


def figures() -> Iterator[Figure]:
    """Events in constant stars, and stars that are searched, by kind of noise."""
    for kind, number in NUMBERS.items():
        tally = Tally()
        for star in stars(Sky(kind), 0, number):
            tally.add(star)
        name, wrong = f"{number:,} constant stars, {kind}", tally.count["events alone"]
        yield Figure(
            AREA, f"{name}: share that is searched", tally.count["searched"] / number, "", None, "min"
        )
        yield Figure(AREA, f"{name}: events that neighbours do not share", float(wrong), "", 0, "min")
        limit = upper_limit(wrong) / number
        yield Figure(AREA, f"{name}: events a star, upper limit of 95 %", limit, "", None, "min")


def main(arguments: list[str]) -> int:
    """Try many stars of a kind, and say how many came how far; return 1 if one came out as an event."""
    parser = argparse.ArgumentParser(prog="python -m bench.season_false_alarms", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="outliers")
    parser.add_argument("--first", type=int, default=0, help="number of the first star")
    parser.add_argument("--number", type=int, default=100_000, help="stars, a multiple of a thousand")
    parser.add_argument("--everything", action="store_true", help="search all, whatever their statistics")
    given = parser.parse_args(arguments)
    tally = Tally()
    for n, star in enumerate(
        stars(Sky(given.kind), given.first, given.number, everything=given.everything), 1
    ):
        for one in star.found or []:
            if one.verdict.reason not in ("few_points", "too_weak"):
                print(f"star {star.number}: {_told(one)}")
        for alone in tally.add(star):
            print(f"star {alone.number}: an event that no neighbour has")
        if n % _DETECTOR == 0:
            limit = upper_limit(tally.count["events alone"]) / n
            print(f"{n:,} stars, {given.kind}: {dict(tally.count)}, limit {limit:.2g}", flush=True)
    return int(tally.count["events alone"] > 0)


def _told(one: Found) -> str:
    """A candidate in words."""
    place, gain = one.candidate, one.verdict.gain
    when = f"t_0 {place.t_0:.2f}, t_eff {place.t_eff:.3g} d"
    return f"{one.verdict.reason}, {when}, {place.gain:.0f} in the search, {gain:.0f} by a lens"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
