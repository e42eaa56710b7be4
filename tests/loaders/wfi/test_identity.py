from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.wfi.identity import (
    detector_number,
    exposure_id,
    exposure_start_and_detector,
)

moments = st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
detectors = st.integers(1, 18)


def test_known_value():
    # 2027-03-01T06:00:00: 2,616 days and 6 hours after 2020-01-01.
    assert exposure_id(datetime(2027, 3, 1, 6, tzinfo=UTC), 7) == (2616 * 86_400_000 + 21_600_000) * 32 + 7


@given(moments, detectors)
def test_inverse(start, number):
    identifier = exposure_id(start, number)
    back, same = exposure_start_and_detector(identifier)
    assert same == number
    assert abs(back - start) <= timedelta(microseconds=500)
    assert exposure_id(back, number) == identifier
    assert 0 <= identifier < 2**63


@given(moments, moments, detectors, detectors)
def test_ascends_with_time_and_is_unique(first, second, one, other):
    a, b = exposure_id(first, one), exposure_id(second, other)
    if second - first >= timedelta(milliseconds=1):
        assert a < b
    if first == second:
        assert (a == b) == (one == other)


@given(moments, st.integers(-12, 14), detectors)
def test_time_zone_does_not_matter(start, hours, number):
    assert exposure_id(start, number) == exposure_id(
        start.astimezone(timezone(timedelta(hours=hours))), number
    )


@pytest.mark.parametrize(
    ("start", "number", "word"),
    [
        (datetime(2027, 1, 1, tzinfo=UTC), 0, "detector_number"),
        (datetime(2027, 1, 1, tzinfo=UTC), 32, "detector_number"),
        (datetime(2027, 1, 1), 1, "time zone"),
        (datetime(2019, 12, 31, tzinfo=UTC), 1, "2020"),
    ],
)
def test_what_cannot_be_numbered(start, number, word):
    with pytest.raises(ValueError, match=word):
        exposure_id(start, number)


def test_detector_names():
    assert [detector_number(f"WFI{n:02d}") for n in range(1, 19)] == list(range(1, 19))
    for name in ("WFI7", "wfi07", "CGI01", "WFI", "WFI²1"):
        with pytest.raises(ValueError, match="WFI and two digits"):
            detector_number(name)
