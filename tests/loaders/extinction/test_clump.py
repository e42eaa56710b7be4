"""The clump is found where it was put, with errors that are right."""

import numpy as np
import pytest

from loaders.extinction.clump import Companions, fit_clump, window_around
from loaders.extinction.kernels import N_PARAMETER, NAMES, log_density
from tests.loaders.extinction.diagram import CLUMP, RATIO, Recipe, draw

COMPANIONS = Companions(np.array([0.737, -1.07]), np.array([0.201, 0.028]))
DUST = 0.7
THETA = np.array([0.1, np.log(0.25), 0.6, -0.4, 0.02, 0.3, np.log(0.07), 0.04, -0.1, np.log(0.09), -2.5])


def density(theta, star, window):
    offset, weight = np.array([0.0, 0.737, -1.07]), np.array([1.0, 0.201, 0.028])
    score = np.empty((len(star), N_PARAMETER))
    return log_density(theta, star, window, offset, weight, score), score


def test_the_density_is_one_over_its_window():
    m, c = np.linspace(-1.5, 1.5, 601), np.linspace(-1.0, 1.0, 601)
    star = np.stack(np.meshgrid(m, c, indexing="ij"), axis=-1)
    log, _ = density(THETA, star.reshape(-1, 2), np.array([-1.5, 1.5, 2.0]))
    whole = np.trapezoid(np.trapezoid(np.exp(log).reshape(601, 601), c, axis=1), m)
    assert whole == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("number", range(N_PARAMETER), ids=NAMES)
def test_scores_are_the_derivatives_of_the_density(number):
    star = np.random.default_rng(4).uniform(-1, 1, (50, 2)) * [1.4, 0.5]
    window, step = np.array([-1.5, 1.5, 1.0]), np.zeros(N_PARAMETER)
    step[number] = 1e-6
    _, score = density(THETA, star, window)
    expected = (density(THETA + step, star, window)[0] - density(THETA - step, star, window)[0]) / 2e-6
    np.testing.assert_allclose(score[:, number], expected, rtol=1e-5, atol=1e-6)


def fitted(recipe, pair, rng):
    """A fit that begins at a wrong place, and the truth."""
    stars = draw(recipe, lambda n: DUST + 0.02 * rng.standard_normal(n), rng)
    magnitude, colour = stars["F146"], stars[pair[0]] - stars[pair[1]]
    true_colour = CLUMP[pair[0]] - CLUMP[pair[1]] + (RATIO[pair[0]] - RATIO[pair[1]]) * DUST
    start = (CLUMP["F146"] + DUST + 0.08, true_colour - 0.04)
    window = window_around(*start, 0.57, (13.0, 21.0))
    inside = window.holds(magnitude, colour)
    fit = fit_clump(magnitude[inside], colour[inside], window, start, COMPANIONS)
    return fit, np.array([fit.magnitude - CLUMP["F146"] - DUST, fit.colour - true_colour])


@pytest.mark.heavy
@pytest.mark.parametrize("pair", [("F087", "F146"), ("F146", "F213")], ids="-".join)
@pytest.mark.parametrize("recipe", [Recipe(), Recipe(90, 270, 20)], ids=["many", "few"])
def test_errors_are_those_that_are_made(recipe, pair):
    rng = np.random.default_rng(11)
    tries = [fitted(recipe, pair, rng) for _ in range(120)]
    pulls = [off / np.sqrt(np.diag(fit.covariance)) for fit, off in tries if fit.is_converged]
    assert len(pulls) >= 118
    # Of 120 normal numbers the standard deviation is known to 6.5 %, the mean to 0.09.
    np.testing.assert_allclose(np.std(pulls, axis=0), 1.0, atol=0.2)
    np.testing.assert_allclose(np.mean(pulls, axis=0), 0.0, atol=0.3)


def test_magnitude_and_colour_are_correlated_as_dust_moves_them():
    """Much uneven dust makes faint stars red: then the covariance is positive, and right, too."""
    rng = np.random.default_rng(5)

    def one():
        stars = draw(Recipe(), lambda n: DUST + 0.12 * rng.standard_normal(n), rng)
        colour = stars["F087"] - stars["F146"]
        start = (CLUMP["F146"] + DUST, 0.24 + 1.2 * DUST)
        window = window_around(*start, 0.57, (13.0, 21.0))
        inside = window.holds(stars["F146"], colour)
        return fit_clump(stars["F146"][inside], colour[inside], window, start, COMPANIONS)

    fits = [fit for fit in (one() for _ in range(100)) if fit.is_converged]
    scatter = np.cov([[fit.magnitude, fit.colour] for fit in fits], rowvar=False)
    mean = np.mean([fit.covariance for fit in fits], axis=0)
    assert mean[0, 1] > 0
    np.testing.assert_allclose(scatter / mean, 1.0, atol=0.5)


def test_what_has_no_clump_has_no_significance():
    rng = np.random.default_rng(8)
    found = [fitted(Recipe(clump=0, giants=900), ("F087", "F146"), rng)[0].significance for _ in range(40)]
    assert max(found) < 5.0
