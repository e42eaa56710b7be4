"""Merging stars keeps their light and their centre of light."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.photometry.blends import merge_blends


@given(seed=st.integers(0, 500), n=st.integers(0, 60), radius=st.floats(0, 3))
def test_light_and_its_centre_are_kept(seed, n, radius):
    rng = np.random.default_rng(seed)
    x, y, flux = rng.uniform(0, 20, n), rng.uniform(0, 20, n), rng.uniform(1, 100, n)
    blends = merge_blends(x, y, flux, radius)
    assert blends.flux.sum() == pytest.approx(flux.sum())
    assert (blends.flux * blends.x).sum() == pytest.approx((flux * x).sum())
    np.testing.assert_allclose(np.bincount(blends.source, blends.share), np.ones(blends.x.size))
    np.testing.assert_allclose(blends.share * blends.flux[blends.source], flux)
    apart = np.hypot(np.subtract.outer(blends.x, blends.x), np.subtract.outer(blends.y, blends.y))
    alone = ~blends.blended
    single = np.unique(blends.source[alone])
    assert (apart[np.ix_(single, single)][~np.eye(single.size, dtype=bool)] > radius).all()


def test_a_chain_becomes_one_source_and_unknown_fluxes_share_equally():
    x = np.array([0.0, 0.9, 1.8, 5.0])
    blends = merge_blends(x, np.zeros(4), np.zeros(4), 1.0)
    np.testing.assert_array_equal(blends.blended, [True, True, True, False])
    assert blends.share == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])
    assert sorted(blends.x) == pytest.approx([0.9, 5.0])


def test_coincident_stars_merge_at_zero_radius():
    blends = merge_blends(np.array([2.0, 2.0]), np.array([1.0, 1.0]), np.array([3.0, 1.0]), 0.0)
    assert blends.x.size == 1
    assert blends.share == pytest.approx([0.75, 0.25])
