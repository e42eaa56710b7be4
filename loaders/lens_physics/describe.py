"""What follows from a model of an event: each quantity with its interval, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from loaders.lens_physics.blend import blend_of
from loaders.lens_physics.draws import N_DRAW, draw
from loaders.lens_physics.galaxy import Sightline
from loaders.lens_physics.model import FloatArray, StoredModel
from loaders.lens_physics.prior import LEAST_EFFECTIVE, Evidence, Expected, expected
from loaders.lens_physics.quantity import ASSUMED, Quantity, at_least, at_most, interval, weighted
from loaders.lens_physics.relations import (
    Motion,
    bound_ratio,
    heliocentric,
    lens_distance,
    mass,
    proper_motion,
    velocity_of_earth,
)
from loaders.lens_physics.seen_motion import SeenMotion, einstein_radius
from loaders.lens_physics.source import Extinction, Source, source_of

_SIGNIFICANT = 3.0
"""Errors from zero at which the size of the source counts as measured."""

_PARALLAX_CHI2 = 11.83
"""Chi-square of two parameters at three errors."""

_LENSES = 8
"""Lenses of the Galaxy for each draw."""

_DETERMINED = 1 / 3
"""Half the interval of the size of parallax over its median: below that it is determined."""


@dataclass(frozen=True)
class Description:
    """What is known of an event by one of its models.

    Parameters
    ----------
    status
        ``mass_measured``, ``theta_e_measured``, ``parallax_measured``, ``prior_only``, or why nothing
        follows: ``not_converged``, ``no_time_scale``, ``not_expected``.
    source, rho, parallax, prior
        The same of the parts: see ``roman.event_physical``.
    blend
        Of the blend in the main element.
    colour
        Elements of the colour, as ``F087-F146``; None without.
    drawn_from
        What parameters and fluxes were drawn from: as of `StoredModel`.
    seed
        Of the random numbers.
    quantities
        The rows.
    motion_method
        How the relative motion was seen from which the Einstein radius follows; None where it was not.
    """

    status: str
    seed: int
    drawn_from: str
    source: str = "not_tried"
    rho: str = "not_tried"
    parallax: str = "not_tried"
    prior: str = "not_tried"
    blend: str = "not_tried"
    colour: str | None = None
    quantities: list[Quantity] = field(default_factory=list)
    motion_method: str | None = None


@dataclass(frozen=True)
class Job:
    """What `describe` is to be asked for: its arguments."""

    model: StoredModel
    place: tuple[float, float]
    extinction: Extinction
    seed: int
    motion: SeenMotion | None = None


@dataclass(frozen=True)
class _Known:
    """Draws of a model, and what can be said of them."""

    model: StoredModel
    draws: Mapping[str, FloatArray]
    source: Source
    rho: str
    parallax: str
    theta_e: FloatArray | None
    seen: Motion | None = None

    @property
    def pi_e(self) -> Motion:
        """Draws of parallax towards north and east."""
        return Motion(self.draws["pi_E_N"], self.draws["pi_E_E"])

    @property
    def size_of_pi_e(self) -> FloatArray:
        """Draws of the size of parallax."""
        return np.asarray(np.hypot(*self.pi_e))


def describe(
    model: StoredModel,
    place: tuple[float, float],
    extinction: Extinction,
    seed: int,
    n: int = N_DRAW,
    motion: SeenMotion | None = None,
) -> Description:
    """Find what follows from a model.

    Parameters
    ----------
    model
        The model.
    place
        Right ascension and declination, degrees ICRS.
    extinction
        Extinction of the cell by optical element; empty where none was fitted.
    seed
        Of the random numbers: the same seed gives the same rows.
    n
        Number of draws.
    motion
        Relative motion that was seen in images: the Einstein radius follows from it if it does not from rho.
    """
    if not model.is_converged:
        return Description("not_converged", seed, model.drawn_from)
    rng = np.random.default_rng(seed)
    draws = draw(model, n, rng)
    if not np.isfinite(draws.get("t_E", np.array([np.nan]))).all():
        return Description("no_time_scale", seed, model.drawn_from)
    earth = velocity_of_earth(model.t_0, *place)
    known = _known(model, draws, source_of(draws, model.elements, extinction, rng))
    if motion is not None and known.theta_e is None:
        known = _with_motion(known, motion.draws(n, rng), earth, rng)
    sight = Sightline(*place)
    rows, blend = _source_rows(known.source), blend_of(model, draws)
    rows += blend.quantities + _lens_rows(known, sight, earth, rng) + _limit_rows(known)
    galactic = expected(_evidence(known, earth), sight, rng, _LENSES * n)
    prior = "done" if galactic.n_effective >= LEAST_EFFECTIVE else "not_expected"
    rows += _prior_rows(known, galactic) if prior == "done" else []
    status = _status(known)
    status = prior if (status, prior) == ("prior_only", "not_expected") else status
    parts = (known.source.status, known.rho, known.parallax, prior, blend.status)
    pair = known.source.pair
    method = motion.method if motion is not None and known.seen is not None else None
    colour = "-".join(pair) if pair else None
    return Description(status, seed, model.drawn_from, *parts, colour, rows, method)


def describe_job(job: Job) -> Description:
    """Describe, in a process of a pool."""
    return describe(job.model, job.place, job.extinction, job.seed, motion=job.motion)


def _known(model: StoredModel, draws: Mapping[str, FloatArray], source: Source) -> _Known:
    """What of size and parallax is measured."""
    rho = size_status(model)
    theta_e = None
    if rho == "measured" and source.theta_star is not None:
        theta_e = source.theta_star / draws["rho"]
    return _Known(model, draws, source, rho, parallax_status(model, draws), theta_e)


def _with_motion(known: _Known, seen: Motion, earth: tuple[float, float], rng: np.random.Generator) -> _Known:
    """The same with the Einstein radius by a motion that was seen; without, if hardly a draw has one."""
    pi_e = known.size_of_pi_e if known.parallax == "measured" else None
    theta_e = einstein_radius(seen, known.draws["t_E"], pi_e, earth, rng)
    good = np.isfinite(theta_e)
    if good.mean() < 0.5:
        return known
    # Draws without are replaced by others: what was drawn together stays together.
    of = np.where(good, np.arange(good.size), rng.choice(np.flatnonzero(good), good.size))
    draws = {name: value[of] for name, value in known.draws.items()}
    star = known.source.theta_star
    source = replace(known.source, theta_star=None if star is None else star[of])
    moving = Motion(seen.north[of], seen.east[of])
    return replace(known, draws=draws, source=source, theta_e=theta_e[of], seen=moving)


def size_status(model: StoredModel) -> str:
    """What a model says of rho: ``measured``, ``upper_limit``, ``undetermined`` or ``not_fitted``."""
    rho, error = model.value.get("rho"), model.error.get("rho", np.nan)
    if rho is None:
        return "not_fitted"
    if not (np.isfinite(rho) and np.isfinite(error) and error > 0) or rho < 0:
        return "undetermined"
    return "measured" if rho > _SIGNIFICANT * error else "upper_limit"


def parallax_status(model: StoredModel, draws: Mapping[str, FloatArray]) -> str:
    """What a model says of parallax: see ``roman.event_physical``.

    Short events have one component of it, along the acceleration of the Earth; then it is certain that there
    is parallax (``partly_measured``), but not how much (Gould, Miralda-Escudé & Bahcall 1994, ApJ 423, L105).
    """
    if not model.has_parallax:
        return "not_fitted"
    value, covariance = _parallax_of(model, draws)
    if not np.isfinite(covariance).all() or np.linalg.det(covariance) <= 0:
        return "undetermined"
    if value @ np.linalg.solve(covariance, value) <= _PARALLAX_CHI2:
        return "consistent_with_zero"
    low, middle, high = np.quantile(np.hypot(draws["pi_E_N"], draws["pi_E_E"]), [0.16, 0.5, 0.84])
    return "measured" if (high - low) / 2 < _DETERMINED * middle else "partly_measured"


def _parallax_of(model: StoredModel, draws: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Parallax and its covariance."""
    value = np.array([model.value["pi_E_N"], model.value["pi_E_E"]])
    return value, np.cov(draws["pi_E_N"], draws["pi_E_E"])


