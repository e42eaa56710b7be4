"""Times against astropy, and the fallback to L2 against the mission's own predicted orbits."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import roman_technical_information
from astropy import units as u
from astropy.coordinates import EarthLocation, SkyCoord, get_body_barycentric, get_body_barycentric_posvel
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given
from hypothesis import strategies as st

from loaders.wfi.level2 import read_metadata
from loaders.wfi.times import Observatory, bjd_tdb, light_travel_time, mjd_tdb, mjd_utc, observatory

ORBITS = Path(roman_technical_information.__file__).parent / "data" / "Observatory" / "Orbit"
MOMENT = datetime(2027, 3, 1, 6, 0, 33, 206_000, tzinfo=UTC)
# ERFA knows leap seconds up to five years after its release; astropy warns of later years.
KNOWN_YEARS = st.datetimes(datetime(2020, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@pytest.fixture
def metadata(make_level2):
    return read_metadata(make_level2())


def with_ephemeris(metadata, position, velocity, time):
    names = (
        "spatial_x",
        "spatial_y",
        "spatial_z",
        "velocity_x",
        "velocity_y",
        "velocity_z",
        "ephemeris_time",
    )
    return dataclasses.replace(
        metadata, **dict(zip(names, map(float, [*position, *velocity, time]), strict=True))
    )


def near_l2(moment: datetime) -> tuple[np.ndarray, np.ndarray]:
    """Barycentric position (km) and velocity (km/s) of a body a hundredth farther out than the Earth."""
    position, velocity = get_body_barycentric_posvel("earth", Time(moment))
    return 1.01 * position.xyz.to_value("km"), 1.01 * velocity.xyz.to_value("km/s")


@given(KNOWN_YEARS)
def test_utc_to_tdb_is_that_of_astropy(moment):
    time = Time(moment)
    assert abs(mjd_tdb(moment) - time.tdb.mjd) * 86400 < 2e-6
    assert abs(mjd_utc(moment) - time.mjd) * 86400 < 2e-6


def test_a_time_needs_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        mjd_tdb(datetime(2027, 1, 1))


def test_light_travel_time_is_that_of_astropy():
    """For an observer on the ground; earth rotation is the only table astropy needs, it has its own."""
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))
    with iers.conf.set_temp("auto_download", False):
        time = Time("2024-08-01T03:00:00", location=EarthLocation.from_geodetic(20, -30))
        wanted = time.light_travel_time(SkyCoord(ra, dec, unit="deg")).to_value("s")
        site = time.location.get_gcrs_posvel(time)[0]
    position = (get_body_barycentric("earth", time) + site).xyz.to_value("km")
    got = light_travel_time(Observatory(position, "ephemeris", 0.0), ra, dec)
    assert np.abs(got - wanted).max() < 1e-5


def test_barycentric_date_adds_the_travel_time():
    place = Observatory(np.array([299_792.458 * 60, 0, 0]), "ephemeris", 0.0)
    dates = bjd_tdb(61465.25, place, [0.0, 180.0, 90.0], [0.0, 0.0, 0.0])
    assert np.abs((dates - 2461465.75) * 86400 - [60, -60, 0]).max() < 5e-5


def test_sources_may_be_one_or_many_or_nan():
    place = Observatory(np.array([1.5e8, 0, 0]), "ephemeris", 0.0)
    assert light_travel_time(place, 10.0, 20.0).shape == ()
    assert np.isnan(light_travel_time(place, [np.nan, 1.0], [0.0, np.nan])).all()


def test_ephemeris_is_used_where_it_can_be_true(metadata):
    position, velocity = near_l2(MOMENT)
    place = observatory(with_ephemeris(metadata, position, velocity, mjd_utc(MOMENT)), mjd_tdb(MOMENT))
    assert (place.source, place.note) == ("ephemeris", "")
    assert np.abs(place.position - position).max() < 1
    assert place.error < 1e-6


@pytest.mark.parametrize("hours", [-20, -1, 1, 12, 23])
def test_ephemeris_is_carried_on_within_its_error(metadata, hours):
    then = MOMENT + timedelta(hours=hours)
    given_state = with_ephemeris(metadata, *near_l2(then), mjd_utc(then))
    place = observatory(given_state, mjd_tdb(MOMENT))
    assert place.source == "ephemeris"
    # 1.01 times the Earth's path falls 3 % less than gravity would have it: 30 km after half a day.
    slack = 0.03 * 6e-6 * (hours * 3600) ** 2 / 2 / 299_792.458
    off = np.linalg.norm(place.position - near_l2(MOMENT)[0]) / 299_792.458
    assert off <= place.error + slack + 1e-5
    assert place.error < 1.1e-3


def test_geocentric_ephemeris_of_simulators_is_not_believed(metadata):
    earth, velocity = (
        vector.xyz.to_value(unit)
        for vector, unit in zip(
            get_body_barycentric_posvel("earth", Time(MOMENT)), ("km", "km/s"), strict=True
        )
    )
    place = observatory(with_ephemeris(metadata, earth, velocity, mjd_utc(MOMENT)), mjd_tdb(MOMENT))
    assert place.source == "sun_earth_l2"
    assert "from the Earth" in place.note


@pytest.mark.parametrize(
    ("scale", "days", "words"),
    [(1.3, 0, "au from the barycentre"), (1e-3, 0, "au from the barycentre"), (1.05, 0, "km from the Earth"),
     (-1.0, 0, "km from the Earth"), (1.01, 1.5, "days away")],
)  # fmt: skip
def test_impossible_ephemerides(metadata, scale, days, words):
    position = np.array(get_body_barycentric("earth", Time(MOMENT)).xyz.to_value("km")) * scale
    changed = with_ephemeris(metadata, position, [0, 0, 0], mjd_utc(MOMENT) - days)
    place = observatory(changed, mjd_tdb(MOMENT))
    assert place.source == "sun_earth_l2"
    assert words in place.note


def test_without_ephemeris(metadata):
    place = observatory(metadata, mjd_tdb(MOMENT))
    assert (place.source, place.note) == ("sun_earth_l2", "the file has no ephemeris")


def orbit(path: Path) -> tuple[list[datetime], np.ndarray]:
    """Times and geocentric positions (km, EME2000) of a CCSDS Orbit Ephemeris Message."""
    rows = [line.split() for line in path.read_text().splitlines() if line.startswith("20") and "T" in line]
    times = [datetime.strptime(row[0], "%Y-%jT%H:%M:%S.%f").replace(tzinfo=UTC) for row in rows]
    return times, np.array([row[1:4] for row in rows], dtype=float)


@pytest.mark.parametrize("path", sorted(ORBITS.glob("*.oem")), ids=lambda path: path.stem)
def test_l2_is_within_its_error_of_the_predicted_orbits(metadata, path):
    """From 60 days after launch on, for each of the mission's launch dates."""
    times, geocentric = orbit(path)
    chosen = range(60, len(times), 25)
    assert len(chosen) > 50
    for k in chosen:
        at = mjd_tdb(times[k])
        place = observatory(metadata, at)
        earth = get_body_barycentric("earth", Time(at, format="mjd", scale="tdb")).xyz.to_value("km")
        off = np.linalg.norm(place.position - earth - geocentric[k]) / 299_792.458
        assert off <= place.error
        # An ephemeris of the true position would have been believed.
        assert 5e4 < np.linalg.norm(geocentric[k]) < 0.02 * u.au.to("km")
