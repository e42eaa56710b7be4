"""Masses, distances and motions of lenses by their angular Einstein radius and microlensing parallax.

All after Gould (2000, ApJ 542, 785; 2004, ApJ 606, 319): θ_E = θ* / ρ, μ = θ_E / t_E, π_rel = π_E θ_E,
M = θ_E / (κ π_E) with κ = 4 G / (c² au).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from astropy import constants, units

from loaders.lens.parallax import projected_velocity

FloatArray = npt.NDArray[np.float64]

KAPPA = float(
    (4 * constants.G * constants.M_sun / (constants.c**2 * constants.au)).to_value(
        units.mas, equivalencies=units.dimensionless_angles()
    )
)
"""4 G / (c² au), mas per solar mass: 8.144."""

DAYS_OF_YEAR = 365.25

SPEED = float((units.mas / units.yr * units.kpc).to(units.km / units.s, 1.0, units.dimensionless_angles()))
"""km/s of 1 mas/yr at 1 kpc: 4.74."""


class Motion(NamedTuple):
    """Components of a proper motion towards north and east, mas/yr."""

    north: FloatArray
    east: FloatArray


def proper_motion(theta_e: FloatArray, t_e: FloatArray) -> FloatArray:
    """Proper motion of lens and source, mas/yr, of the Einstein radius (mas) and time (days); any shape."""
    return np.asarray(theta_e / t_e * DAYS_OF_YEAR)


def mass(theta_e: FloatArray, pi_e: FloatArray) -> FloatArray:
    """Mass of the lens, solar masses, of the Einstein radius (mas) and parallax; any shape."""
    return np.asarray(theta_e / (KAPPA * pi_e))


def bound_ratio(a_perp: FloatArray, total: FloatArray, rate: FloatArray) -> FloatArray:
    """Kinetic over potential energy of two lenses, of what is seen of them on the sky; any shape.

    Below one where they are bound (An et al. 2002, ApJ 572, 521; Dong et al. 2009, ApJ 695, 970): what is not
    seen of the separation makes the potential energy smaller, and of the velocity the kinetic larger.

    Parameters
    ----------
    a_perp
        Projected separation, AU.
    total
        Mass of both, solar masses.
    rate
        Projected velocity over projected separation, 1/yr.
    """
    return np.asarray(a_perp**3 * rate**2 / (8 * np.pi**2 * total))


def lens_distance(pi_rel: FloatArray, source_distance: FloatArray) -> FloatArray:
    """Distance of the lens, kpc, of the relative parallax (mas) and distance of the source (kpc)."""
    return np.asarray(1 / (pi_rel + 1 / source_distance))


def heliocentric(geocentric: Motion, pi_rel: FloatArray, earth: tuple[float, float]) -> Motion:
    """The motion that a body at rest with the Sun sees (Gould 2004).

    Parameters
    ----------
    geocentric
        The motion in the frame of the Earth at the reference time, mas/yr.
    pi_rel
        Relative parallax, mas, shape as the motion's.
    earth
        Velocity of the Earth at that time towards north and east, au/yr (`velocity_of_earth`).
    """
    return Motion(geocentric.north + earth[0] * pi_rel, geocentric.east + earth[1] * pi_rel)


def velocity_of_earth(time: float, ra: float, dec: float) -> tuple[float, float]:
    """Velocity of the Earth towards north and east of a place (degrees ICRS), au/yr, at a BJD (TDB)."""
    north, east = projected_velocity(time, ra, dec)
    return north * DAYS_OF_YEAR, east * DAYS_OF_YEAR
