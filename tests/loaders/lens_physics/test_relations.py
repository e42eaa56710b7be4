"""Masses, distances and motions, against astropy's units and ephemeris."""

import numpy as np
import pytest
from astropy import constants, units
from astropy.coordinates import SkyCoord, get_body_barycentric_posvel
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from loaders.lens_physics import relations
from loaders.lens_physics.relations import Motion, heliocentric, lens_distance, mass, proper_motion

positive = st.floats(1e-3, 1e3)


def test_kappa_is_that_of_the_literature():
    assert abs(relations.KAPPA - 8.144) < 5e-4
    assert abs(relations.SPEED - 4.7405) < 1e-4


def test_an_einstein_ring_has_its_mass_by_the_deflection_of_light():
    """θ_E² = 4 G M / c² · (1 / D_L - 1 / D_S), all in SI."""
    lens, source, heavy = 5.0 * units.kpc, 8.0 * units.kpc, 0.7 * units.M_sun
    ring = (
        np.sqrt(4 * constants.G * heavy / constants.c**2 * (1 / lens - 1 / source)).to_value(units.one)
        * units.rad
    )
    pi_rel = ((constants.au / lens - constants.au / source).to_value(units.one) * units.rad).to_value(
        units.mas
    )
    theta_e = ring.to_value(units.mas)
    assert mass(theta_e, pi_rel / theta_e) == pytest.approx(0.7, rel=1e-6)
    assert lens_distance(pi_rel, 8.0) == pytest.approx(5.0, rel=1e-6)


def test_motions_are_in_milliarcseconds_a_year():
    expected = (0.5 * units.mas / (20 * units.day)).to_value(units.mas / units.yr)
    assert proper_motion(np.array(0.5), np.array(20.0)) == pytest.approx(expected)


@given(theta=positive, pi_e=positive, factor=positive)
def test_scaling(theta, pi_e, factor):
    assert mass(factor * theta, pi_e) == pytest.approx(factor * mass(theta, pi_e))
    assert mass(theta, factor * pi_e) == pytest.approx(mass(theta, pi_e) / factor)
    assert lens_distance(np.array(theta / factor), factor) == pytest.approx(
        factor * lens_distance(np.array(theta), 1.0)
    )
    assert lens_distance(np.array(theta), factor) < factor


@pytest.mark.parametrize("time", [2_461_450.0, 2_461_600.0, 2_461_950.5])
def test_the_earth_moves_as_astropy_has_it(time):
    """To the Sun's own motion about the barycentre."""
    place = SkyCoord(267.8, -29.5, unit="deg")
    velocity = get_body_barycentric_posvel("earth", Time(time, format="jd", scale="tdb"), "builtin")[1]
    away, a_year = place.skyoffset_frame(), units.au / units.yr
    north = (velocity.xyz @ _axis(away, 0.0, 90.0)).to_value(a_year)
    east = (velocity.xyz @ _axis(away, 90.0, 0.0)).to_value(a_year)
    assert relations.velocity_of_earth(time, 267.8, -29.5) == pytest.approx((north, east), abs=1e-3)


def _axis(frame, longitude, latitude):
    return SkyCoord(longitude, latitude, unit="deg", frame=frame).icrs.cartesian.xyz.value


def test_the_sun_sees_the_motion_of_the_earth_added():
    motion = heliocentric(Motion(np.array([5.0]), np.array([0.0])), np.array([0.1]), (2.0, 6.0))
    assert motion.north == pytest.approx(5.2)
    assert motion.east == pytest.approx(0.6)


def test_lenses_on_a_circle_are_bound_by_half():
    """Face on, kinetic is half of potential energy; a = 2 AU, M = 0.5: P² = a³ / M."""
    a_perp, total = np.array([2.0]), np.array([0.5])
    rate = 2 * np.pi / np.sqrt(a_perp**3 / total)
    assert relations.bound_ratio(a_perp, total, rate) == pytest.approx(0.5)
