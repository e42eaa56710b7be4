"""Times of other systems against astropy's light travel times and scales."""

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from loaders.external_light_curve.times import TIME_SYSTEMS, to_bjd_tdb, to_mjd_tdb

RA, DEC = 268.0, -29.3
STAR = SkyCoord(RA, DEC, unit="deg")
CENTRE = EarthLocation.from_geocentric(0, 0, 0, unit="m")
JD = np.linspace(2449000.5, 2461400.5, 40)


def astropy_time(system):
    """The same moments as astropy's time at the Earth, and the numbers that a table of the system has."""
    kind, scale = system.split("_")
    time = Time(JD, format="jd", scale=scale.lower(), location=CENTRE)
    scaled = getattr(time, scale.lower())
    if kind == "MJD":
        return time, scaled.mjd
    if kind == "JD":
        return time, scaled.jd
    frame = "heliocentric" if kind == "HJD" else "barycentric"
    return time, (scaled + time.light_travel_time(STAR, frame)).jd


@pytest.mark.parametrize("system", TIME_SYSTEMS)
def test_all_systems_become_bjd_tdb(system):
    time, given_numbers = astropy_time(system)
    wanted = (time.tdb + time.light_travel_time(STAR, "barycentric")).jd
    np.testing.assert_allclose(to_bjd_tdb(given_numbers, system, RA, DEC), wanted, rtol=0, atol=0.02 / 86400)


def test_the_way_back_is_the_time_at_the_earth():
    time, mjd = astropy_time("MJD_TDB")
    bjd = (time.tdb + time.light_travel_time(STAR, "barycentric")).jd
    np.testing.assert_allclose(to_mjd_tdb(bjd, RA, DEC), mjd, rtol=0, atol=0.02 / 86400)


@given(st.floats(2448000, 2473000), st.floats(0, 360), st.floats(-90, 90), st.sampled_from(TIME_SYSTEMS))
def test_no_system_is_farther_than_light_and_leap_seconds(jd, ra, dec, system):
    number = jd - 2400000.5 if system.startswith("MJD") else jd
    out = to_bjd_tdb(np.array([number]), system, ra, dec)[0]
    assert abs(out - jd) * 86400 < 499.1 * 1.02 + 75 + 4


@pytest.mark.parametrize("system", TIME_SYSTEMS)
def test_what_is_no_time_stays_so(system):
    out = to_bjd_tdb(np.array([np.nan, 5.0, 1e9, np.inf]), system, RA, DEC)
    assert np.isnan(out[0])
    assert not np.any((out > 2447892.5) & (out < 2473459.5))


def test_units_of_the_test_are_days():
    assert (1 * units.day).to_value(units.s) == 86400
