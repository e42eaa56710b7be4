"""Frames of exposures: what was put in comes out, and what exposures can't tell is the catalog's."""

import numpy as np
import pytest

from loaders.astrometric_solution.frame_fit import fit_frames
from loaders.astrometric_solution.gauge import Anchors, gauge_field, zero_errors
from loaders.astrometric_solution.points import star_points
from loaders.astrometric_solution.solve import FrameOptions, frame_kind, reference_epoch, solve_frames
from loaders.astrometric_solution.star_fit import FitOptions, fit_stars
from tests.loaders.astrometric_solution.sky import make_sky, observe, season_times, truth_at

N_STAR, N_ANCHOR, CATALOG_ERROR = 250, 80, 0.02


def displaced(n, linear=0.2, seed=4):
    """Exposures that are off by 1 mas, and by terms linear in place, mas/arcmin."""
    rng = np.random.default_rng(seed)
    terms = np.zeros((n, 3, 2))
    terms[:, 0] = rng.normal(0, 1, (n, 2))
    terms[:, 1:] = rng.normal(0, linear, (n, 2, 2))
    return terms


def anchors_of(sky, n_anchor, seed=6):
    rng = np.random.default_rng(seed)
    error, value = np.full((len(sky.ra), 5), np.nan), np.zeros((len(sky.ra), 5))
    error[:n_anchor] = CATALOG_ERROR
    truth = truth_at(sky, reference_epoch(sky.times))
    value[:n_anchor] = truth[:n_anchor] + CATALOG_ERROR * rng.standard_normal((n_anchor, 5))
    return Anchors(value, error)


@pytest.fixture(scope="module")
def sky():
    return make_sky(N_STAR, season_times(per_season=40))


@pytest.fixture(scope="module")
def frame(sky):
    return displaced(len(sky.times))


@pytest.fixture(scope="module")
def solved(sky, frame):
    points = observe(sky, 1.0, frame=frame, outliers=0.03)
    return solve_frames(points, sky.times, sky.places, anchors_of(sky, N_ANCHOR))


def test_exposures_are_placed_to_the_noise_of_their_stars(solved, frame):
    assert solved.kind == "linear"
    assert solved.n_round < 10
    off = solved.frames.terms - frame
    # 225 stars of 1 mas an exposure: 0.067 mas; were they not placed it would be 1.
    assert off[:, 0].std() < 0.09
    assert off[:, 1:].std() < 0.06
    assert solved.frames.rms.mean() == pytest.approx(1, abs=0.1)


def test_pulls_of_motions_and_parallaxes_are_normal(solved, sky):
    pull = (solved.stars.value - truth_at(sky, reference_epoch(sky.times))) / solved.stars.error
    assert np.all((pull[:, 2:].std(axis=0) > 0.9) & (pull[:, 2:].std(axis=0) < 1.1))
    # The mean has the errors of the anchors.
    assert np.all(np.abs(pull.mean(axis=0)) < 0.5)


def test_other_stars_on_the_same_exposures_are_right_too(solved, frame):
    sky = make_sky(300, season_times(per_season=40), seed=77)
    points = observe(sky, 1.5, frame=frame, outliers=0.03, seed=78)
    epoch = reference_epoch(sky.times)
    found = fit_stars(points, sky.times, sky.places, solved.frames.terms, epoch, FitOptions())
    pull = (found.value - truth_at(sky, epoch)) / found.error
    assert np.all((pull[:, 2:].std(axis=0) > 0.9) & (pull[:, 2:].std(axis=0) < 1.1))


def test_without_placing_exposures_pulls_would_be_off(sky, frame):
    """What the frames are good for: errors of exposures are no noise of a star."""
    points = observe(sky, 0.3, frame=frame)
    epoch = reference_epoch(sky.times)
    placed = solve_frames(points, sky.times, sky.places, anchors_of(sky, N_ANCHOR)).stars
    left = fit_stars(points, sky.times, sky.places, np.zeros_like(frame), epoch, FitOptions())
    truth = truth_at(sky, epoch)
    assert (left.value - truth)[:, 2].std() > 2 * (placed.value - truth)[:, 2].std()


