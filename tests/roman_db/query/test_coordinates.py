"""Positions in base sixty, read back by astropy."""

import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from roman_db.query.coordinates import sexagesimal


@given(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
def test_astropy_reads_the_same_position(ra, dec):
    read = SkyCoord(sexagesimal(ra, dec))
    assert abs((read.ra.deg - ra + 180) % 360 - 180) <= 0.0051 * 15 / 3600
    assert abs(read.dec.deg - dec) <= 0.051 / 3600


@pytest.mark.parametrize(
    ("ra", "dec", "text"),
    [
        (0, 0, "00h00m00.00s +00d00m00.0s"),
        (359.99999999, -0.00001, "00h00m00.00s -00d00m00.0s"),
        (15 * (1 + 1 / 60) - 1e-9, 10 - 1e-9, "01h01m00.00s +10d00m00.0s"),
        (267.533564, -30.01758, "17h50m08.06s -30d01m03.3s"),
    ],
)
def test_rounding_carries_over(ra, dec, text):
    assert sexagesimal(ra, dec) == text
