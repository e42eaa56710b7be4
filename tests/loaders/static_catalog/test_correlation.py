"""Correlated noise: factors against noise that is made that way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter
from scipy.signal import fftconvolve

from loaders.static_catalog.correlation import (
    WHITE,
    AreaInflation,
    drizzle_correlation,
    inflation,
    kernel_correlation,
)


def test_drops_like_points_leave_noise_white():
    assert drizzle_correlation(0.0, 0.5) == pytest.approx(WHITE)


def test_drizzled_noise_has_the_correlation_that_is_computed():
    """One axis drizzled by brute force: drops of detector pixels at random phases onto mosaic pixels."""
    rng, pixfrac, ratio, size = np.random.default_rng(1), 1.0, 0.5, 400
    fine = 50  # steps a detector pixel
    total = np.zeros((4000, size))
    for row in range(total.shape[0]):
        phase = rng.integers(0, fine)
        drops = rng.standard_normal(size)
        line = np.roll(np.repeat(drops, fine), phase)
        total[row] = line[: int(size * ratio * fine)].reshape(size, -1).mean(axis=1)
    total -= total.mean()
    variance = (total**2).mean()
    for lag in (1, 2):
        found = (total[:, lag:] * total[:, :-lag]).mean() / variance
        axis = drizzle_correlation(pixfrac, ratio)
        middle = axis.shape[0] // 2
        assert found == pytest.approx(axis[middle, middle + lag], abs=0.01)


def test_inflation_of_large_areas_is_that_of_fruchter_and_hook():
    """Their R = r / (1 - 1 / (3 r)) for drops wider than pixels is the ratio of standard deviations."""
    r = 1.0 / 0.5
    block = np.ones((400, 400))
    expected = (r / (1 - 1 / (3 * r))) ** 2
    assert inflation(block, drizzle_correlation(1.0, 0.5)) == pytest.approx(expected, rel=0.02)


def test_inflation_is_the_scatter_of_sums_of_convolved_noise():
    rng = np.random.default_rng(2)
    kernel = np.outer([1, 2, 1], [1, 3, 1]) / 20.0
    noise = fftconvolve(rng.standard_normal((2100, 2100)), kernel, mode="valid")
    correlation = kernel_correlation(kernel)
    for side in (1, 3, 7):
        sums = uniform_filter(noise, side)[10::13, 10::13] * side**2
        expected = noise.var() * side**2 * inflation(np.ones((side, side)), correlation)
        assert sums.var() == pytest.approx(expected, rel=0.03)


def test_table_of_areas_is_the_factor_of_circles():
    correlation = drizzle_correlation(1.0, 0.5)
    table = AreaInflation.of(correlation)
    assert table.at(1e-3) == table.factor[0]
    assert table.at(1e9) == table.factor[-1]
    assert np.all(np.diff(table.factor) > 0)
    square = np.pad(np.ones((9, 9)), 4)
    assert table.at(81) == pytest.approx(inflation(square, correlation), rel=0.06)


@pytest.mark.parametrize(("pixfrac", "ratio"), [(-0.1, 1.0), (1.1, 1.0), (0.5, 0.0)])
def test_impossible_drops_are_refused(pixfrac, ratio):
    with pytest.raises(ValueError, match="pixfrac"):
        drizzle_correlation(pixfrac, ratio)
