"""Optimal extraction: no bias, errors as they are, and no more variance than can be had."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.spectral_extraction.extraction import optimal
from loaders.spectral_extraction.frame import SpectralFrame

ROWS, WIDTH, TIME, SKY = 400, 17, 300.0, 0.7
READ = (8.0 / TIME) ** 2


def profile():
    """A Gaussian whose middle drifts by two pixels along the trace."""
    centre = 8 + np.linspace(-1, 1, ROWS)[:, None]
    light = np.exp(-0.5 * ((np.arange(WIDTH) - centre) / 1.1) ** 2)
    return light / light.sum(axis=1, keepdims=True)


def measured(truth, rng, bad=None):
    expected = truth[:, None] * profile() + SKY
    rate = rng.poisson(expected * TIME) / TIME + rng.normal(0, np.sqrt(READ), expected.shape)
    bad = np.zeros(expected.shape, dtype=bool) if bad is None else bad
    return SpectralFrame(rate, np.full(expected.shape, READ), 1 / TIME, bad)


@pytest.mark.parametrize("level", [0.5, 5.0, 200.0])
def test_spectra_have_no_bias_and_the_smallest_variance_there_is(level):
    truth = level * (1 + 0.5 * np.sin(np.arange(ROWS) / 40))
    rng = np.random.default_rng(7)
    sky = np.full((ROWS, WIDTH), SKY)
    found = [optimal(measured(truth, rng), profile(), sky) for _ in range(200)]
    rate, error = (np.stack([getattr(f, name) for f in found]) for name in ("rate", "error"))
    pulls = (rate - truth) / error
    assert 0.95 < pulls.std() < 1.05
    optimum = 1 / (profile() ** 2 / (READ + (truth[:, None] * profile() + SKY) / TIME)).sum(axis=1)
    spread = np.sqrt(optimum.sum() / rate.shape[0]) / truth.sum()
    assert abs(rate.mean(axis=0).sum() / truth.sum() - 1) < 0.002 + 2 * spread * (level < 1)
    assert np.mean(rate.var(axis=0, ddof=1) / optimum) < 1.05
    np.testing.assert_allclose(np.mean(error**2, axis=0)[20:-20] / optimum[20:-20], 1.0, atol=0.05)


def test_one_bad_pixel_loses_no_row():
    bad = np.zeros((ROWS, WIDTH), dtype=bool)
    bad[100, 8] = True
    truth = np.full(ROWS, 50.0)
    frame = measured(truth, np.random.default_rng(2), bad)
    frame.rate[100, 8] = np.nan
    found = optimal(frame, profile(), np.full((ROWS, WIDTH), SKY))
    assert np.isfinite(found.rate).all()
    assert abs(found.rate[100] - 50) < 5 * found.error[100]
    assert found.error[100] > 1.1 * found.error[99]
    assert found.share[100] < 0.8


def test_a_row_without_usable_pixels_says_so_and_the_others_stay():
    bad = np.zeros((ROWS, WIDTH), dtype=bool)
    bad[50] = True
    found = optimal(measured(np.full(ROWS, 50.0), np.random.default_rng(2), bad), profile(), np.zeros(1))
    assert np.flatnonzero(found.share == 0).tolist() == [50]
    assert np.isnan(found.rate[50])
    assert np.isnan(found.error[50])
    assert np.isfinite(np.delete(found.rate, 50)).all()


def test_pixels_of_no_or_negative_variance_are_not_used():
    frame = measured(np.full(ROWS, 50.0), np.random.default_rng(2))
    frame.read_variance[:, 8] = 0.0
    frame.read_variance[:, 7] = -1.0
    found = optimal(frame, profile(), np.full((ROWS, WIDTH), SKY))
    assert np.isfinite(found.rate).all()
    assert abs(np.mean((found.rate - 50) / found.error)) < 0.3


def test_everything_masked_gives_no_spectrum_and_no_error():
    bad = np.ones((ROWS, WIDTH), dtype=bool)
    found = optimal(measured(np.full(ROWS, 50.0), np.random.default_rng(2), bad), profile(), np.zeros(1))
    assert (found.share == 0).all()


def test_images_of_different_shapes_are_named():
    with pytest.raises(ValueError, match="one shape"):
        SpectralFrame(np.zeros((2, 2)), np.zeros((2, 3)), 1.0, np.zeros((2, 2), dtype=bool))
    with pytest.raises(ValueError, match="poisson must be a number >= 0"):
        SpectralFrame(np.zeros((2, 2)), np.zeros((2, 2)), -1.0, np.zeros((2, 2), dtype=bool))
