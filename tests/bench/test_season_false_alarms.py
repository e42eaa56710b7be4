"""Constant stars for the count of false alarms, and what is said of the count."""

import numpy as np
import pytest
from scipy.stats import poisson

from bench.season_false_alarms import KINDS, Sky, upper_limit


@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_mean_at_the_limit_gives_so_few_once_in_twenty(count):
    assert poisson.cdf(count, upper_limit(count)) == pytest.approx(0.05)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
def test_a_star_is_the_same_in_any_block_and_scatters_as_its_kind_says(kind):
    sky = Sky(kind)
    several, one = sky.blocks(50, 4), sky.blocks(52, 1)
    for element, block in several.items():
        np.testing.assert_array_equal(block.flux[2], one[element].flux[0])
        good = block.flags == 0
        pull = (block.flux - block.truth[:, None]) / block.error[:, None]
        assert np.median(np.abs(pull[good])) / 0.6745 == pytest.approx(1, abs=0.25)
        assert (np.abs(pull) > 6).any() == (kind != "gaussian")
