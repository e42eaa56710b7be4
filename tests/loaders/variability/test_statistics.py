"""Statistics of light curves against the package light-curve, numpy and scipy."""

import light_curve as lc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from loaders.variability.statistics import STATISTICS_DTYPE, describe, stetson_j

PEERS = {
    "weighted_mean": lc.WeightedMean(),
    "standard_deviation": lc.StandardDeviation(),
    "median": lc.Median(),
    "median_absolute_deviation": lc.MedianAbsoluteDeviation(),
    "inter_quartile_range": lc.InterPercentileRange(0.25),
    "skewness": lc.Skew(),
    "kurtosis": lc.Kurtosis(),
    "reduced_chi2": lc.ReducedChi2(),
    "excess_variance": lc.ExcessVariance(),
    "von_neumann": lc.Eta(),
    "stetson_k": lc.StetsonK(),
}


def curves(count, length, seed):
    rng = np.random.default_rng(seed)
    flux = rng.gamma(2.0, 50.0, size=(count, length)).astype(np.float32)
    error = rng.uniform(0.5, 20, size=(count, length)).astype(np.float32)
    return flux, error


@pytest.mark.parametrize("length", [5, 48, 999])
def test_statistics_are_those_of_light_curve_to_rounding(length):
    flux, error = curves(20, length, length)
    ours = describe(flux, error)
    time = np.arange(length, dtype=float)
    for row in range(20):
        for name, peer in PEERS.items():
            theirs = peer(time, flux[row].astype(float), error[row].astype(float))[0]
            assert ours[name][row] == pytest.approx(theirs, rel=1e-9), name


def test_moments_are_those_of_scipy():
    flux, error = curves(5, 200, 3)
    ours = describe(flux, error)
    wide = flux.astype(float)
    assert ours["skewness"] == pytest.approx(stats.skew(wide, axis=1, bias=False))
    assert ours["kurtosis"] == pytest.approx(stats.kurtosis(wide, axis=1, bias=False))
    assert ours["percentile_05"] == pytest.approx(np.percentile(wide, 5, axis=1, method="hazen"))
    assert ours["percentile_95"] == pytest.approx(np.percentile(wide, 95, axis=1, method="hazen"))


@settings(max_examples=50, deadline=None)
@given(data=st.data(), length=st.integers(0, 12))
def test_points_that_do_not_count_make_no_difference(data, length):
    flux, error = curves(1, length, 5)
    bad = np.array(data.draw(st.lists(st.booleans(), min_size=length, max_size=length)), dtype=bool)
    spoiled, spoiled_error = flux.copy(), error.copy()
    spoiled[0, bad] = np.nan
    spoiled_error[0, bad] = data.draw(st.sampled_from([0.0, -1.0, np.nan, np.inf]))
    ours = describe(spoiled, spoiled_error)
    rest = describe(flux[:, ~bad], error[:, ~bad])
    for name in STATISTICS_DTYPE.names:
        np.testing.assert_array_equal(ours[name], rest[name])


def test_few_points_have_few_statistics():
    none, one = (describe(*curves(1, n, 1))[0] for n in (0, 1))
    assert none["n_point"] == 0
    assert np.isnan([none[name] for name in STATISTICS_DTYPE.names[1:]]).all()
    assert one["n_point"] == 1
    assert one["median"] == one["weighted_mean"] == pytest.approx(float(curves(1, 1, 1)[0][0, 0]))
    assert np.isnan([one["standard_deviation"], one["reduced_chi2"], one["skewness"]]).all()


def test_constant_fluxes_do_not_divide_by_zero():
    row = describe(np.full((1, 30), 7, np.float32), np.ones((1, 30), np.float32))[0]
    assert row["standard_deviation"] == row["reduced_chi2"] == row["median_absolute_deviation"] == 0
    assert np.isnan([row["von_neumann"], row["stetson_k"], row["skewness"]]).all()


def test_elements_that_vary_together_have_a_stetson_j_and_noise_has_none():
    rng = np.random.default_rng(8)
    time = np.arange(0, 70, 0.25)
    wave = 5 * np.sin(time)
    noise = [rng.normal(size=time.size) for _ in range(4)]
    error = np.ones(time.size)
    together = stetson_j((time, wave + noise[0], error), (time + 0.01, wave + noise[1], error), 0.02)
    apart = stetson_j((time, noise[2], error), (time + 0.01, noise[3], error), 0.02)
    # Mean of |5 sin| is 10 / π; independent noise has the mean of sgn √|N N'|, 0.
    assert together == pytest.approx(10 / np.pi, rel=0.1)
    assert abs(apart) < 3 / np.sqrt(time.size)
    assert np.isnan(stetson_j((time, wave, error), (time + 0.1, wave, error), 0.02))
    assert np.isnan(stetson_j((time[:1], wave[:1], error[:1]), (time, wave, error), 0.02))


def test_stetson_j_pairs_each_point_with_the_nearest():
    first = (np.array([1.0, 2.0, 3.0]), np.array([4.0, 0.0, -4.0]), np.ones(3))
    second = (np.array([0.99, 2.02, 5.0]), np.array([9.0, 0.0, -9.0]), np.ones(3))
    scale = 3 / 2
    # The third has no partner; the second lies on both means.
    assert stetson_j(first, second, 0.05) == pytest.approx(np.sqrt(scale * 4 * 9) / 2)
