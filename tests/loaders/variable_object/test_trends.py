"""Straight lines against numpy, and what single points do to them."""

import numpy as np
import pytest

from loaders.variable_object.trends import YEAR, explained_by_line, trend

TIME = np.linspace(1000, 3000, 200)


def values(seed, slope=2.0, noise=1.0):
    return 10 + slope * (TIME - 2000) / YEAR + np.random.default_rng(seed).normal(0, noise, TIME.size)


def test_the_line_is_that_of_numpy():
    error = np.random.default_rng(5).uniform(0.5, 2, TIME.size)
    value = values(1)
    coefficients, covariance = np.polyfit((TIME - 2000) / YEAR, value, 1, w=1 / error, cov="unscaled")
    found = trend(TIME, value, error, 2000.0)
    assert found.slope == pytest.approx(coefficients[0])
    assert found.value == pytest.approx(coefficients[1])
    assert found.error == pytest.approx(np.sqrt(covariance[0, 0]) * max(found.reduced_chi2, 1) ** 0.5)
    assert found.n_point == TIME.size


def test_pulls_are_those_of_a_normal_distribution_also_where_errors_are_too_small():
    for claimed in (1.0, 0.2):
        found = [trend(TIME, values(seed), np.full(TIME.size, claimed), 2000.0) for seed in range(200)]
        pull = np.array([(one.slope - 2.0) / one.error for one in found])
        assert 0.85 < pull.std() < 1.2


def test_single_outliers_do_not_count():
    value = values(2)
    value[:3] += 100
    found = trend(TIME, value, np.ones(TIME.size), 2000.0)
    assert abs(found.slope - 2.0) < 5 * found.error
    assert found.n_point == TIME.size - 3


def test_points_without_value_or_error_do_not_count():
    value, error = values(3), np.ones(TIME.size)
    value[0], error[1], error[2] = np.nan, 0, np.nan
    assert trend(TIME, value, error, 2000.0).n_point == TIME.size - 3


@pytest.mark.parametrize("n", [0, 4])
def test_too_few_points_make_no_line(n):
    assert trend(TIME[:n], values(1)[:n], np.ones(n), 0.0) is None


def test_one_time_makes_no_line():
    assert trend(np.full(20, 5.0), np.arange(20.0), np.ones(20), 0.0) is None


def test_a_line_explains_what_it_does_of_the_variance():
    assert explained_by_line(TIME, values(1, slope=20.0), np.ones(TIME.size)) == pytest.approx(1, abs=0.01)
    wave = np.sin(TIME) * 10
    assert explained_by_line(TIME, wave, np.ones(TIME.size)) < 0.1
    assert np.isnan(explained_by_line(TIME[:3], wave[:3], np.ones(3)))
    assert np.isnan(explained_by_line(TIME, np.ones(TIME.size), np.ones(TIME.size)))
