from __future__ import annotations

import numpy as np
import pytest
from astropy import constants, units
from astropy.coordinates import EarthLocation, SkyCoord, get_body_barycentric
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.simulation.astrometry import Astrometry, observed_position
from loaders.simulation.ephemeris import barycentric_mjd_tdb, observatory_state

MAS = 1 / 3.6e6


def _one(ra: float, dec: float, pmra: float, pmdec: float, parallax: float) -> Astrometry:
    return Astrometry(*(np.array([v]) for v in (ra, dec, pmra, pmdec, parallax)), reference_epoch=2027.0)


@settings(deadline=None)
@given(
    ra=st.floats(0, 359.9),
    dec=st.floats(-80, 80),
    pmra=st.floats(-50, 50),
    pmdec=st.floats(-50, 50),
    years=st.floats(0.1, 10),
)
def test_proper_motion_is_astropys_space_motion(
    ra: float, dec: float, pmra: float, pmdec: float, years: float
) -> None:
    time = Time(2027.0 + years, format="jyear", scale="tdb")
    found = observed_position(_one(ra, dec, pmra, pmdec, 0.0), time)
    rate = units.mas / units.yr
    start = SkyCoord(
        ra * units.deg,
        dec * units.deg,
        pm_ra_cosdec=pmra * rate,
        pm_dec=pmdec * rate,
        distance=0.5 * units.kpc,
        obstime=Time(2027.0, format="jyear", scale="tdb"),
    )
    expected = start.apply_space_motion(new_obstime=time)
    offset = (found[0][0] - expected.ra.deg + 180) % 360 - 180
    # The Roemer delay, which apply_space_motion leaves out, is 9 minutes: 1e-3 mas at 50 mas/yr.
    assert abs(offset) * np.cos(np.radians(dec)) < 2e-3 * MAS
    assert abs(found[1][0] - expected.dec.deg) < 2e-3 * MAS


def test_parallax_is_the_textbook_ellipse() -> None:
    ra, dec, parallax = 268.0, -29.2, 5.0
    a, d = np.radians(ra), np.radians(dec)
    for epoch in (2027.1, 2027.35, 2027.6, 2027.85):
        time = Time(epoch, format="jyear", scale="tdb")
        x, y, z = observatory_state(time).position
        east = parallax * (x * np.sin(a) - y * np.cos(a))
        north = parallax * (x * np.cos(a) * np.sin(d) + y * np.sin(a) * np.sin(d) - z * np.cos(d))
        found = observed_position(_one(ra, dec, 0.0, 0.0, parallax), time)
        assert (found[0][0] - ra) * np.cos(d) / MAS == pytest.approx(east, abs=1e-3)
        assert (found[1][0] - dec) / MAS == pytest.approx(north, abs=1e-3)


def test_observatory_is_beyond_the_earth_on_the_line_from_the_sun() -> None:
    time = Time("2027-03-01T00:00:00")
    earth, sun = (get_body_barycentric(b, time).xyz.to_value(units.au) for b in ("earth", "sun"))
    beyond = observatory_state(time).position - earth
    along = (earth - sun) / np.linalg.norm(earth - sun)
    assert (np.linalg.norm(beyond) * units.au).to_value(units.km) == pytest.approx(1.5e6, rel=0.03)
    np.testing.assert_allclose(np.cross(beyond, along), 0.0, atol=1e-9)


def test_velocity_is_the_derivative_of_the_position() -> None:
    time = Time(61465.0 + np.array([-0.01, 0.0, 0.01]), format="mjd", scale="tdb")
    state = observatory_state(time)
    slope = (state.position[2] - state.position[0]) / 0.02
    np.testing.assert_allclose(state.velocity[1], slope, atol=1e-8)
    assert np.linalg.norm(state.velocity_km_s[1]) == pytest.approx(30.5, abs=1.0)


def test_barycentric_time_is_astropys_moved_from_the_earth_to_l2() -> None:
    time = Time(
        ["2027-03-01T06:00:00", "2027-09-01T06:00:00"],
        location=EarthLocation.from_geocentric(0, 0, 0, unit="m"),
    )
    star = SkyCoord(268.0, -29.2, unit="deg")
    at_earth = (time.tdb + time.light_travel_time(star)).mjd
    earth = get_body_barycentric("earth", time).xyz.to_value(units.au).T
    beyond = observatory_state(time).position - earth
    direction = star.cartesian.xyz.value
    extra = (beyond @ direction * units.au / constants.c).to_value(units.day)
    found = barycentric_mjd_tdb(time, 268.0, -29.2)
    np.testing.assert_allclose((found - at_earth - extra) * 86400, 0.0, atol=2e-3)
