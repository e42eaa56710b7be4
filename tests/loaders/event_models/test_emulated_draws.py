"""Draws by emulators from posteriors whose quantiles are known otherwise."""

import numpy as np
import pytest
from scipy.stats import norm

from loaders.event_models.emulated_draws import sample_residuals
from loaders.event_models.posterior import LEVELS

NORMAL = norm.ppf(LEVELS)


def drawn(residuals, size, errors=None, limits=(-np.inf, np.inf), **more):
    covariance = np.diag(np.ones(size) if errors is None else np.square(errors))
    bounds = np.full(size, limits[0]), np.full(size, limits[1])
    return sample_residuals(
        residuals, (np.zeros(size), covariance), bounds, np.random.default_rng(11), **more
    )


@pytest.mark.heavy
def test_a_normal_distribution_has_its_quantiles_whatever_its_units():
    root = np.array([[2.0, 0.0, 0.0], [0.9, 0.3, 0.0], [0.0, 0.0, 1e-4]])
    centre = np.array([2.0, -1.0, 2_461_450.0])
    inverse = np.linalg.inv(root)
    bounds = np.full(3, -np.inf), np.full(3, np.inf)
    found = sample_residuals(
        lambda at: inverse @ (at - centre), (centre, root @ root.T), bounds, np.random.default_rng(11)
    )
    sigma = np.sqrt(np.diag(root @ root.T))
    np.testing.assert_allclose((found.quantiles() - centre) / sigma, np.outer(NORMAL, np.ones(3)), atol=0.2)
    assert found.n_effective > 300
    assert found.n_call < 1000


@pytest.mark.heavy
@pytest.mark.parametrize("others", [0, 7])
def test_a_banana_has_the_quantiles_of_its_integral_among_others_too(others):
    """y follows a wave in x, which is no polynomial, and is ten times thinner than long: sums over a grid."""

    def residuals(at):
        return np.array([at[0], (at[1] - 1.5 * np.sin(at[0])) / 0.3, *at[2:]])

    found = drawn(residuals, 2 + others, [1.0, 0.3] + [1.0] * others)
    x = np.linspace(-6, 6, 4001)
    levels = np.linspace(-4, 4, 1601)
    below = [np.average(norm.cdf((y - 1.5 * np.sin(x)) / 0.3), weights=norm.pdf(x)) for y in levels]
    expected = np.column_stack([NORMAL, np.interp(LEVELS, below, levels)])
    width = expected[2] - expected[0]
    np.testing.assert_allclose((found.quantiles()[:, :2] - expected) / width, 0.0, atol=0.12)


@pytest.mark.heavy
def test_a_limit_that_is_known_only_from_above():
    """Of a radius light curves say that it is not large: exp(-exp(2 x)) with a wide prior, by quadrature."""

    def residuals(at):
        return np.array([2.0 * np.exp(at[0]), at[0] / 1.2, at[1]])

    found = drawn(residuals, 2, [1.2, 1.0])
    x = np.linspace(-8, 4, 20001)
    density = np.exp(-2.0 * np.exp(2 * x) - 0.5 * (x / 1.2) ** 2)
    expected = np.interp(LEVELS, np.cumsum(density) / density.sum(), x)
    np.testing.assert_allclose((found.quantiles()[:, 0] - expected) / np.ptp(expected), 0.0, atol=0.1)


@pytest.mark.heavy
def test_nothing_is_drawn_beyond_the_limits():
    found = drawn(lambda at: at, 2, limits=(-0.1, np.inf))
    expected = norm.ppf(norm.cdf(-0.1) + np.array(LEVELS) * norm.sf(-0.1))
    assert found.parameter.min() >= -0.1
    np.testing.assert_allclose(found.quantiles()[:, 0], expected, atol=0.15)


@pytest.mark.parametrize("factor", [0.2, 3.0])
def test_errors_that_are_wrong_do_no_harm(factor):
    found = drawn(lambda at: at, 6, np.full(6, factor))
    quantiles = found.quantiles()
    np.testing.assert_allclose(quantiles, np.outer(NORMAL, np.ones(6)), atol=0.3)
    np.testing.assert_allclose(quantiles.mean(axis=1), NORMAL, atol=0.08)


@pytest.mark.heavy
def test_places_where_the_model_fails_are_left_out():
    found = drawn(lambda at: at if at[0] < 0.5 else None, 2)
    assert found.parameter[:, 0].max() < 0.5
    expected = norm.ppf(np.array(LEVELS) * norm.cdf(0.5))
    np.testing.assert_allclose(found.quantiles()[:, 0], expected, atol=0.15)


@pytest.mark.heavy
def test_nothing_is_said_where_too_few_draws_count():
    """What is rough at all scales is no polynomial: no round is worth anything."""

    def rough(at):
        return 30.0 * np.sin(1e5 * at)

    assert drawn(rough, 3, most_calls=1500) is None


def test_without_a_covariance_or_anything_possible_there_are_no_draws():
    bounds = np.full(2, -np.inf), np.full(2, np.inf)
    mode, rng = (np.zeros(2), np.diag([1.0, -1.0])), np.random.default_rng(1)
    assert sample_residuals(lambda at: at, mode, bounds, rng) is None
    assert drawn(lambda at: None, 2) is None


@pytest.mark.heavy
def test_the_same_random_numbers_give_the_same_draws():
    first, second = (drawn(np.sinh, 3) for _ in range(2))
    np.testing.assert_array_equal(first.quantiles(), second.quantiles())
