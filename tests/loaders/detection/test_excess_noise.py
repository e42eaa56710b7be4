"""The noise that a map of significance has, against noise that is made."""

import numpy as np
import pytest

from loaders.detection.significance import excess_noise

SHAPE = (64, 96)
SEEN = np.ones(SHAPE, dtype=bool)


def noise(seed=1):
    return np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)


def test_noise_as_it_should_be_counts_once():
    assert np.all(excess_noise(noise(), SEEN, 12) == 1)


def test_rough_parts_are_found_where_they_are():
    rough = noise()
    rough[:24, :24] *= 4
    excess = excess_noise(rough, SEEN, 12)
    assert excess.shape == SHAPE
    assert np.median(excess[:12, :12]) == pytest.approx(4, rel=0.15)
    assert np.all(excess[36:, 36:] == 1)


def test_stars_do_not_make_noise():
    starry = np.abs(noise()) * 50 * (noise(2) > 1.5) + noise(3)
    assert np.all(excess_noise(starry.astype(np.float32), SEEN, 12) == 1)


def test_what_is_not_seen_says_nothing():
    odd = noise()
    odd[:, 48:] = -100
    seen = SEEN.copy()
    seen[:, 48:] = False
    assert np.all(excess_noise(odd, seen, 12) == 1)
    assert np.all(excess_noise(odd, np.zeros(SHAPE, dtype=bool), 12) == 1)
