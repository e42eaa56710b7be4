"""End of season: the search for events and fits of single lenses, and statistics of variables.

Light curves are those of the simulator's test part (`loaders.light_curve_simulation`, seed `SEED`), on which
nothing was tuned. The peer of the search is the same sum of squares over all points, element by element; that
of the statistics is the package light-curve.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from bench import season_false_alarms, season_peers, survey_pass
from bench.record import Figure
from bench.season_coverage import of_posteriors
from bench.season_models import Looked, could_show, of_planets, of_single_lenses
from loaders.event_models.point_lens import fit_point_lens
from loaders.light_curve_simulation.simulate import Recipe, SimulatedCurve, prepare, simulate
from loaders.microlensing.find import Found, SkyCurve, look_at
from loaders.microlensing.search import EventSearch
from loaders.stored_curve.band import Band, FloatArray, usable_band, without_outliers
from loaders.variability.statistics import describe
from roman_db.parallel import each_ended

AREA = "season"
SEED = 20270917
NUMBER = 40_000
"""Points of the light curves that are timed."""

EVENTS, TIMED, PLANETS, SINGLES = 40, 5, 50, 240
_U_0 = 0.3
"""Impact parameter from which single lenses are fitted."""

PLANETARY = {"planet": 1.0}
SINGLE = ("point_lens", "finite_source")


def figures() -> Iterator[Figure]:
    """All figures of this area."""
    for part in PARTS.values():
        yield from part()


def _of_searches() -> Iterator[Figure]:
    """Times of searches and of fits, beside peers."""
    curves = [_bands(curve) for curve in _curves({"point_lens": 1.0}, TIMED)]
    yield from _search(curves)
    yield from _fits(curves)


def _curves(shares: dict[str, float], number: int) -> Iterator[SimulatedCurve]:
    """Light curves of the test part."""
    survey = prepare(Recipe(SEED, shares))
    found = count = 0
    while found < number:
        curve = simulate(survey, count)
        count += 1
        if curve.split == "test":
            found += 1
            yield curve


def _bands(curve: SimulatedCurve) -> list[Band]:
    """Its elements, without outliers."""
    return [
        without_outliers(usable_band(name, one.bjd_tdb, one.flux, one.flux_err, one.flags & 7))
        for name, one in curve.points.items()
    ]


def _search(curves: Sequence[Sequence[Band]]) -> Iterator[Figure]:
    """Time of a search, and how near its fall of chi-square is to that of all points."""
    search = EventSearch()
    search.best(curves[0])
    shares, seconds, direct = [], [], []
    for bands in curves:
        begin = time.perf_counter()
        (best,) = search.best(bands)
        seconds.append((time.perf_counter() - begin) * NUMBER / sum(map(len, bands)))
        places = sum(scan.time.size for scan in search.scans(bands))
        begin = time.perf_counter()
        truth = direct_gain(bands, best.t_0, best.t_eff)
        direct.append((time.perf_counter() - begin) * places * NUMBER / sum(map(len, bands)))
        shares.append(abs(best.gain / truth - 1))
    name, peer = "search of a 40,000-point light curve", "all points at each place, from one place"
    yield Figure(
        AREA,
        name,
        1e3 * float(np.median(seconds)),
        "ms on one core",
        60,
        "min",
        peer,
        1e3 * float(np.median(direct)),
    )
    yield Figure(
        AREA,
        "search: fall of chi-square, largest distance from that of all points",
        max(shares),
        "",
        0.05,
        "min",
    )


def direct_gain(bands: Sequence[Band], t_0: float, t_eff: float) -> float:
    """Fall of chi-square at a place by all points, the better of both curves."""
    best = 0.0
    for kind in (1, 2):
        total = 0.0
        for band in bands:
            weight = 1 / band.error**2
            q = 1 + ((band.time - t_0) / t_eff) ** 2
            curve = 1 / np.sqrt(q) if kind == 1 else 1 / np.sqrt(1 - (q / 2 + 1) ** -2)
            flux, shape = (v - np.average(v, weights=weight) for v in (band.flux, curve))
            asked = weight @ (flux * shape)
            total += asked**2 / (weight @ shape**2) if asked > 0 else 0.0
        best = max(best, float(total))
    return best


def _fits(curves: Sequence[Sequence[Band]]) -> Iterator[Figure]:
    """Time of a fit of a single lens, and of the same by the packages of the field."""
    places = [EventSearch().best(bands)[0] for bands in curves]
    per_point = [NUMBER / sum(map(len, bands)) for bands in curves]
    seconds, found = [], []
    for bands, place in zip(curves, places, strict=True):
        begin = time.perf_counter()
        found.append(fit_point_lens(bands, place.t_0, place.t_eff, _U_0))
        seconds.append(time.perf_counter() - begin)
    name, ours = "fit of a single lens to 40,000 points", float(np.median(np.multiply(seconds, per_point)))
    peers = season_peers.installed()
    if not peers:
        yield Figure(AREA, name, ours, "s", 0.15, "min")
    for peer, fit in peers.items():
        theirs, alike = [], []
        for bands, place, own in zip(curves, places, found, strict=True):
            guess = (place.t_0, _U_0, place.t_eff / _U_0)
            taken, result = season_peers.timed(fit, bands, guess)
            theirs.append(taken)
            alike.append(abs(result[0] - own.t_0) < 0.01 * own.t_E)
        usual = float(np.median(np.multiply(theirs, per_point)))
        text = f"{peer}, which came to the same t_0 in {sum(alike)} of {len(alike)}"
        yield Figure(AREA, name, ours, "s", 0.15, "min", text, usual)


def _planetary() -> Iterator[Figure]:
    """Single-lens parameters of planetary events, without hints."""
    events = _looked(_curves(PLANETARY, EVENTS))
    off = []
    for one in events:
        value, truth = one.best.value, one.curve.truth
        t_0 = value.get("t_0", value.get("t_0_1", np.nan))
        off.append((abs(t_0 - truth["t_0"]), abs(value["t_E"] / truth["t_E"] - 1)))
    days, share = np.array(off).T
    name = f"{EVENTS} simulated planetary events"
    yield Figure(AREA, f"{name}: found", len(events) / EVENTS, "", None, "max")
    yield Figure(AREA, f"{name}: t_0 within a day", float(np.mean(days < 1)), "of those found", 0.95, "max")
    yield Figure(AREA, f"{name}: t_E within 10 %", float(np.mean(share < 0.1)), "of those found", 0.77, "max")

    shown = list(_seen_planets())
    seen = _looked(shown)
    kept = {one.curve.number for one in seen}
    yield from of_planets(seen, [curve for curve in shown if curve.number not in kept])
    both = {one.curve.number: one for one in [*events, *seen] if one.best.kind.n_lens > 1}
    yield from of_posteriors(list(both.values()), "events with planets")


def _single_lenses() -> Iterator[Figure]:
    """Single lenses that are called something else, and what their parameters may be."""
    events = [one for kind in SINGLE for one in _looked(_curves({kind: 1.0}, SINGLES // 2))]
    yield from of_single_lenses(events)
    yield from of_posteriors([one for one in events if one.best.kind.n_lens == 1], "single lenses")


def _seen_planets() -> Iterator[SimulatedCurve]:
    """Planetary events of the test part whose planets could be found."""
    return islice(filter(could_show, _curves(PLANETARY, 100 * PLANETS)), PLANETS)


def _looked(curves: Iterable[SimulatedCurve]) -> list[Looked]:
    """What is found of events, in their order, and how long that takes; those not found are left out.

    As many events as there are cores are looked at side by side, as the product does it, each by one process.
    """
    ended = each_ended(os.cpu_count() or 1, "loaders.microlensing.find", look, curves)
    done = [one for one in ended if one is not None]
    failed = [f"{one.item.number}: {one.error!r}" for one in done if one.error is not None]
    if failed:
        raise RuntimeError(f"Events that could not be looked at: {', '.join(failed)}")
    seen = [one.result for one in done if one.result is not None]
    return sorted(seen, key=lambda one: one.curve.number)


def look(curve: SimulatedCurve) -> Looked | None:
    """What is found of an event, and how long that takes; None where it is not found."""
    begin = time.perf_counter()
    found = _event(curve)
    return None if found is None else Looked(curve, found, time.perf_counter() - begin)


def _event(curve: SimulatedCurve) -> Found | None:
    """What is found of an event, the stronger one of two; None where nothing is."""
    found = look_at(SkyCurve(curve.number, curve.ra, curve.dec, _bands(curve)))
    return next((one for one in found if one.verdict.is_event), None)


def _statistics() -> Iterator[Figure]:
    """Speed of the statistics of variables, and how far they are from those of light-curve."""
    rng = np.random.default_rng(1)
    flux: FloatArray = rng.gamma(2.0, 50.0, size=(200, 5000))
    error: FloatArray = rng.uniform(0.5, 20, size=(200, 5000))
    describe(flux[:1], error[:1])
    begin = time.perf_counter()
    ours = describe(flux, error)
    rate = flux.size / (time.perf_counter() - begin) / 1e6
    peer = theirs = None
    if importlib.util.find_spec("light_curve"):
        lc = importlib.import_module("light_curve")
        features = {
            "weighted_mean": lc.WeightedMean(), "standard_deviation": lc.StandardDeviation(),
            "median": lc.Median(), "median_absolute_deviation": lc.MedianAbsoluteDeviation(),
            "inter_quartile_range": lc.InterPercentileRange(0.25), "skewness": lc.Skew(),
            "kurtosis": lc.Kurtosis(), "reduced_chi2": lc.ReducedChi2(),
            "excess_variance": lc.ExcessVariance(), "von_neumann": lc.Eta(), "stetson_k": lc.StetsonK(),
        }  # fmt: skip
        extractor, moments = lc.Extractor(*features.values()), np.arange(5000.0)
        begin = time.perf_counter()
        found = np.array([extractor(moments, f, e, sorted=True) for f, e in zip(flux, error, strict=True)])
        peer, theirs = f"light-curve {lc.__version__}", flux.size / (time.perf_counter() - begin) / 1e6
        own = np.column_stack([ours[name] for name in features])
        worst = float(np.max(np.abs(own / found - 1)))
        yield Figure(
            AREA,
            "statistics of variables: largest relative distance from light-curve",
            worst,
            "",
            1e-9,
            "min",
        )
    yield Figure(AREA, "statistics of variables", rate, "M points/s on one core", None, "max", peer, theirs)


PARTS = {
    "search": _of_searches,
    "planets": _planetary,
    "single_lenses": _single_lenses,
    "false_alarms": season_false_alarms.figures,
    "statistics": _statistics,
    "survey_pass": survey_pass.figures,
}
"""What can be measured by itself: all of it takes hours."""
