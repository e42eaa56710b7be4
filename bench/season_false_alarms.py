"""End of season: how often constant stars come out as events, by the very path that all light curves go.

Constant stars of six seasons in three elements are made as the simulator makes them, in blocks that share times
and stars. Their statistics say which of them are searched, as in the database; these are searched, judged, and
kept or refused. ``python -m bench.season_false_alarms --kind outliers --number 1000000`` does it for many, and
says what the candidates were.
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
from loaders.light_curve_simulation.simulate import Recipe, Survey, prepare
from loaders.light_curve_simulation.stars import draw_blend, draw_star
from loaders.microlensing.find import Found, SkyCurve, look_at
from loaders.microlensing.load import LEAST_CONNECTION, LEAST_INDEX, LEAST_RUN
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.stored_curve.band import Band, FloatArray, usable_band

AREA = "season"
SEED = 20281103

KINDS = ("gaussian", "outliers", "blocks")
"""Noise that is what errors say; that of the simulator, with outliers and errors that are 5 % off; the same with
zero points of exposures and of days that are off for all stars of a detector."""

NUMBERS = {"gaussian": 2_000, "outliers": 4_000, "blocks": 2_000}
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
    """Stars in one element: flux and flags of shape (n, n_epoch), errors and true fluxes of shape (n,), nJy."""

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
    """Upper limit of the mean of a Poisson distribution of which a count is known (Gehrels 1986, ApJ 303, 336)."""
    return float(chi2.ppf(confidence, 2 * (count + 1)) / 2)


def figures() -> Iterator[Figure]:
    """Events in constant stars, and stars that are searched, by kind of noise."""
    for kind, number in NUMBERS.items():
        tried = list(stars(Sky(kind), 0, number))
        searched = sum(star.found is not None for star in tried)
        wrong = sum(bool(star.found and star.found[-1].verdict.is_event) for star in tried)
        name = f"{number:,} constant stars, {kind}"
        yield Figure(AREA, f"{name}: share that is searched", searched / number, "", None, "min")
        yield Figure(AREA, f"{name}: events", float(wrong), "", 0, "min")
        yield Figure(AREA, f"{name}: events a star, upper limit of 95 %", upper_limit(wrong) / number, "")


def main(arguments: list[str]) -> int:
    """Try many stars of a kind, and say how many came how far; return 1 if one came out as an event."""
    parser = argparse.ArgumentParser(prog="python -m bench.season_false_alarms", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="outliers")
    parser.add_argument("--first", type=int, default=0, help="number of the first star")
    parser.add_argument("--number", type=int, default=100_000, help="stars")
    parser.add_argument("--everything", action="store_true", help="search all, whatever their statistics")
    given = parser.parse_args(arguments)
    count: Counter[str] = Counter()
    for n, star in enumerate(stars(Sky(given.kind), given.first, given.number, everything=given.everything), 1):
        count.update(["searched"] if star.found is not None else [])
        for one in star.found or []:
            count[one.verdict.reason] += 1
            if one.verdict.is_event or one.verdict.reason not in ("few_points", "too_weak"):
                gains = f"{one.candidate.gain:.0f} in the search, {one.verdict.gain:.0f} by a lens"
                print(f"star {star.number}: {one.verdict.reason}, t_eff {one.candidate.t_eff:.3g} d, {gains}")
            count["events"] += one.verdict.is_event
        if n % 10_000 == 0 or n == given.number:
            print(f"{n:,} stars, {given.kind}: {dict(count)}, limit {upper_limit(count['events']) / n:.2g}", flush=True)
    return int(count["events"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
