"""What keywords of files say of an observation, against astropy's scales of time."""

from __future__ import annotations

import pytest
from astropy.time import Time

from loaders.redshift.observation import UNKNOWN, Observation, observation_of

NOON = Time("2027-03-01T12:00:00", scale="utc").mjd


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ({"MJD-OBS": NOON, "EXPTIME": 8640.0}, NOON, NOON + 0.1),
        ({"DATE-OBS": "2027-03-01T12:00:00", "DATE-END": "2027-03-01T18:00:00Z"}, NOON, NOON + 0.25),
        ({"DATE-OBS": "2027-03-01", "TIME-OBS": "12:00:00"}, NOON, NOON),
        ({"EXPSTART": str(NOON), "EXPEND": NOON + 1}, NOON, NOON + 1),
        ({"MJD-BEG": "", "DATE-BEG": "2027-03-01T12:00:00"}, NOON, NOON),
        ({"MJD-OBS": NOON, "TIMESYS": "TT"}, Time(NOON, format="mjd", scale="tt").utc.mjd, None),
        ({"MJD-OBS": NOON, "TIMESYS": "LOCAL"}, NOON, NOON),
        ({"MJD-OBS": 0.0, "DATE-OBS": "2027-03-01T12:00:00"}, NOON, NOON),
    ],
)
def test_times_are_read(header, start, end):
    found = observation_of(header)
    assert found.start_mjd_utc == pytest.approx(start, abs=1e-9)
    assert found.end_mjd_utc == pytest.approx(start if end is None else end, abs=1e-9)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"MJD-OBS": "soon", "DATE-OBS": "yesterday", "EXPTIME": "long", "TELESCOP": " ", "INSTRUME": None},
        {"MJD-OBS": float("nan"), "EXPTIME": -1},
        {"MJD-BEG": NOON, "MJD-END": NOON - 1},
        {"MJD-END": NOON},
    ],
)
def test_what_is_no_time_is_none(header):
    assert observation_of(header) == UNKNOWN


def test_names_are_read_without_blanks():
    header = {"TELESCOP": "Roman ", "INSTRUME": "WFI", "EXPTIME": "301.5"}
    assert observation_of(header) == Observation("Roman", "WFI", None, None, 301.5)
