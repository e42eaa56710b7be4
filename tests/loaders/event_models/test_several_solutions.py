"""Evidences and joined posteriors, against integrals that are known."""

import numpy as np
import pytest
from scipy.stats import norm

from loaders.event_models.posterior import Samples, worth
from loaders.event_models.several_solutions import joined, log_evidence


def normal_run(mean, error, height, rng, number=2000):
    """Equal draws from a normal distribution whose density is ``height`` at its top."""
    mean, error = np.asarray(mean, dtype=float), np.asarray(error, dtype=float)
    at = mean + error * rng.normal(size=(number, mean.size))
    density = np.log(height) - 0.5 * np.sum(((at - mean) / error) ** 2, axis=1)
    return Samples(at, np.full(number, 1 / number), float(number), number, density)


def test_the_evidence_of_a_normal_distribution_is_its_integral():
    error = [0.1, 3.0, 1e-3]
    found = log_evidence(normal_run([2.0, -1.0, 5.0], error, 7.0, np.random.default_rng(1)))
    assert found == pytest.approx(np.log(7.0 * (2 * np.pi) ** 1.5 * np.prod(error)), abs=0.1)


@pytest.mark.parametrize("bend", [0.3, 1.0])
def test_the_evidence_of_a_banana_is_that_of_the_same_unbent(bend):
    """x normal, y about bend · x² normal: bending keeps volumes. Draws are weighted ones of wider x."""
    rng, number = np.random.default_rng(2), 4000
    x, y = 1.5 * rng.normal(size=number), rng.normal(size=number)
    weight = np.exp(-0.5 * x**2 + 0.5 * (x / 1.5) ** 2)
    weight /= weight.sum()
    at = np.column_stack([x, 0.5 * y + bend * x**2])
    density = -0.5 * x**2 - 0.5 * y**2
    found = log_evidence(Samples(at, weight, worth(weight), number, density))
    assert found == pytest.approx(np.log(2 * np.pi * 0.5), abs=0.15)


def test_each_solution_has_the_share_of_its_integral():
    """A high narrow and a low wide one: quantiles of the sum of both, by its distribution function."""
    rng = np.random.default_rng(3)
    runs = [normal_run([0.0, 0.0], [0.5, 1.0], 1.0, rng), normal_run([6.0, 1.0], [1.0, 2.0], 0.25, rng)]
    found, which = joined(runs)
    assert found.weight.sum() == pytest.approx(1.0)
    assert found.weight @ which == pytest.approx(0.5, abs=0.05)
    grid = np.linspace(-3, 11, 1001)
    below = 0.5 * norm.cdf(grid / 0.5) + 0.5 * norm.cdf(grid - 6.0)
    expected = np.interp([0.16, 0.84], below, grid)
    np.testing.assert_allclose(found.quantiles()[[0, 2], 0], expected, atol=0.25)


def test_a_solution_that_two_runs_have_found_counts_once():
    rng = np.random.default_rng(4)
    one = normal_run([0.0, 0.0], [1.0, 1.0], 1.0, rng)
    same = normal_run([0.0, 0.0], [1.0, 1.0], 1.0, rng)
    other = normal_run([30.0, 0.0], [1.0, 1.0], 1.0, rng)
    # The second run has wandered: half of its draws are of the third solution.
    half = same.parameter.shape[0] // 2
    both = np.vstack([same.parameter[:half], other.parameter[:half]])
    density = np.concatenate([same.density[:half], other.density[:half]])
    wandered = Samples(both, np.full(2 * half, 0.5 / half), 2.0 * half, 2 * half, density)
    found, _ = joined([one, other])
    again, _ = joined([one, wandered, other])
    far = [float(run.weight[run.parameter[:, 0] > 15].sum()) for run in (found, again)]
    assert far[0] == pytest.approx(0.5, abs=0.03)
    assert far[1] == pytest.approx(0.5, abs=0.1)


def test_a_hopeless_solution_has_no_share():
    rng = np.random.default_rng(5)
    runs = [normal_run([0.0, 0.0], [1.0, 1.0], 1.0, rng), normal_run([9.0, 0.0], [1.0, 1.0], 1e-9, rng)]
    found, which = joined(runs)
    assert found.weight @ which < 1e-6
    assert found.n_effective == pytest.approx(2000, rel=0.05)
