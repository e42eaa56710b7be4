"""Draws from posteriors whose quantiles are known otherwise."""

import numpy as np
import pytest
from scipy.stats import norm

from loaders.event_models.posterior import LEVELS, sample


def rng():
    return np.random.default_rng(11)


def test_a_normal_distribution_has_its_quantiles_and_needs_few_draws():
    covariance = np.array([[4.0, 1.9, 0.0], [1.9, 1.0, 0.0], [0.0, 0.0, 1e-8]])
    centre = np.array([2.0, -1.0, 2_461_450.0])
    inverse = np.linalg.inv(covariance)

    def density(at):
        return -0.5 * (at - centre) @ inverse @ (at - centre)

    found = sample(density, [(centre, covariance)], rng())
    sigma = np.sqrt(np.diag(covariance))
    expected = centre + norm.ppf(LEVELS)[:, None] * sigma
    assert found.n_call <= 1500
    np.testing.assert_allclose((found.quantiles() - expected) / sigma, 0.0, atol=0.15)


@pytest.mark.parametrize(("bend", "off"), [(0.3, 0.12), (1.0, 0.3)])
def test_a_banana_has_the_quantiles_of_its_integral(bend, off):
    """y follows a parabola in x: by sums over a grid. What is strongly bent comes out too narrow."""

    def density(at):
        return -0.5 * at[0] ** 2 - 0.5 * ((at[1] - bend * at[0] ** 2) / 0.3) ** 2

    found = sample(density, [(np.zeros(2), np.diag([1.0, 0.09]))], rng())
    assert found.n_effective > 300
    x = np.linspace(-6, 6, 4001)
    # Marginal of y: a normal distribution about bend x², weighted by that of x.
    levels = np.linspace(-2, 30, 1601)
    below = np.array([np.average(norm.cdf((y - bend * x**2) / 0.3), weights=norm.pdf(x)) for y in levels])
    expected = np.column_stack([norm.ppf(LEVELS), np.interp(LEVELS, below, levels)])
    width = expected[2] - expected[0]
    np.testing.assert_allclose((found.quantiles() - expected) / width, 0.0, atol=off)


def test_what_cannot_be_is_left_out():
    def density(at):
        return -0.5 * at[0] ** 2 if at[0] > 0 else -np.inf

    found = sample(density, [(np.array([0.1]), np.array([[1.0]]))], rng())
    half_normal = norm.ppf(0.5 + 0.5 * np.array(LEVELS))
    np.testing.assert_allclose(found.quantiles()[:, 0], half_normal, atol=0.1)


def ridge(length):
    """A ridge that is so many times as long as the errors at its top say."""

    def density(at):
        return -0.5 * (at[0] / length) ** 2 - 0.5 * ((at[1] - 0.02 * at[0] ** 2) / 0.5) ** 2

    return sample(density, [(np.zeros(2), np.diag([1.0, 0.25]))], rng())


def test_what_is_drawn_from_grows_where_the_errors_are_too_small():
    found = ridge(8.0)
    np.testing.assert_allclose(found.quantiles()[:, 0] / 8, norm.ppf(LEVELS), atol=0.25)


def test_two_hills_are_both_found():
    """The second one is eight errors from the first, and has a quarter of the whole."""

    def density(at):
        return np.logaddexp(norm.logpdf(at[0]) + np.log(0.75), norm.logpdf(at[0], 8.0) + np.log(0.25))

    found = sample(density, [(np.zeros(1), np.eye(1))], rng())
    second = float(found.weight[found.parameter[:, 0] > 4].sum())
    assert second == pytest.approx(0.25, abs=0.05)


def test_nothing_is_said_where_too_few_draws_count():
    """One direction is known a million times better than the errors say."""

    def density(at):
        return -0.5 * float(at @ at) * 1e12

    assert sample(density, [(np.full(3, 0.4), np.eye(3))], rng(), most_calls=1500) is None


def test_without_a_covariance_or_anything_possible_there_are_no_draws():
    assert sample(lambda at: 0.0, [(np.zeros(2), np.full((2, 2), np.nan))], rng()) is None
    assert sample(lambda at: 0.0, [(np.zeros(2), np.diag([1.0, -1.0]))], rng()) is None
    assert sample(lambda at: -np.inf, [(np.zeros(1), np.eye(1))], rng()) is None


def test_the_same_random_numbers_give_the_same_draws():
    def density(at):
        return -0.5 * (at[0] / 3) ** 2 - 0.5 * ((at[1] - 0.2 * at[0] ** 2) / 0.5) ** 2

    first, second = (sample(density, [(np.zeros(2), np.diag([1.0, 0.25]))], rng()) for _ in range(2))
    np.testing.assert_array_equal(first.quantiles(), second.quantiles())


def test_two_maxima_far_apart_count_by_what_is_about_them():
    """A third of a posterior is 300 errors off, and twice as wide."""
    share, wide = np.array([2 / 3, 1 / 3]), np.array([1.0, 2.0])
    places = np.array([[0.0, 1.0], [300.0, -50.0]])

    def density(at):
        far = np.sum((at - places) ** 2, axis=1) / wide**2
        return np.logaddexp.reduce(np.log(share) - 2 * np.log(wide) - 0.5 * far)

    found = sample(
        density, [(at, width**2 * np.eye(2)) for at, width in zip(places, wide, strict=True)], rng()
    )
    second = found.parameter[:, 0] > 150
    assert found.n_effective > 300
    assert found.weight[second].sum() == pytest.approx(1 / 3, abs=0.08)
    for mine, at, width in ((~second, places[0], wide[0]), (second, places[1], wide[1])):
        weight = found.weight[mine] / found.weight[mine].sum()
        mean = weight @ found.parameter[mine]
        spread = np.sqrt(weight @ (found.parameter[mine] - mean) ** 2)
        np.testing.assert_allclose(mean, at, atol=0.3 * width)
        np.testing.assert_allclose(spread, width, rtol=0.15)
