"""Parameters of microlensing events, drawn from published distributions, named as MulensModel names them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.light_curve_simulation.orbits import circling_source, orbit_of_lenses
from loaders.light_curve_simulation.schedule import MJD_ZERO
from loaders.light_curve_simulation.stars import Star

FloatArray = npt.NDArray[np.float64]
Parameters = dict[str, float]

#: Classes stand in an order in which the shares of the usual mix let the others be as they were before there
#: were lenses and sources that move.
EVENTS = (
    "point_lens",
    "finite_source",
    "parallax",
    "xallarap",
    "planet",
    "binary_lens",
    "orbiting_lens",
    "binary_source",
    "free_floating",
    "repeating_lens",
)
"""Classes of events."""

_KAPPA = 8.144
"""4 G / (c² au), mas per solar mass (Gould 2000, ApJ 542, 785)."""

_LONG = ("parallax", "xallarap", "orbiting_lens")
"""Classes of events that last long, so that what moves is seen."""

_SECOND = ("t_0", "t_0_par", "u_0", "t_E", "rho", "pi_E_N", "pi_E_E", "theta_E", "lens_mass")
"""Parameters that each lens of a source that is lensed twice has of its own."""

_SEPARATE, _PAIRS = 5.0, 64
"""Longer Einstein times that the two are apart, and pairs that are drawn until they are."""

_DARKNESS = 0.25
"""Scatter of how dark limbs are: of coefficients in H of stars of 3500 to 6500 K."""

USUAL_LIMBS = {"limb_darkness": 1.0}
"""Of events whose limbs are those of the table, as injected ones are, of which no factor is stored."""

_BREAK = 1.7e-4
"""Mass ratio at which the numbers of planets turn over (Suzuki et al. 2016, ApJ 833, 145)."""


def draw_event(
    kind: str, source: Star, seasons: tuple[tuple[float, float], ...], rng: np.random.Generator
) -> Parameters:
    """Draw the parameters of an event.

    ======================  ===========================================================================
    t_E                     log-normal about 20 days, 0.4 dex (Mróz et al. 2019, ApJS 244, 29, towards the
                            Roman fields); 60 days for the classes parallax, xallarap and orbiting_lens;
                            of free-floating planets log-uniform from 0.05 to 2 days (Johnson et al. 2020,
                            AJ 160, 123)
    u_0                     uniform
    relative proper motion  log-normal about 6 mas/yr, 0.2 dex; it makes θ_E from t_E (Penny et al. 2019,
                            ApJS 241, 3), and rho = θ_* / θ_E
    mass of the lens        log-normal about 0.35 solar masses, 0.35 dex; it makes the parallax θ_E / (κ M)
    q of planets            dN / dlog q ~ q^-0.93 above 1.7e-4, q^0.6 below (Suzuki et al. 2016), from 1e-6
                            to 0.03
    s                       log-uniform, of planets from 0.3 to 3, of binaries from 0.2 to 5
    q of binaries           log-uniform from 0.03 to 1; of orbiting lenses from 0.001
    orbits                  `loaders.light_curve_simulation.orbits`
    alpha                   uniform, degrees
    t_0                     uniform over the seasons
    limb darkening          linear, as `loaders.event_models.limb` has it of each element, times a factor of
                            1 ± 0.25 that is the same in all: sources are of different temperatures
    second lenses           of repeating_lens: all as of the first, but five of the longer Einstein times away
    ======================  ===========================================================================

    The parallax is in the frame of the observer (`loaders.lens.parallax`), t_0_par being t_0.

    Parameters
    ----------
    kind
        One of `EVENTS`.
    source
        Says how wide the source is.
    seasons
        First and last moment of each, MJD.
    rng
        Random numbers.

    Returns
    -------
    dict
        t_0 and t_0_par (BJD), u_0, t_E (days), rho, pi_E_N, pi_E_E, theta_E (mas), lens_mass (solar masses),
        limb_darkness (the factor), and, by class, s, q and alpha, t_0_2 and u_0_2, all but the factor once
        more with ``_2``, or what `orbit_of_lenses` and `circling_source` give.
    """
    if kind == "repeating_lens":
        return _two_events(source, seasons, rng)
    t_e = _time_scale(kind, rng)
    proper_motion = 6.0 * 10 ** (0.2 * rng.standard_normal())
    theta_e = proper_motion * t_e / 365.25
    rho = source.angular_radius / theta_e
    t_0 = _moment(seasons, rng)
    event = {"t_0": t_0, "t_0_par": t_0, "t_E": t_e, "u_0": _impact(kind, rho, rng), "rho": rho}
    event |= _parallax(kind, theta_e, rng)
    # From a stream of its own: events are those that they were before sources had limbs.
    (own,) = rng.spawn(1)
    event["limb_darkness"] = float(np.clip(1.0 + _DARKNESS * own.standard_normal(), 0.0, 1.75))
    if kind in ("planet", "binary_lens", "orbiting_lens"):
        event |= _companion(kind, rng)
    if kind == "orbiting_lens":
        event |= orbit_of_lenses(event, rng)
    if kind == "xallarap":
        event |= circling_source(event, rng)
    if kind == "binary_source":
        event["t_0_2"] = t_0 + t_e * float(rng.uniform(-2.0, 2.0))
        event["u_0_2"] = float(rng.uniform(-0.8, 0.8))
    return event


def _two_events(
    source: Star, seasons: tuple[tuple[float, float], ...], rng: np.random.Generator
) -> Parameters:
    """Two lenses that pass one source one after the other; the most separate of some pairs if none is."""
    pairs: list[tuple[float, Parameters]] = []
    for _ in range(_PAIRS):
        first, second = (draw_event("point_lens", source, seasons, rng) for _ in range(2))
        apart = abs(first["t_0"] - second["t_0"]) / max(first["t_E"], second["t_E"])
        pairs.append((apart, first | {f"{name}_2": second[name] for name in _SECOND}))
        if apart > _SEPARATE:
            break
    return max(pairs, key=lambda pair: pair[0])[1]


def second_event(event: Parameters) -> Parameters:
    """The second event of a source that is lensed twice, named as the first is."""
    return event | {name: event[f"{name}_2"] for name in _SECOND}


def planet_mass_ratio(quantile: npt.ArrayLike, low: float = 1e-6, high: float = 0.03) -> FloatArray:
    """Mass ratios at quantiles (0 to 1) of the broken power law of Suzuki et al. (2016), between limits."""
    # Integrals of q^slope dlog q: (q/b)^slope / slope on either side of the break b.
    below, above = 0.6, -0.93
    left = (1 - (low / _BREAK) ** below) / below
    right = ((high / _BREAK) ** above - 1) / above
    x = np.asarray(quantile) * (left + right)
    small = (np.maximum(1 + below * (np.minimum(x, left) - left), 0)) ** (1 / below)
    large = (1 + above * np.maximum(x - left, 0)) ** (1 / above)
    return np.asarray(_BREAK * np.where(x < left, small, large))


def _time_scale(kind: str, rng: np.random.Generator) -> float:
    """Einstein time, days."""
    if kind == "free_floating":
        return float(np.exp(rng.uniform(np.log(0.05), np.log(2.0))))
    middle = 60.0 if kind in _LONG else 20.0
    return float(np.clip(middle * 10 ** (0.4 * rng.standard_normal()), 1.0, 500.0))


def _impact(kind: str, rho: float, rng: np.random.Generator) -> float:
    """u_0, of either sign, within what makes the class what it is."""
    widest = {"finite_source": rho, "free_floating": max(1.0, 1.5 * rho), "planet": 0.6}.get(kind, 1.0)
    return float(rng.uniform(-widest, widest))


def _moment(seasons: tuple[tuple[float, float], ...], rng: np.random.Generator) -> float:
    """A time within the seasons, BJD to a tenth of an hour."""
    first, last = np.array(seasons).T
    end = np.cumsum(last - first)
    x = rng.uniform(0, end[-1])
    k = int(np.searchsorted(end, x, side="right"))
    return float(MJD_ZERO + last[k] - (end[k] - x))


def _parallax(kind: str, theta_e: float, rng: np.random.Generator) -> Parameters:
    """Parallax from the mass of the lens, in any direction; none for free-floating planets."""
    if kind == "free_floating":
        return {"pi_E_N": 0.0, "pi_E_E": 0.0, "theta_E": theta_e}
    mass = float(np.clip(0.35 * 10 ** (0.35 * rng.standard_normal()), 0.02, 10.0))
    pi_e, angle = min(theta_e / (_KAPPA * mass), 2.0), float(rng.uniform(0, 2 * np.pi))
    return {
        "pi_E_N": pi_e * float(np.cos(angle)),
        "pi_E_E": pi_e * float(np.sin(angle)),
        "theta_E": theta_e,
        "lens_mass": theta_e / (_KAPPA * pi_e),
    }


def _companion(kind: str, rng: np.random.Generator) -> Parameters:
    """Second lens."""
    if kind == "planet":
        q = float(planet_mass_ratio(rng.uniform()))
        s = float(np.exp(rng.uniform(np.log(0.3), np.log(3.0))))
    else:
        q = float(np.exp(rng.uniform(np.log(0.001 if kind == "orbiting_lens" else 0.03), 0.0)))
        s = float(np.exp(rng.uniform(np.log(0.2), np.log(5.0))))
    return {"s": s, "q": q, "alpha": float(rng.uniform(0, 360))}
