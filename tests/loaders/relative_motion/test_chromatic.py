"""Chromatic shifts of simulated pairs: two stars in straight motion, and their light at the mean of both."""

import numpy as np
import pytest

from loaders.relative_motion.chromatic import ColourPoints, chromatic_motion
from loaders.relative_motion.shares import Shares
from tests.loaders.astrometric_solution.sky import SEASONS, observer_at, season_times

T_0 = 2027.4
ELEMENTS = ("F087", "F213", "F146")
FLUX = {"F087": (900.0, 150.0), "F213": (700.0, 900.0), "F146": (1000.0, 450.0)}
SHARE = np.array([FLUX[one][1] / sum(FLUX[one]) for one in ELEMENTS])


def pair_of_stars(rng, motion, seasons=SEASONS, blend=(0.0, 0.0), outliers=0.03, parallaxes=(0.12, 0.12)):
    """Places of the light of source and lens, each on its own path, in all elements."""
    parts = []
    for element, per_season, sigma in ((0, 12, 1.5), (1, 12, 1.5), (2, 60, 0.8)):
        mjd = season_times(seasons, per_season, int(rng.integers(1 << 30)))
        year = 2000 + (mjd - 51544.5) / 365.25
        observer = observer_at(mjd)
        factor = np.column_stack([-observer[:, 0], 0.3 * observer[:, 1]])
        source = np.array([1.0, -2.0]) * (year - T_0)[:, None] + parallaxes[0] * factor
        lens = source + np.asarray(motion) * (year - T_0)[:, None] + (parallaxes[1] - parallaxes[0]) * factor
        a, b = FLUX[ELEMENTS[element]]
        place = (a * source + b * (lens + np.asarray(blend))) / (a + b)
        # Glass and detectors displace colours by constants in each orientation.
        orientation = (factor[:, 0] > 0).astype(int)
        place = place + 0.05 * (element - 1) * np.where(orientation[:, None] > 0, 1, -1)
        place = place + sigma * rng.standard_normal(place.shape)
        bad = rng.random(year.size) < outliers
        place[bad] += 30 * rng.standard_normal((int(bad.sum()), 2))
        season = np.searchsorted(seasons, mjd, side="right")
        error = np.full(place.shape, sigma)
        parts.append((year, factor, np.full(year.size, element), season, orientation, place, error))
    return ColourPoints(*(np.concatenate(some) for some in zip(*parts, strict=True)))


def shares(rng=None, error=0.005):
    """Shares, off by their errors."""
    value = SHARE + (error * rng.standard_normal(3) if rng else 0.0)
    return Shares(ELEMENTS, value, error**2 * np.eye(3))


@pytest.mark.heavy
def test_pulls_of_injected_motions_are_about_one():
    rng = np.random.default_rng(5)
    pulls = []
    for _ in range(250):
        motion = rng.normal(0, 4, 2)
        found = chromatic_motion(pair_of_stars(rng, motion), shares(rng), T_0)
        root = np.linalg.cholesky(np.linalg.inv(found.covariance))
        pulls.append(root.T @ (found.motion - motion))
    pulls = np.array(pulls)
    # Six hundredths are one error of the width of 250 pairs, about.
    assert 0.9 < pulls.std() < 1.1
    assert abs(pulls.mean()) < 3 / np.sqrt(pulls.size)


def test_the_error_of_shares_counts():
    rng = np.random.default_rng(6)
    points = pair_of_stars(rng, (8.0, 0.0))
    sharp, dull = (chromatic_motion(points, shares(error=one), T_0) for one in (1e-6, 0.06))
    np.testing.assert_allclose(sharp.motion, dull.motion)
    # Both elements say 8 mas/yr, with the relative error of a difference of shares.
    more = np.sqrt(dull.covariance[0, 0] - sharp.covariance[0, 0])
    assert 0.05 * 8 < more < 0.5 * 8
    assert dull.covariance[1, 1] < 1.1 * sharp.covariance[1, 1] + 0.1


@pytest.mark.heavy
def test_no_motion_is_said_to_be_none():
    rng = np.random.default_rng(7)
    found = [chromatic_motion(pair_of_stars(rng, (0, 0)), shares(), T_0).status for _ in range(40)]
    assert found.count("consistent_with_zero") >= 37


def test_a_blend_that_was_elsewhere_is_told():
    rng = np.random.default_rng(8)
    found = chromatic_motion(pair_of_stars(rng, (6.0, 0.0), blend=(8.0, 5.0)), shares(), T_0)
    assert found.status == "blend_elsewhere"
    good = chromatic_motion(pair_of_stars(rng, (6.0, 0.0)), shares(), T_0)
    assert good.status == "measured"
    assert good.optical_elements == ELEMENTS
    assert good.n_season == 4


@pytest.mark.parametrize(
    ("seasons", "status"), [(SEASONS[:1], "first_season"), (SEASONS[:2], "first_season"), (SEASONS[:3], None)]
)
def test_it_takes_two_seasons_of_an_orientation(seasons, status):
    found = chromatic_motion(pair_of_stars(np.random.default_rng(9), (6, 0), seasons), shares(), T_0)
    assert (found.status == "first_season") == (status is not None)
    assert (found.motion is None) == (status is not None)


def test_one_element_says_nothing():
    points = pair_of_stars(np.random.default_rng(9), (6, 0))
    found = chromatic_motion(points.take(points.element == 2), shares(), T_0)
    assert (found.status, found.motion) == ("few_epochs", None)
