"""Five parameters of stars: against numpy, against the truth, and what may not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.astrometric_solution.frame_fit import no_frames
from loaders.astrometric_solution.kernels import variance_factor
from loaders.astrometric_solution.points import ExposureTimes, StarPlaces, StarPoints, star_points
from loaders.astrometric_solution.star_fit import (
    FIVE_PARAMETERS,
    STATUSES,
    TOO_FEW_EPOCHS,
    WITH_PRIORS,
    FitOptions,
    expected_offsets,
    fit_stars,
)
from tests.loaders.astrometric_solution.sky import EPOCH, SEASONS, make_sky, observe, season_times

PLAIN = FitOptions(cut=np.inf)


def fit(sky, points, epoch=EPOCH, options=None):
    terms = no_frames(len(sky.times)).terms
    return fit_stars(points, sky.times, sky.places, terms, epoch, options or FitOptions())


def design_of(sky, i, points):
    """Rows of both coordinates for one star, shape (2 k, 5), and data, over their errors."""
    some = slice(points.start[i], points.start[i + 1])
    at = points.exposure[some]
    t = sky.times.year[at] - EPOCH
    factor = sky.times.observer[at] @ sky.places.factor_row[i].T
    zero, one = np.zeros_like(t), np.ones_like(t)
    east = np.column_stack([one, zero, factor[:, 0], t, zero])
    north = np.column_stack([zero, one, factor[:, 1], zero, t])
    error = points.error[some].T.ravel()
    return np.concatenate([east, north]) / error[:, None], points.offset[some].T.ravel() / error


def test_plain_least_squares_are_those_of_numpy():
    sky = make_sky(3, season_times(per_season=30))
    points = observe(sky, 1.0)
    found = fit(sky, points, options=PLAIN)
    for i in range(3):
        design, data = design_of(sky, i, points)
        value, square, *_ = np.linalg.lstsq(design, data, rcond=None)
        np.testing.assert_allclose(found.value[i], value, rtol=1e-8, atol=1e-9)
        chi2 = square[0] / (data.size - 5)
        assert found.reduced_chi2[i] == pytest.approx(chi2)
        covariance = np.linalg.inv(design.T @ design) * max(chi2, 1)
        np.testing.assert_allclose(found.covariance[i], covariance, rtol=1e-7, atol=1e-12)


def test_the_variance_of_biweights_is_that_of_a_simulation():
    rng = np.random.default_rng(5)
    y = rng.standard_normal((4000, 50, 2))
    center = np.zeros((4000, 2))
    for _ in range(15):
        r2 = ((y - center[:, None]) ** 2).sum(axis=2)
        weight = np.clip(1 - r2 / 3.0**2, 0, None) ** 2
        center = (weight[..., None] * y).sum(axis=1) / weight.sum(axis=1)[:, None]
    assert center.var() * 50 == pytest.approx(variance_factor(3.0), rel=0.05)
    assert variance_factor(np.inf) == 1
    assert 1.01 < variance_factor(6.0) < 1.03


@pytest.mark.parametrize("outliers", [0.0, 0.03])
def test_pulls_are_normal_with_and_without_outliers(outliers):
    sky = make_sky(600, season_times(per_season=40))
    found = fit(sky, observe(sky, 1.0, outliers=outliers))
    assert set(found.status) == {FIVE_PARAMETERS}
    pull = (found.value - sky.value) / found.error
    assert np.all((pull.std(axis=0) > 0.9) & (pull.std(axis=0) < 1.1))
    assert np.all(np.abs(pull.mean(axis=0)) < 4 / np.sqrt(600))
    share = found.n_rejected.sum() / (found.n_rejected + found.n_epoch).sum()
    # Offsets of outliers are spread: some are within six times the error.
    assert outliers * 0.8 <= share <= outliers + 1e-4


def test_errors_that_are_too_small_are_scaled_by_the_scatter():
    sky = make_sky(300, season_times(per_season=40))
    points = observe(sky, 2.0)
    points = StarPoints(points.object_id, points.start, points.exposure, points.offset, points.error / 2)
    found = fit(sky, points)
    assert np.median(found.reduced_chi2) == pytest.approx(4, rel=0.05)
    pull = (found.value - sky.value) / found.error
    assert np.all(np.abs(pull.std(axis=0) - 1) < 0.15)


def test_a_fast_star_loses_no_point():
    sky = make_sky(20, season_times(per_season=30), motion=100.0)
    found = fit(sky, observe(sky, 1.0))
    assert found.n_rejected.sum() == 0
    assert np.abs((found.value - sky.value) / found.error).max() < 5


def test_a_few_days_are_helped_by_priors_and_a_season_says_less_than_a_survey():
    days = make_sky(40, 61450 + np.linspace(0, 3, 60))
    found = fit(days, observe(days, 1.0), epoch=float(days.times.year.mean()))
    assert set(found.status) == {WITH_PRIORS}
    assert np.all(found.error[:, 2] <= 1.0)
    assert np.all(found.error[:, 3:] <= 10.0)
    assert np.isfinite(found.value).all()
    errors = []
    for seasons in (SEASONS[:1], SEASONS):
        sky = make_sky(20, season_times(seasons, per_season=1200 // len(seasons)))
        errors.append(np.median(fit(sky, observe(sky, 1.0), float(sky.times.year.mean())).error, axis=0))
    assert errors[0][2] > 5 * errors[1][2]


@pytest.mark.heavy
@settings(max_examples=20, deadline=None)
@given(st.floats(-20, 20), st.integers(0, 2**31))
def test_neither_epoch_nor_order_of_points_matter(step, seed):
    sky = make_sky(4, season_times(per_season=12), seed=7)
    points = observe(sky, 1.0, outliers=0.02, seed=seed)
    first = fit(sky, points)
    moved = fit(sky, points, epoch=EPOCH + step)
    np.testing.assert_allclose(moved.value[:, 2:], first.value[:, 2:], atol=2e-3)
    expected = first.value[:, :2] + step * first.value[:, 3:]
    np.testing.assert_allclose(moved.value[:, :2], expected, atol=2e-3 * (1 + abs(step)))
    order = np.random.default_rng(seed).permutation(points.exposure.size)
    again = star_points(
        points.object_id,
        points.star[order],
        points.exposure[order],
        points.offset[order],
        points.error[order],
    )
    np.testing.assert_allclose(fit(sky, again).value, first.value, atol=1e-9)


def test_parameters_expected_are_those_that_made_the_offsets():
    sky = make_sky(10, season_times(per_season=10))
    points = observe(sky, 1e-6)
    offsets = expected_offsets(sky.value, points, sky.times, sky.places, EPOCH)
    np.testing.assert_allclose(offsets, points.offset, atol=2e-4)


def few(offset, error, exposures=None):
    """One star with given points."""
    n = len(offset)
    sky = make_sky(1, season_times(per_season=max(n, 1) // 6 + 1))
    points = star_points(
        np.array([5]), np.zeros(n, int), np.arange(n), np.asarray(offset, float).reshape(-1, 2),
        np.asarray(error, float).reshape(-1, 2),
    )  # fmt: skip
    return fit(sky, points), points


@pytest.mark.parametrize(
    ("offset", "error"),
    [
        ([], []),
        ([[1, 2]], [[1, 1]]),
        (np.full((20, 2), np.nan), np.ones((20, 2))),
        (np.ones((20, 2)), np.zeros((20, 2))),
        (np.ones((20, 2)), np.full((20, 2), np.nan)),
        (np.ones((20, 2)), np.full((20, 2), -1.0)),
    ],
)
def test_too_few_points_have_no_solution(offset, error):
    found, points = few(offset, error)
    assert found.status.tolist() == [TOO_FEW_EPOCHS]
    assert np.isnan(found.value).all()
    assert np.isnan(found.covariance).all()
    assert found.n_epoch[0] + found.n_rejected[0] == points.exposure.size
    assert STATUSES[TOO_FEW_EPOCHS] == "too_few_epochs"


def test_offsets_all_alike_are_a_star_at_rest():
    found, _ = few(np.full((20, 2), 3.0), np.ones((20, 2)))
    np.testing.assert_allclose(found.value[0, :2], 3, atol=1e-6)
    np.testing.assert_allclose(found.value[0, 2:], 0, atol=1e-6)


def test_all_at_one_time_is_a_place_with_priors():
    times = ExposureTimes(np.arange(30), np.full(30, EPOCH), np.tile([0.3, -0.9, -0.4], (30, 1)))
    sky = make_sky(1, season_times(per_season=5))
    points = star_points(np.array([1]), np.zeros(30, int), np.arange(30), np.ones((30, 2)), np.ones((30, 2)))
    found = fit_stars(points, times, sky.places, no_frames(30).terms, EPOCH, FitOptions())
    assert found.status.tolist() == [WITH_PRIORS]
    np.testing.assert_allclose(found.error[0, 2:], [1, 10, 10], rtol=0.01)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="observers"):
        ExposureTimes(np.arange(2), np.zeros(2), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="start must lead"):
        StarPoints(np.arange(2), np.array([0, 1]), np.zeros(1, np.int32), np.zeros((1, 2)), np.ones((1, 2)))
    with pytest.raises(ValueError, match="errors"):
        StarPoints(np.arange(1), np.array([0, 1]), np.zeros(1, np.int32), np.zeros((1, 2)), np.ones((2, 2)))
    assert StarPlaces(np.zeros((0, 2, 3)), np.zeros((0, 2))).plane.size == 0
