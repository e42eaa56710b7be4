"""Stored draws of posteriors: against the weights, and against the normal distribution of a linear model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.event_models.lens_fit import Points, joint_covariance, solve_fluxes
from loaders.event_models.posterior import Samples
from loaders.event_models.posterior_sample import alike, fluxes
from loaders.stored_curve.band import Band


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40).filter(lambda w: sum(w) > 0.1), st.integers(0, 99))
def test_draws_are_there_as_often_as_their_weights_say(weight, seed):
    weight = np.array(weight) / np.sum(weight)
    samples = Samples(np.arange(weight.size)[:, None].astype(float), weight, 1.0, 1)
    drawn = alike(samples, 200, np.random.default_rng(seed))
    count = np.bincount(drawn[:, 0].astype(int), minlength=weight.size)
    assert count.sum() == 200
    np.testing.assert_array_less(np.abs(count - 200 * weight), 1 + 1e-9)


def curve(parameter, time):
    return 1 + np.exp(-0.5 * ((time - parameter[0]) / 5) ** 2)[None]


def light_curves(rng, source, blend):
    bands = []
    for name, n, error in (("F087", 40, 2.0), ("F146", 200, 1.0)):
        time = np.sort(rng.uniform(-30, 30, n))
        flux = source * curve([0.0], time)[0] + blend + rng.normal(0, error, n)
        bands.append(Band(name, time, flux, np.full(n, error)))
    return Points.of(bands)


def test_fluxes_of_one_place_scatter_by_their_own_covariance():
    rng = np.random.default_rng(2)
    points = light_curves(rng, 50.0, 20.0)
    at = curve([0.0], points.time)
    drawn = fluxes(points, lambda p: curve(p, points.time), np.zeros((20_000, 1)), rng)
    assert drawn.shape == (20_000, 2, 2)
    flat = drawn.reshape(-1, 4)
    for band, part in enumerate(points.slices):
        design = np.column_stack([at[0, part], np.ones(part.stop - part.start)]) * points.scale[part, None]
        best, *_ = np.linalg.lstsq(design, points.value[part], rcond=None)
        known = np.linalg.inv(design.T @ design)
        mine = flat[:, 2 * band : 2 * band + 2]
        np.testing.assert_allclose(mine.mean(axis=0), best, atol=5 * np.sqrt(known.max() / 20_000))
        np.testing.assert_allclose(np.cov(mine.T), known, rtol=0.06)
    assert abs(np.corrcoef(flat[:, 0], flat[:, 2])[0, 1]) < 0.03


@pytest.mark.heavy
def test_parameters_and_fluxes_together_have_their_joint_covariance():
    """Of draws of t_0 by its own error fluxes follow as the inverse of the whole normal matrix says."""
    rng = np.random.default_rng(4)
    points = light_curves(rng, 50.0, 20.0)
    at, step = curve([0.0], points.time), 1e-5
    slope = ((curve([step], points.time) - at) / step)[None]
    flux, _ = solve_fluxes(points, at)
    own = np.array([[0.05**2]])
    parameter = 0.05 * rng.standard_normal((4000, 1))
    drawn = fluxes(points, lambda p: curve(p, points.time), parameter, rng).reshape(4000, 4)
    together = np.cov(np.column_stack([parameter, drawn]).T)
    expected = joint_covariance(points, (at, flux), slope, own)
    unit = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(together / np.outer(unit, unit), expected / np.outer(unit, unit), atol=0.08)


def test_no_source_is_below_zero_where_none_may_be():
    rng = np.random.default_rng(5)
    points = light_curves(rng, 0.0, 20.0)
    drawn = fluxes(points, lambda p: curve(p, points.time), np.zeros((500, 1)), rng)
    assert (drawn[:, :, 0] >= 0).all()
    assert drawn[:, :, 0].max() > 0


def test_fluxes_that_are_not_determined_are_an_error():
    rng = np.random.default_rng(6)
    points = light_curves(rng, 1.0, 20.0)
    with pytest.raises(np.linalg.LinAlgError):
        fluxes(points, lambda p: np.ones((1, points.time.size)), np.zeros((3, 1)), rng)
