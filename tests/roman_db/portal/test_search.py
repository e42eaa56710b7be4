"""What is typed into the search box."""

import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from roman_db.portal.search import (
    RADIUS,
    Circle,
    EventNumber,
    Name,
    NotUnderstood,
    ObjectNumber,
    Polygon,
    read_search,
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2028661698980301345", ObjectNumber(2028661698980301345)),
        (" object 12 ", ObjectNumber(12)),
        ("event 12", EventNumber(12)),
        ("Event #7", EventNumber(7)),
        ("268.0 -29.2", Circle(268.0, -29.2, RADIUS)),
        ("268.0, -29.2, 10", Circle(268.0, -29.2, 10.0)),
        ("360 -90 r=1.5", Circle(0.0, -90.0, 1.5)),
        ("CIRCLE 268 -29 0.01", Circle(268.0, -29.0, 36.0)),
        ("circle(268, -29, 0.01)", Circle(268.0, -29.0, 36.0)),
        ("POLYGON ICRS 1 2 3 2 3 4", Polygon((1.0, 2.0, 3.0, 2.0, 3.0, 4.0))),
        ("BOX 10 0 2 1", Polygon((9.0, -0.5, 11.0, -0.5, 11.0, 0.5, 9.0, 0.5))),
        ("BOX 0 0 2 1", Polygon((359.0, -0.5, 1.0, -0.5, 1.0, 0.5, 359.0, 0.5))),
        ("sim-20270301-000002", Name("sim-20270301-000002")),
        ("99999999999999999999", Name("99999999999999999999")),
    ],
)
def test_what_is_wanted(text, wanted):
    assert read_search(text) == wanted


@given(ra=st.floats(0, 359.9), dec=st.floats(-89.9, 89.9), style=st.sampled_from(["hmsdms", ":", " "]))
def test_sexagesimal_positions_are_those_of_astropy(ra, dec, style):
    place = SkyCoord(ra, dec, unit="deg")
    words = {"sep": style} if style != "hmsdms" else {}
    text = place.to_string("hmsdms", precision=4, **words)
    found = read_search(f"{text} r=3")
    assert isinstance(found, Circle)
    assert found.radius == 3.0
    assert place.separation(SkyCoord(found.ra, found.dec, unit="deg")).arcsec < 0.01


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Type an identifier"),
        ("400 10", "from 0 to 360"),
        ("10 95", "-90 to 90"),
        ("10 10 r=4000", "at most 3600"),
        ("CIRCLE 1 2", "CIRCLE ra dec radius"),
        ("POLYGON 1 2 3 4", "got 4 numbers"),
        ("POLYGON 1 2 3 4 5 six", "numbers alone"),
        ("BOX 10 89.9 1 1", "within the sky"),
        ("25:00:00 -29:70:00", "is no position"),
    ],
)
def test_what_cannot_be_is_said(text, said):
    with pytest.raises(NotUnderstood, match=said):
        read_search(text)


@given(st.text(max_size=60))
def test_anything_typed_is_read_or_refused(text):
    try:
        assert read_search(text) is not None
    except NotUnderstood as error:
        assert str(error)  # noqa: PT017