def test_relative_frames_take_the_mean_of_all_for_what_is_catalogued(sky, frame):
    points = observe(sky, 1.0, frame=frame)
    none = Anchors(np.zeros((N_STAR, 5)), np.full((N_STAR, 5), np.nan))
    stars = solve_frames(points, sky.times, sky.places, none).stars
    off = stars.value - truth_at(sky, reference_epoch(sky.times))
    design = np.column_stack([np.ones(N_STAR), sky.plane])
    left = off - design @ np.linalg.lstsq(design, off, rcond=None)[0]
    pull = left / stars.error
    assert np.all(np.abs(pull.std(axis=0) - 1) < 0.15)
    assert np.all(np.abs(stars.value.mean(axis=0)) < 0.5)


def test_fields_that_exposures_cannot_tell_are_fifteen(sky):
    """Any linear field of the parameters is taken up by the exposures without rest."""
    points = observe(sky, 1e-3, missing=0.0)
    design = np.column_stack([np.ones(N_STAR), sky.plane])
    rng = np.random.default_rng(3)
    field = rng.normal(0, 1, (3, 5)) * np.array([[1], [0.1], [0.1]])
    t = sky.times.year - 2029.5
    factor = np.einsum("mcx,nx->mnc", sky.places.factor_row, sky.times.observer)
    more = design @ field
    exact = more[:, None, :2] + factor * more[:, 2][:, None, None] + t[None, :, None] * more[:, None, 3:]
    residual = exact.reshape(-1, 2)
    frames = fit_frames(points, residual, sky.places, len(sky.times), 3, 20)
    # Factors of the parallax differ by 1e-3 from star to star.
    assert frames.rms.max() < 3e-3


def test_anchors_say_which_field_it_is():
    rng = np.random.default_rng(1)
    plane = rng.uniform(-3, 3, (200, 2))
    design = np.column_stack([np.ones(200), plane])
    field = rng.normal(0, 1, (3, 5))
    error = np.full((200, 5), np.nan)
    error[:40] = 0.01
    value = design @ field
    value[40:] += 5
    # An anchor whose catalogued motion is wrong does not count.
    value[0] += 30
    found = gauge_field(value, np.full((200, 5), 0.02), plane, Anchors(np.zeros((200, 5)), error), 3)
    np.testing.assert_allclose(found, field, atol=1e-6)
    zero = zero_errors(np.full((200, 5), 0.02), Anchors(np.zeros((200, 5)), error))
    np.testing.assert_allclose(zero, np.hypot(0.01, 0.02) / np.sqrt(40))
    none = Anchors(np.zeros((200, 5)), np.where(np.arange(200)[:, None] < 9, 0.1, np.nan) * np.ones(5))
    assert np.isnan(zero_errors(np.full((200, 5), 0.02), none)).all()


@pytest.mark.parametrize(("n_star", "kind"), [(4, "catalog"), (25, "shift"), (120, "linear")])
def test_terms_are_as_many_as_stars_allow(n_star, kind):
    sky = make_sky(n_star, season_times(per_season=8))
    frame = displaced(len(sky.times), linear=0.0)
    points = observe(sky, 0.2, frame=frame)
    found = solve_frames(points, sky.times, sky.places, anchors_of(sky, n_star))
    assert found.kind == kind
    assert frame_kind(points, len(sky.times), FrameOptions()) == kind
    if kind == "catalog":
        assert not found.frames.terms.any()
    else:
        assert (found.frames.terms - frame)[:, 0].std() < 0.15


def test_an_exposure_with_too_few_stars_has_no_place_and_is_left_out():
    sky = make_sky(60, season_times(per_season=10))
    points = observe(sky, 0.5, missing=0.0)
    keep = (points.exposure != 3) | (points.star < 5)
    some = star_points(
        points.object_id,
        points.star[keep],
        points.exposure[keep].astype(int),
        points.offset[keep],
        points.error[keep],
    )
    found = solve_frames(some, sky.times, sky.places, anchors_of(sky, 30))
    assert np.isnan(found.frames.terms[3]).all()
    assert found.stars.n_epoch.max() == len(sky.times) - 1
