"""Orbits of lenses and of sources with companions, drawn, and where they are at any time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.lens.orbit import YEAR, Circle

FloatArray = npt.NDArray[np.float64]
Parameters = dict[str, float]

SOURCE_DISTANCE = 8.0
"""Distance of the sources, kpc."""

_SOURCE_MASS = 1.0
"""Mass of the sources, solar masses."""

_PERIODS = (5.0, 1000.0)
"""Shortest and longest periods of sources, days: what an event shows."""

_MIDDLE_PERIOD, _SCATTER = 5.03, 2.28
"""Mean and standard deviation of lg of the periods (days) of stars (Raghavan et al. 2010, ApJS 190, 1)."""


def orbit_of_lenses(event: Parameters, rng: np.random.Generator) -> Parameters:
    """Draw the circular orbit of two lenses that are as far from each other as the event has it at t_0.

    Its plane and the place of the lenses on it are random (uniform cosine of the inclination, uniform phase;
    Dominik 1998, A&A 329, 361). What is seen of the separation is s θ_E D_L, and Kepler's third law gives the
    period of the mass of the lens.

    Parameters
    ----------
    event
        s, theta_E (mas), pi_E_N, pi_E_E and lens_mass (solar masses).
    rng
        Random numbers.

    Returns
    -------
    dict
        t_0_kep (BJD), ds_dt (1/yr) and dalpha_dt (deg/yr) then, and of the orbit: orbit_period (d),
        orbit_inclination and orbit_phase (deg, from the node to the second lens).
    """
    parallax = float(np.hypot(event["pi_E_N"], event["pi_E_E"])) * event["theta_E"]
    distance = 1 / (parallax + 1 / SOURCE_DISTANCE)
    cosine, phase = float(rng.uniform(-1, 1)), float(rng.uniform(0, 2 * np.pi))
    axis = event["s"] * event["theta_E"] * distance / float(np.hypot(np.cos(phase), np.sin(phase) * cosine))
    period = YEAR * float(np.sqrt(axis**3 / event["lens_mass"]))
    turn = 2 * np.pi * YEAR / period
    # With f = cos² φ + sin² φ cos² i: s = a √f, and its angle from the node grows by cos i / f.
    flat = np.cos(phase) ** 2 + np.sin(phase) ** 2 * cosine**2
    return {
        "t_0_kep": event["t_0"],
        "ds_dt": float(event["s"] * turn * (cosine**2 - 1) * np.sin(phase) * np.cos(phase) / flat),
        "dalpha_dt": float(np.degrees(turn * cosine / flat)),
        "orbit_period": period,
        "orbit_inclination": float(np.degrees(np.arccos(cosine))),
        "orbit_phase": float(np.degrees(phase)),
    }


def lenses_at(event: Parameters, bjd: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Separation (Einstein radii) and alpha (degrees) of lenses on their orbit at times of shape (n,)."""
    cosine = float(np.cos(np.radians(event["orbit_inclination"])))
    first = float(np.radians(event["orbit_phase"]))
    angle = first + 2 * np.pi * (bjd - event["t_0_kep"]) / event["orbit_period"]
    place, begin = (np.cos(one) + 1j * np.sin(one) * cosine for one in (angle, first))
    ratio = place / begin
    return event["s"] * np.abs(ratio), event["alpha"] + np.degrees(np.angle(ratio))


def circling_source(event: Parameters, rng: np.random.Generator) -> Parameters:
    """Draw the circular orbit of a source about a dark companion.

    Periods are log-normal (Raghavan et al. 2010) between limits, mass ratios uniform from 0.1 to 1, planes
    random; the source has one solar mass and is at 8 kpc.

    Parameters
    ----------
    event
        t_0 and theta_E (mas).
    rng
        Random numbers.

    Returns
    -------
    dict
        t_0_xi (BJD), and the elements by the names of MulensModel: days, Einstein radii, degrees.
    """
    low, high = np.log10(_PERIODS)
    period = 0.0
    while not low < period < high:
        period = float(rng.normal(_MIDDLE_PERIOD, _SCATTER))
    ratio = float(rng.uniform(0.1, 1.0))
    years = 10**period / YEAR
    axis = (_SOURCE_MASS * (1 + ratio) * years**2) ** (1 / 3) * ratio / (1 + ratio)
    return {
        "t_0_xi": event["t_0"],
        "xi_period": 10**period,
        "xi_semimajor_axis": axis / (SOURCE_DISTANCE * event["theta_E"]),
        "xi_Omega_node": float(rng.uniform(0, 360)),
        "xi_inclination": float(np.degrees(np.arccos(rng.uniform(-1, 1)))),
        "xi_argument_of_latitude_reference": float(rng.uniform(0, 360)),
    }


def source_shifts(event: Parameters, bjd: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What a companion adds to τ and β of the source at times of shape (n,)."""
    angles = ("xi_Omega_node", "xi_inclination", "xi_argument_of_latitude_reference")
    radians = [float(np.radians(event[name])) for name in angles]
    circle = Circle(event["xi_period"], event["xi_semimajor_axis"], *radians)
    return circle.shifts(bjd, event["t_0_xi"])
