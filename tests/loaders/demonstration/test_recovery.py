"""What is said of recovery is what was put in: bias, scatter and the brightest point of an event."""

import numpy as np
import pytest

from loaders.demonstration.recovery import best_event, event_recovery, recovery

N_STAR, N_EPOCH = 400, 60


@pytest.fixture
def truth():
    """Constant stars from AB magnitude 18 to 24, nJy (31.4 is the zero point)."""
    flux = 10 ** (0.4 * (31.400066 - np.linspace(18, 24, N_STAR)))
    return np.repeat(flux[:, None], N_EPOCH, axis=1)


@pytest.mark.parametrize("bias", [-4.0, 0.0, 2.5])
def test_a_scale_is_found_as_a_bias_of_the_bright_stars(truth, bias):
    error = np.full_like(truth, 10.0)
    found = recovery(truth * 10 ** (-0.4 * bias / 1000), error, truth)
    assert found.bias_mmag == pytest.approx(bias, abs=1e-9)
    assert (found.n_star, found.n_point, found.limit) == (N_STAR, N_STAR * N_EPOCH, 21.0)


def test_stars_below_the_limit_do_not_enter_the_bias(truth):
    faint = truth < 10 ** (0.4 * (31.400066 - 21.0))
    flux = np.where(faint, 2 * truth, truth)
    assert recovery(flux, np.ones_like(truth), truth).bias_mmag == 0
    assert recovery(flux, np.ones_like(truth), truth, limit=30.0).bias_mmag < -100
    assert np.isnan(recovery(flux, np.ones_like(truth), truth, limit=10.0).bias_mmag)


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.5])
def test_the_pull_is_the_scatter_in_units_of_the_error(truth, scale):
    error = 0.01 * truth
    flux = truth + scale * error * np.random.default_rng(1).standard_normal(truth.shape)
    assert recovery(flux, error, truth).pull == pytest.approx(scale, rel=0.02)


def test_points_that_failed_are_left_out(truth):
    error = np.full_like(truth, 1.0)
    flux = truth + error
    flux[0], flux[1, :10] = np.nan, np.nan
    error[2, 0] = 0.0
    found = recovery(flux, error, truth)
    assert (found.n_star, found.n_point) == (N_STAR - 1, N_STAR * N_EPOCH - N_EPOCH - 10 - 1)
    assert found.pull == pytest.approx(1.482602218505602)  # every pull is one


def test_the_best_event_is_that_whose_brightening_is_most_significant(truth):
    rest, error = truth[:, 0].copy(), np.full_like(truth, 50.0)
    changing = truth.copy()
    changing[3, 30] += 1_000  # 20 errors once
    changing[5, 10:20] += 500  # 10 errors ten times: more together
    changing[7] += 10_000  # most of all, but not an event
    changing[9] += 9_000  # and one that was not measured
    flux = np.where(np.arange(N_STAR)[:, None] == 9, np.nan, changing)
    assert best_event(flux, error, changing, rest, np.array([3, 5, 9])) == 5


def test_an_event_is_compared_with_its_truth_and_not_with_its_rest(truth):
    rest, error = truth[:, 0].copy(), np.full_like(truth, 50.0)
    changing = truth.copy()
    changing[5, 10:20] *= np.array([1, 2, 3, 4, 9, 8, 4, 3, 2, 1])
    flux = changing + 2 * error
    flux[5, 14] = np.nan  # the highest point has failed
    found = event_recovery(flux, error, changing, rest, 5)
    assert (found.star, found.n_point) == (5, N_EPOCH - 1)
    assert found.chi2 == pytest.approx(4 * (N_EPOCH - 1))
    assert found.true_peak == pytest.approx(8)
    assert found.peak == pytest.approx(8 + 100 / rest[5])
