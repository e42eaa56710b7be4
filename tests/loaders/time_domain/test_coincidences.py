"""Chance coincidences against sources that are strewn at random, and how many exposures must agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from loaders.time_domain.coincidences import FalseRate, expected_coincidences, needed_exposures

#: Arcsec; half a pixel, and the area of a detector.
RADIUS, AREA = 0.055, (4088 * 0.11) ** 2


def strewn(n_exposure, rate, rng):
    """Exposures that agree at each place, by brute force: sources on a square whose edges meet."""
    count = rng.poisson(rate.n_source, n_exposure)
    side = np.sqrt(rate.area)
    exposure = np.repeat(np.arange(n_exposure), count)
    significance = rng.random(exposure.size)
    tree = cKDTree(rng.uniform(0, side, (exposure.size, 2)), boxsize=side)
    near = tree.query_ball_point(tree.data, rate.radius)
    return [
        np.unique(exposure[one]).size
        for k, one in enumerate(near)
        if significance[one].max() == significance[k]
    ]


@pytest.mark.parametrize("n_exposure", [10, 40])
def test_as_many_as_chance_makes(n_exposure):
    rate, rounds = FalseRate(n_source=5.0, area=1.0, radius=0.02), 400
    rng = np.random.default_rng(n_exposure)
    agreed = np.array([k for _ in range(rounds) for k in strewn(n_exposure, rate, rng)])
    for n_seen in (1, 2, 3):
        expected = rounds * float(expected_coincidences(n_exposure, n_seen, rate))
        # Neighbours in one exposure, which are left out, are one in 160.
        assert (agreed >= n_seen).sum() == pytest.approx(
            expected, abs=4 * np.sqrt(expected) + 0.01 * expected
        )
    assert (agreed >= 2).sum() > 300


@given(
    st.integers(1, 3000),
    st.floats(0.01, 1000),
    st.floats(1e-3, 1),
)
def test_no_fewer_than_needed_and_no_more(most, n_source, allowed):
    rate = FalseRate(n_source, AREA, RADIUS)
    needed = needed_exposures(most, rate, allowed, 2)
    assert needed.shape == (most,)
    assert needed.min() >= 2
    assert (np.diff(needed) >= 0).all()
    for looked in {1, most // 2 + 1, most}:
        k = int(needed[looked - 1])
        assert expected_coincidences(looked, k, rate) <= allowed
        assert k == 2 or expected_coincidences(looked, k - 1, rate) > allowed


def test_a_season_needs_more_than_two():
    """Pairs are 1/2 n² λ² c, triples 1/6 n³ λ³ c² where few; c is the share of a circle in an image."""
    rate, n = FalseRate(2.0, AREA, RADIUS), 9000
    share = np.pi * RADIUS**2 / AREA
    pairs, triples = n**2 / 2 * rate.n_source**2 * share, n**3 / 6 * rate.n_source**3 * share**2
    assert float(expected_coincidences(n, 2, rate)) == pytest.approx(pairs, rel=0.01)
    assert float(expected_coincidences(n, 3, rate)) == pytest.approx(triples, rel=0.01)
    assert triples < 0.01 < pairs
    assert needed_exposures(n, rate, 0.01, 2)[[1, 99, n - 1]].tolist() == [2, 2, 3]


def test_without_sources_there_is_no_chance():
    assert needed_exposures(5, FalseRate(0.0, AREA, RADIUS), 0.01, 2).tolist() == [2] * 5
    assert needed_exposures(0, FalseRate(1.0, AREA, RADIUS), 0.01, 2).size == 0
