"""Events that are injected: drawn evenly over cells of Einstein time, or of separation and mass ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.light_curve_simulation.lenses import Parameters, draw_event
from loaders.light_curve_simulation.schedule import MJD_ZERO
from loaders.light_curve_simulation.stars import Star, draw_blend, draw_star

FloatArray = npt.NDArray[np.float64]

POINT_LENS, PLANET = "point_lens", "planet"
"""Kinds of events."""

TIME_EDGES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Edges of cells of Einstein time, days."""

U_0_EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Edges of cells of the impact parameter."""

S_EDGES = (3.0**-1, 3.0**-0.5, 1.0, 3.0**0.5, 3.0)
Q_EDGES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Edges of cells of planets: separation in Einstein radii, mass ratio."""

PLANET_MAGNITUDE_EDGES = (0.0, 18.0, 20.0, 22.0, 99.0)
"""Edges of cells of planets by the magnitude of the baseline; the outer ones hold all that is beyond."""

_HOST_TIMES = (3.0, 100.0)
"""Einstein times of events with planets, days."""

_LARGEST_PARALLAX, _SHORTEST = 2.0, 1e-3

_BRIGHTEST, _FAINTEST, _NEAR = 15.0, 23.5, 0.3
"""F146 AB magnitudes of stars whose widths are known, and half the width of the range one is drawn from."""


@dataclass(frozen=True)
class Setup:
    """What is drawn: the kind of events, the seed, and how many strata of stars there are."""

    kind: str
    seed: int
    n_stratum: int


def source_fraction(flux: float, rng: np.random.Generator) -> float:
    """Draw the share of an object's light that is magnified.

    A star as bright as the object is put among unrelated stars of the luminosity function of the bulge that
    cannot be told from it (`draw_blend`, within 0.09 arcsec): the share is its part of the sum in F146.

    Parameters
    ----------
    flux
        Flux density of the object in F146, nJy, above zero.
    rng
        Random numbers.
    """
    return flux / (flux + draw_blend(rng)["F146"])


def draw(setup: Setup, number: int, source: tuple[float, FloatArray], rng: np.random.Generator) -> Parameters:
    """Draw the event of a trial.

    Parameters of source and lens are drawn as `draw_event` does; then the Einstein time is replaced at the
    same mass of the lens: for a shorter one the lens is nearer to the source, so that rho and the parallax
    follow it, for a longer one it is slower. Einstein time, s and q are uniform in their logarithms within a
    cell, and the cells take turns after the strata of the stars; u_0 is uniform out to 1, of either sign; t_0
    is uniform over the observed seasons.

    Parameters
    ----------
    setup
        What is drawn.
    number
        Number of the trial.
    source
        AB magnitude of the source in F146, and the first and last moment of each season of its light curve,
        BJD, shape (n, 2).
    rng
        Random numbers.

    Returns
    -------
    dict
        As `draw_event`.
    """
    magnitude, seasons = source
    star = _star(magnitude, rng)
    # A season of one exposure has a length, too.
    spans = tuple((float(a) - MJD_ZERO, float(max(b, a + _SHORTEST)) - MJD_ZERO) for a, b in seasons)
    event = draw_event(setup.kind, star, spans, rng)
    turn = number // setup.n_stratum
    if setup.kind == PLANET:
        t_e = _log_uniform(_HOST_TIMES, rng)
        s_cells, q_cells = len(S_EDGES) - 1, len(Q_EDGES) - 1
        event["s"] = _log_uniform(S_EDGES[turn % s_cells :][:2], rng)
        event["q"] = _log_uniform(Q_EDGES[turn // s_cells % q_cells :][:2], rng)
    else:
        t_e = _log_uniform(TIME_EDGES[turn % (len(TIME_EDGES) - 1) :][:2], rng)
    event["u_0"] = float(rng.uniform(U_0_EDGES[0], U_0_EDGES[-1]) * rng.choice([-1.0, 1.0]))
    return _of_time(event, t_e)


def _of_time(event: Parameters, t_e: float) -> Parameters:
    """The event with another Einstein time: shorter by a smaller Einstein radius, longer by a slower motion.

    The lens keeps its mass. One that is nearer to the source has a smaller radius and parallax, and a larger
    rho; a slower one has those it had.
    """
    smaller = min(t_e / event["t_E"], 1.0)
    out = event | {"t_E": t_e, "rho": event["rho"] / smaller, "theta_E": event["theta_E"] * smaller}
    parallax = np.hypot(event["pi_E_N"], event["pi_E_E"])
    share = min(smaller, _LARGEST_PARALLAX / max(parallax, 1e-12))
    return out | {name: event[name] * share for name in ("pi_E_N", "pi_E_E")}


def _star(magnitude: float, rng: np.random.Generator) -> Star:
    """A star of about a magnitude, with the fluxes of that magnitude: they say how wide it is."""
    middle = float(np.clip(magnitude, _BRIGHTEST + _NEAR, _FAINTEST - _NEAR))
    near = draw_star(rng, middle - _NEAR, middle + _NEAR)
    factor = 10 ** (0.4 * (near.magnitude - magnitude))
    return Star(near.temperature, near.a_v, magnitude, {e: f * factor for e, f in near.flux.items()})


def _log_uniform(edges: tuple[float, ...], rng: np.random.Generator) -> float:
    """Draw from a distribution that is uniform in the logarithm."""
    low, high = edges
    return float(np.clip(np.exp(rng.uniform(np.log(low), np.log(high))), low, np.nextafter(high, low)))
