"""The factor that stars have in common, against the factor that they were given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.photometry.common_scale import common_scale

TRUTH = 1.02
BRIGHT = 3e-4
"""Error of a star that outweighs all others in an inverse-variance mean."""


def ratios(rng, count, scatter=0.0):
    """Ratios of stars that have the true factor in common, and their errors."""
    error = 10 ** rng.uniform(-2.5, -1.1, count)
    return TRUTH + rng.normal(size=count) * np.hypot(error, scatter), error


@given(st.integers(0, 10**6), st.integers(6, 60), st.floats(-1, 1e3))
def test_no_star_moves_it_by_much_more_than_its_error(seed, count, light):
    ratio, error = ratios(np.random.default_rng(seed), count)
    error[0] = BRIGHT
    without = common_scale(ratio[1:], error[1:])
    ratio[0] = TRUTH + light
    found = common_scale(ratio, error)
    assert abs(found.scale - without.scale) < 2 * np.hypot(found.error, without.error)


@pytest.mark.parametrize("change", [0.005, 0.02, 0.3, 20.0])
def test_two_bright_stars_of_many_that_change_alike_are_seen_through(change):
    pulls = []
    for seed in range(50):
        ratio, error = ratios(np.random.default_rng(seed), 40)
        error[:2], ratio[:2] = BRIGHT, TRUTH * (1 + change)
        found = common_scale(ratio, error)
        pulls.append((found.scale - TRUTH) / found.error)
    # By an inverse-variance mean they would be off by tens.
    assert np.sqrt(np.mean(np.square(pulls))) < 2


@pytest.mark.parametrize("scatter", [0.0, 0.01])
@pytest.mark.parametrize("count", [20, 300])
def test_its_error_is_as_claimed_and_near_the_least_there_is(count, scatter):
    rng = np.random.default_rng(5)
    found, least = [], []
    for _ in range(300):
        ratio, error = ratios(rng, count, scatter)
        found.append(common_scale(ratio, error))
        least.append(1 / np.sum(1 / (error**2 + scatter**2)))
    off = np.array([one.scale for one in found]) - TRUTH
    pull = off / np.array([one.error for one in found])
    assert abs(np.mean(pull)) < 0.25
    # Of few stars it is not well known how they scatter.
    assert 0.8 < np.std(pull) < (1.35 if count == 20 else 1.25)
    # No unbiased mean has less (Cramer and Rao).
    assert np.std(off) < 1.25 * np.sqrt(np.mean(least))
    if count == 300:
        assert np.median([one.scatter for one in found]) == pytest.approx(scatter, abs=0.003)


@given(st.integers(0, 10**6), st.integers(3, 30), st.floats(0.5, 2.0))
def test_it_goes_with_the_ratios_and_knows_no_order(seed, count, factor):
    rng = np.random.default_rng(seed)
    ratio, error = ratios(rng, count)
    found, order = common_scale(ratio, error), rng.permutation(count)
    again = common_scale(ratio[order], error[order])
    assert again.scale == pytest.approx(found.scale, abs=1e-9)
    moved = common_scale(ratio + factor, error)
    assert moved.scale == pytest.approx(found.scale + factor, abs=1e-9)
    assert moved.error == pytest.approx(found.error, rel=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_of_fewer_than_three_stars_nothing_is_said(count):
    found = common_scale(np.full(count, 1.3), np.full(count, 1e-3))
    assert (found.scale, found.n_star) == (1.0, count)
    assert np.isnan(found.error)
    assert not found.changed(np.full(count, 1.3), np.full(count, 1e-3)).any()


def test_of_three_stars_the_one_that_changed_is_found():
    ratio, error = np.array([1.3, 1.001, 0.999, np.nan]), np.array([BRIGHT, 3e-3, 3e-3, 1e-3])
    found = common_scale(ratio, error)
    assert found.scale == pytest.approx(1, abs=0.005)
    assert found.n_star == 3
    np.testing.assert_array_equal(found.changed(ratio, error), [True, False, False, False])


def test_stars_that_agree_exactly_need_no_scatter():
    found = common_scale(np.full(4, 0.9), np.full(4, 0.01))
    assert found.scale == pytest.approx(0.9, abs=1e-12)
    assert found.error == pytest.approx(0.005, rel=1e-6)
    assert found.scatter == 0
