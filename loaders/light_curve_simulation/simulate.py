"""A light curve from a seed and a number."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from loaders.light_curve_simulation.artefacts import ARTEFACTS, draw_artefact, outliers
from loaders.light_curve_simulation.lenses import EVENTS, draw_event, second_event
from loaders.light_curve_simulation.magnify import magnification, second_magnification
from loaders.light_curve_simulation.noise import band_noise
from loaders.light_curve_simulation.schedule import Cadence, barycentric, exposure_times
from loaders.light_curve_simulation.stars import Star, draw_blend, draw_star
from loaders.light_curve_simulation.variables import VARIABLES, draw_variable

FloatArray = npt.NDArray[np.float64]

CONSTANT = "constant"
KINDS = (*EVENTS, CONSTANT, *VARIABLES, *ARTEFACTS)
"""All classes."""

_SHARES = (
    dict.fromkeys(EVENTS, 0.06)
    | {CONSTANT: 0.25}
    | dict.fromkeys(VARIABLES, 0.025)
    | dict.fromkeys(ARTEFACTS, 0.04)
    # Of what had 0.06 together before, so that the same numbers are of the other classes.
    | {"parallax": 0.05, "xallarap": 0.01, "binary_lens": 0.03, "orbiting_lens": 0.03}
    # Made by its name alone: numbers stay of the classes that they are of.
    | {"repeating_lens": 0.0}
)

_BRIGHTEST, _FAINTEST = 15.0, 24.0
"""F146 AB magnitudes of sources: what saturates, and what is not seen at all."""

_ERROR_SCATTER = 0.05
"""Natural logarithm by which true scatter and stated errors of a star differ, standard deviation."""

_FIELD = 0.2
"""Half the side (degrees) of the square in which the stars are."""


@dataclass(frozen=True)
class Recipe:
    """What is simulated.

    Parameters
    ----------
    seed
        Makes other light curves; with it, the number of one says all of it.
    shares
        By class, how often; they need not add up to one.
    cadence
        When the survey looks.
    ra, dec
        Centre of the field, degrees ICRS.
    test_share
        Share of the light curves that are of the test part.
    """

    seed: int
    shares: Mapping[str, float] = field(default_factory=lambda: dict(_SHARES))
    cadence: Cadence = field(default_factory=Cadence)
    ra: float = 268.0
    dec: float = -29.3
    test_share: float = 0.5

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.shares) - set(KINDS)):
            raise ValueError(f"unknown classes {', '.join(unknown)}; there are {', '.join(KINDS)}")
        if min(self.shares.values(), default=0) < 0 or not sum(self.shares.values()) > 0:
            raise ValueError("the shares of the classes must be at least 0, and not all 0")


@dataclass(frozen=True)
class Points:
    """Points in one optical element: shape (n,) each; BJD (TDB), flux and error in nJy, photometry flags."""

    bjd_tdb: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    flags: npt.NDArray[np.uint16]


@dataclass(frozen=True)
class SimulatedCurve:
    """A light curve and its truth.

    Parameters
    ----------
    number
        Its number.
    kind
        One of `KINDS`.
    split
        ``tune`` or ``test``.
    ra, dec
        Degrees ICRS.
    points
        By optical element.
    baseline
        True flux out of any event, blended light included, nJy, by optical element.
    truth
        Parameters of the class; ``source_flux_F146`` (nJy) and so on for what is magnified or varies.
    """

    number: int
    kind: str
    split: str
    ra: float
    dec: float
    points: Mapping[str, Points]
    baseline: Mapping[str, float]
    truth: Mapping[str, float]


@dataclass(frozen=True)
class Survey:
    """A recipe, and the times (BJD TDB, by optical element) that all its light curves share."""

    recipe: Recipe
    times: Mapping[str, FloatArray]


def prepare(recipe: Recipe) -> Survey:
    """Make the times of the exposures."""
    times = exposure_times(recipe.cadence, np.random.default_rng([recipe.seed, 0]))
    return Survey(recipe, {e: barycentric(t, recipe.ra, recipe.dec) for e, t in times.items()})


def split_of(seed: int, number: int, test_share: float) -> str:
    """Part of a light curve, ``tune`` or ``test``: by a hash, so that it stays, however many there are."""
    digest = hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=8).digest()
    return "test" if int.from_bytes(digest, "big") / 2**64 < test_share else "tune"


def simulate(survey: Survey, number: int) -> SimulatedCurve:
    """Make a light curve; the same number always gives the same one.

    Parameters
    ----------
    survey
        As `prepare` gives it.
    number
        From 0.

    Returns
    -------
    SimulatedCurve
    """
    recipe = survey.recipe
    rng = np.random.default_rng([recipe.seed, 1, number])
    kind = _kind(recipe, rng)
    star, blend = draw_star(rng, _BRIGHTEST, _FAINTEST), draw_blend(rng)
    x, y = rng.uniform(-_FIELD, _FIELD, 2)
    ra, dec = recipe.ra + x / np.cos(np.radians(recipe.dec)), recipe.dec + y
    truth, flux, baseline = _light(kind, star, survey, (ra, dec), rng)
    truth |= {f"source_flux_{e}": f for e, f in star.flux.items()} | {"temperature": star.temperature}
    baseline = {e: baseline[e] + blend[e] for e in baseline}
    flux = {e: one + blend[e] for e, one in flux.items()}
    points, more = _measured(kind, survey.times, flux, rng)
    split = split_of(recipe.seed, number, recipe.test_share)
    return SimulatedCurve(number, kind, split, float(ra), float(dec), points, baseline, truth | more)


def _kind(recipe: Recipe, rng: np.random.Generator) -> str:
    """Draw the class."""
    share = np.array([recipe.shares.get(kind, 0.0) for kind in KINDS])
    return KINDS[int(rng.choice(len(KINDS), p=share / share.sum()))]


_Light = tuple[dict[str, float], dict[str, FloatArray], dict[str, float]]


def _light(
    kind: str, star: Star, survey: Survey, place: tuple[float, float], rng: np.random.Generator
) -> _Light:
    """Truth, flux over time without blend, and quiet flux, the last two by optical element."""
    times = survey.times
    if kind in VARIABLES:
        truth, factors = draw_variable(kind, times, rng)
        return truth, {e: star.flux[e] * factors[e] for e in times}, dict(star.flux)
    if kind not in EVENTS:
        return {}, {e: np.full(t.size, star.flux[e]) for e, t in times.items()}, dict(star.flux)
    event = draw_event(kind, star, survey.recipe.cadence.seasons, rng)
    flux = {e: star.flux[e] * magnification(event, t, *place, e) for e, t in times.items()}
    if kind == "repeating_lens":
        second = second_event(event)
        # Apart as they are, each adds its light as if the other were not.
        added = {e: star.flux[e] * (magnification(second, t, *place, e) - 1) for e, t in times.items()}
        return event, {e: flux[e] + added[e] for e in times}, dict(star.flux)
    if kind != "binary_source":
        return event, flux, dict(star.flux)
    companion = draw_star(rng, star.magnitude - 1.0, star.magnitude + 3.0)
    event |= {f"q_source_{e}": companion.flux[e] / star.flux[e] for e in times}
    both = {e: flux[e] + companion.flux[e] * second_magnification(event, t, *place) for e, t in times.items()}
    return event, both, {e: star.flux[e] + companion.flux[e] for e in star.flux}


def _measured(
    kind: str, times: Mapping[str, FloatArray], flux: Mapping[str, FloatArray], rng: np.random.Generator
) -> tuple[dict[str, Points], dict[str, float]]:
    """Points with noise, outliers and artefacts, and what is to be said of these."""
    error = {e: band_noise(e).error(one) for e, one in flux.items()}
    truth = {"error_scale": float(np.exp(_ERROR_SCATTER * rng.standard_normal()))}
    added: Mapping[str, FloatArray] = {}
    if kind in ARTEFACTS:
        parameters, added = draw_artefact(kind, times, error, rng)
        truth |= parameters
    points = {}
    for e, t in times.items():
        off, flags = outliers(error[e], rng)
        noise = truth["error_scale"] * error[e] * rng.standard_normal(t.size)
        points[e] = Points(t, flux[e] + added.get(e, 0.0) + noise + off, error[e], flags)
    return points, truth
