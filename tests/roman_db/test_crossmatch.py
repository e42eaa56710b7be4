"""Pairs of places against astropy's search, also at the poles and where right ascension begins anew."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord, search_around_sky

from roman_db.crossmatch import crossmatch

RADIUS = 5.0


@pytest.mark.parametrize(
    ("ra", "dec", "width"),
    [(0.0, 10.0, 0.05), (180.0, 0.0, 0.05), (0.0, 89.999, 180.0), (90.0, -90.0, 180.0)],
)
def test_pairs_are_those_that_astropy_finds(ra, dec, width):
    rng = np.random.default_rng(3)
    shape = (2, 150)
    ra = (ra + rng.uniform(-width, width, shape)) % 360
    dec = np.clip(dec + rng.uniform(-0.02, 0.02, shape), -90, 90)
    first, second = (SkyCoord(ra[row], dec[row], unit="deg") for row in (0, 1))
    i, j, separation, _ = search_around_sky(first, second, RADIUS * u.arcsec)
    found = crossmatch(ra[0], dec[0], ra[1], dec[1], RADIUS)
    wanted = dict(zip(zip(i.tolist(), j.tolist(), strict=True), separation.arcsec, strict=True))
    pairs = zip(found.first.tolist(), found.second.tolist(), strict=True)
    assert dict(zip(pairs, found.separation, strict=True)) == pytest.approx(wanted, abs=1e-8)
    assert len(wanted) > 10


def test_the_nearest_is_the_first_pair_of_each_row():
    dec = np.array([0.0, 1.0, 2.0])
    found = crossmatch(np.zeros(3), dec, np.zeros(4), np.array([2 / 3600, 1 / 3600, 1.0, 1.0]), 3.0)
    assert found.first.tolist() == [0, 0, 1, 1]
    assert found.second.tolist()[:2] == [1, 0]
    nearest = found.nearest()
    assert nearest.first.tolist() == [0, 1]
    assert nearest.second[0] == 1


def test_a_pair_exactly_as_far_as_the_radius_counts():
    found = crossmatch(np.zeros(1), np.zeros(1), np.zeros(1), np.array([1 / 3600]), 1.0)
    assert found.separation == pytest.approx([1.0])


def test_what_is_no_place_is_near_nothing_and_empty_catalogs_have_no_pairs():
    nan, here = np.array([np.nan, 10.0]), np.array([10.0, np.nan])
    assert crossmatch(nan, here, np.array([10.0]), np.array([10.0]), 1.0).first.size == 0
    assert crossmatch(np.zeros(0), np.zeros(0), np.zeros(2), np.zeros(2), 1.0).first.size == 0
    assert crossmatch(np.zeros(2), np.zeros(2), np.zeros(0), np.zeros(0), 1.0).nearest().first.size == 0


@pytest.mark.parametrize(("dec", "radius"), [(91.0, 1.0), (0.0, 0.0), (0.0, np.nan), (0.0, 3601.0)])
def test_nonsense_is_refused(dec, radius):
    with pytest.raises(ValueError, match="must be"):
        crossmatch(np.zeros(1), np.array([dec]), np.zeros(1), np.zeros(1), radius)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(2,\) and \(1,\)"):
        crossmatch(np.zeros(2), np.zeros(1), np.zeros(1), np.zeros(1), 1.0)