def _status(known: _Known) -> str:
    """What is known of the lens."""
    if known.theta_e is not None:
        return "mass_measured" if known.parallax == "measured" else "theta_e_measured"
    return "parallax_measured" if known.parallax == "measured" else "prior_only"


def _source_rows(source: Source) -> list[Quantity]:
    """Magnitudes, colour and radius of the source."""
    rows = [one for name, draws in source.magnitude.items() for one in interval(f"source_mag_{name}", draws)]
    for name, draws in source.intrinsic.items():
        rows += interval(f"source_mag_0_{name}", draws)
    if source.colour is not None:
        rows += interval("source_colour_0", source.colour)
    return rows + (interval("theta_star", source.theta_star) if source.theta_star is not None else [])


def _lens_rows(
    known: _Known, sight: Sightline, earth: tuple[float, float], rng: np.random.Generator
) -> list[Quantity]:
    """What follows from the light curve without a model of the Galaxy, but for the distance of the source."""
    rows: list[Quantity] = []
    if known.parallax in ("measured", "partly_measured"):
        rows += interval("piE_N", known.pi_e.north) + interval("piE_E", known.pi_e.east)
    if known.parallax == "measured":
        rows += interval("piE", known.size_of_pi_e)
    if known.theta_e is None:
        return rows
    mu = proper_motion(known.theta_e, known.draws["t_E"])
    rows += interval("thetaE", known.theta_e) + interval("mu_rel", mu)
    if known.parallax != "measured":
        return rows + (_motion_rows("mu_rel_hel", known.seen) if known.seen is not None else [])
    size = known.size_of_pi_e
    pi_rel = size * known.theta_e
    motion = Motion(mu * known.pi_e.north / size, mu * known.pi_e.east / size)
    source = sight.source_distance(size.size, rng)
    lens = lens_distance(pi_rel, source)
    rows += interval("pi_rel", pi_rel) + _motion_rows("mu_rel", motion)[1:]
    rows += _motion_rows("mu_rel_hel", heliocentric(motion, pi_rel, earth))
    rows += _mass_rows(known, mass(known.theta_e, size))
    rows += interval("D_S", source, ASSUMED) + interval("D_L", lens)
    if known.model.n_lens > 1:
        a_perp = known.draws["s"] * known.theta_e * lens
        rows += interval("a_perp", a_perp)
        if "ds_dt" in known.draws:
            rate = np.hypot(known.draws["ds_dt"] / known.draws["s"], np.radians(known.draws["dalpha_dt"]))
            rows += interval("bound_ratio", bound_ratio(a_perp, mass(known.theta_e, size), rate))
    return rows


