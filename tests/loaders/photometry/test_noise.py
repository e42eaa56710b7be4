"""The noise model recovers what made the errors, through the traps of real files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.photometry.noise import NoiseModel, estimate_noise


def calibrated(read: float, poisson: float, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Data, err and var_poisson as a pipeline leaves them: float16, Poisson variance of the noisy rate."""
    rng = np.random.default_rng(seed)
    rate = 3.0 + 20.0 * rng.pareto(1.5, size=(80, 90))
    data = rate + rng.normal(size=rate.shape) * np.sqrt(read + poisson * rate)
    var_poisson = poisson * np.maximum(data, 0)
    return data, np.sqrt(read + var_poisson).astype(np.float16), var_poisson.astype(np.float16)


@settings(deadline=None, max_examples=20)
@given(read=st.floats(0.003, 0.1), poisson=st.floats(0.003, 0.05))
def test_read_and_poisson_variance_are_recovered(read, poisson):
    data, err, var_poisson = calibrated(read, poisson)
    noise = estimate_noise(data, err, var_poisson)
    assert noise.poisson == pytest.approx(poisson, rel=2e-3)
    assert noise.read == pytest.approx(read, rel=0.02)
    assert (noise.scale == 1).all()


def test_without_var_poisson_the_slope_of_variance_over_rate_is_used():
    data, err, _ = calibrated(0.01, 0.008)
    noise = estimate_noise(data, err)
    assert noise.poisson == pytest.approx(0.008, rel=0.01)


def test_constant_errors_give_no_poisson_noise():
    data, err, _ = calibrated(0.01, 0.008)
    noise = estimate_noise(data, np.full_like(err, 0.5))
    assert noise.poisson == 0
    np.testing.assert_allclose(noise.variance(data), 0.25, rtol=1e-6)


def test_saturated_pixels_keep_their_own_variance_and_dead_ones_have_none():
    data, err, var_poisson = calibrated(0.01, 0.008)
    err[10, 20:25] *= np.float16(3)
    err[40, 40], err[41, 41], err[42, 42] = 0, np.nan, np.inf
    noise = estimate_noise(data, err, var_poisson)
    ratio = noise.variance(data) / err.astype(float) ** 2
    np.testing.assert_allclose(ratio[10, 20:25], 1, rtol=1e-2)
    scale = np.asarray(noise.scale)
    assert np.isnan(scale[[40, 41, 42], [40, 41, 42]]).all()
    assert (scale[:10] == 1).all()


def test_variance_does_not_fall_below_the_read_noise():
    assert NoiseModel(0.04, 0.01).variance(np.array([-5.0, 0.0, 100.0])) == pytest.approx([0.04, 0.04, 1.04])


@pytest.mark.parametrize(("read", "poisson"), [(-1.0, 1.0), (0.0, 0.0), (1.0, -1.0), (np.nan, 1.0)])
def test_impossible_noise_is_refused(read, poisson):
    with pytest.raises(ValueError, match="read and poisson"):
        NoiseModel(read, poisson)


def test_arrays_without_any_error_are_refused():
    with pytest.raises(ValueError, match="no pixel of err"):
        estimate_noise(np.ones((3, 3)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="one 2-D shape"):
        estimate_noise(np.ones((3, 3)), np.zeros((3, 4)))


def test_hits_that_the_errors_leave_out_have_the_weight_of_their_neighbours():
    """Light 400 times the median falls on pixels whose errors are those of the sky."""
    data, err, var_poisson = calibrated(0.01, 0.008)
    clean = estimate_noise(data, err, var_poisson)
    rows = np.arange(80)
    data[rows, rows] += 400 * np.median(data)
    noise = estimate_noise(data, err, var_poisson)
    assert noise.poisson == pytest.approx(clean.poisson, rel=0.01)
    expected = clean.variance(np.full(data.shape, 5.0))[rows, rows]
    found = noise.variance(np.full(data.shape, 5.0))[rows, rows]
    assert (found > 0.9 * expected).all()


def test_a_deeper_half_keeps_its_low_noise_also_at_its_stars():
    """As in a mosaic: half of it has twice the exposure, and so half the variance at every rate."""
    data, err, _ = calibrated(0.01, 0.008)
    err = err.astype(np.float64)
    err[:, 45:] *= np.sqrt(0.5)
    noise = estimate_noise(data, err, err**2 - np.where(np.arange(90) < 45, 0.01, 0.005))
    np.testing.assert_allclose(noise.variance(data) / err**2, 1, rtol=0.06)
