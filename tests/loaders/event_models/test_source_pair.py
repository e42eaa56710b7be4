"""Two sources are the less believed the more unlike they are."""

import numpy as np
import pytest

from loaders.event_models.source_pair import unlikeness

BRIGHT = np.array([100.0, 500.0, 600.0])
KNOWN = np.full((3, 2), 0.01)


def pair(ratio):
    return np.column_stack([BRIGHT, BRIGHT * ratio])


def test_a_companion_of_a_tenth_of_the_light_costs_nothing():
    assert unlikeness(pair(0.3), KNOWN) == pytest.approx(0)
    assert unlikeness(pair(0.1), KNOWN) == pytest.approx(0)


def test_the_chance_goes_with_the_ratio():
    """A tenth of the chance is 2 ln 10 of chi-square; which of them is the first does not matter."""
    costs = [unlikeness(pair(ratio), KNOWN) for ratio in (0.05, 0.005, 200.0)]
    assert costs[1] - costs[0] == pytest.approx(2 * np.log(10))
    assert costs[2] == pytest.approx(costs[1])


def test_colours_count_as_far_as_they_are_known():
    """Half a magnitude is one standard deviation, errors added in quadrature; an odd pair counts 9."""
    ratio = np.array([0.2 * (1 + 0.2 * np.log(10)), 0.2, 0.2])
    assert unlikeness(pair(ratio), 1e-6 * KNOWN) == pytest.approx(1)
    errors = KNOWN.copy()
    errors[0, 1] = BRIGHT[0] * 0.2 * 0.2 * np.log(10)
    assert unlikeness(pair(ratio), errors) == pytest.approx(0.5, abs=1e-3)
    assert unlikeness(pair(np.array([2.0, 0.2, 0.2])), KNOWN) == pytest.approx(9)
    assert unlikeness(pair(ratio), np.full((3, 2), np.nan)) == pytest.approx(0)


@pytest.mark.parametrize("faint", [0.0, -5.0])
def test_no_light_at_all_is_as_little_as_can_be_told(faint):
    flux = np.column_stack([BRIGHT, np.full(3, faint)])
    assert unlikeness(flux, 100 * KNOWN) >= 2 * np.log(1000)
    assert np.isfinite(unlikeness(flux, KNOWN))


def test_the_element_that_is_known_best_is_what_others_are_held_against():
    """The companion of a tenth of the light is seen in the second; what the first has is noise."""
    flux = np.array([[100.0, 40.0], [500.0, 50.0]])
    errors = np.array([[10.0, 40.0], [0.1, 0.1]])
    assert unlikeness(flux, errors) == pytest.approx(0.3**2 / 0.4**2, rel=0.05)