def _motion_rows(name: str, motion: Motion) -> list[Quantity]:
    """A motion and its components."""
    parts = ((name, np.hypot(*motion)), (f"{name}_N", motion.north), (f"{name}_E", motion.east))
    return [one for label, draws in parts for one in interval(label, draws)]


def _mass_rows(known: _Known, total: FloatArray) -> list[Quantity]:
    """The mass of the lens, and those of two."""
    rows = interval("Mtot", total)
    if known.model.n_lens == 1:
        return rows + interval("M1", total)
    first, second = _shares(known.draws["q"])
    return rows + interval("M1", total * first) + interval("M2", total * second)


def _shares(q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Parts of the mass of two lenses."""
    return 1 / (1 + q), q / (1 + q)


def _limit_rows(known: _Known) -> list[Quantity]:
    """What limits on the size of the source, and on parallax, leave of the lens."""
    rows: list[Quantity] = []
    if known.rho == "upper_limit":
        size = _positive(known.model.value["rho"], known.model.error["rho"], known.draws["t_E"].size)
        rows += at_most("rho", size)
        if known.source.theta_star is not None:
            theta_e = known.source.theta_star / size
            rows += at_least("thetaE", theta_e)
            rows += at_least("mu_rel", proper_motion(theta_e, known.draws["t_E"]))
    if known.parallax == "consistent_with_zero":
        size = known.size_of_pi_e
        rows += at_most("piE", size)
        if known.theta_e is not None:
            rows += at_least("Mtot", mass(known.theta_e, size)) + at_most("pi_rel", size * known.theta_e)
    if known.parallax == "partly_measured":
        size = known.size_of_pi_e
        rows += at_least("piE", size)
        if known.theta_e is not None:
            rows += at_most("Mtot", mass(known.theta_e, size)) + at_least("pi_rel", size * known.theta_e)
    return rows


def _positive(value: float, error: float, n: int) -> FloatArray:
    """Quantiles of a Gaussian that does not go below zero, in a random order that is always the same."""
    rng = np.random.default_rng(n)
    drawn = rng.normal(value, error, 4 * n)
    some = drawn[drawn > 0]
    return np.asarray(rng.choice(some, n)) if some.size else np.full(n, np.nan)


def _evidence(known: _Known, earth: tuple[float, float]) -> Evidence:
    """What the Galaxy is asked for."""
    model, theta_star = known.model, known.source.theta_star
    limited = known.rho == "upper_limit" and theta_star is not None
    of = slice(None) if theta_star is None else np.isfinite(theta_star)
    value, covariance = None, None
    if known.parallax in ("measured", "partly_measured", "consistent_with_zero"):
        value, covariance = _parallax_of(model, known.draws)
    return Evidence(
        known.draws["t_E"][of],
        None if known.theta_e is None else known.theta_e[of],
        theta_star[of] if theta_star is not None and limited else None,
        (model.value["rho"], model.error["rho"]) if limited else None,
        value,
        covariance,
        known.parallax == "measured",
        earth,
    )


def _prior_rows(known: _Known, galactic: Expected) -> list[Quantity]:
    """What the Galaxy expects of the lens."""
    named = {"Mtot": galactic.mass, "D_L": galactic.lens, "D_S": galactic.source, "pi_rel": galactic.pi_rel}
    if known.theta_e is None:
        named |= {"thetaE": galactic.theta_e, "mu_rel": galactic.mu}
    if known.model.n_lens == 1:
        named["M1"] = galactic.mass
    else:
        first, second = _shares(np.full(galactic.mass.size, known.model.value["q"]))
        apart = known.model.value["s"] * galactic.theta_e * galactic.lens
        named |= {"M1": galactic.mass * first, "M2": galactic.mass * second, "a_perp": apart}
    return [one for name, draws in named.items() for one in weighted(name, draws, galactic.weight)]
