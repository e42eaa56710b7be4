"""An event refined from arrays: place, fluxes and errors against the truth, and what cannot be refined."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.photometry.fit import photometer
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.noise import NoiseModel
from loaders.photometry.options import FitOptions
from loaders.refined_photometry.exposures import Cutouts
from loaders.refined_photometry.refine import (
    EventCourse,
    RefinedEvent,
    RefineJob,
    Status,
    close_neighbours,
    informative,
    refine_event,
    refine_job,
)
from tests.loaders.refined_photometry.scenes import (
    HALF,
    NOBODY,
    POISSON,
    READ,
    SIDE,
    Truth,
    blended,
    placed_psf,
    psf,
)


@functools.cache
def case(seed: int) -> tuple[Truth, RefinedEvent]:
    truth = blended(seed, alone=0.6)
    return truth, truth.refined()


SEEDS = range(4)


def every_day(truth: Truth) -> np.ndarray:
    """Flux of the object as the photometry of every day has it: all stars anew in each exposure."""
    cutouts, options = truth.cutouts, FitOptions(threads=1)
    flux = []
    for e in range(len(cutouts)):
        image = PixelImage(cutouts.data[e], NoiseModel(READ, POISSON), cutouts.usable[e])
        flux.append(
            photometer(image, StarList(cutouts.x[e], cutouts.y[e], truth.stars.flux), psf(), options).flux[0]
        )
    return np.array(flux)


def least_errors(truth: Truth) -> np.ndarray:
    """Errors of the flux of a star of which all else is known: the Cramér-Rao bound."""
    cutouts, turn = truth.cutouts, truth.cutouts.to_pixel[0]
    x, y = cutouts.x[:, 0] + turn[0] @ truth.offset, cutouts.y[:, 0] + turn[1] @ truth.offset
    light = placed_psf().light(x, y, SIDE)[0].reshape(-1, SIDE, SIDE)
    return np.sum(light**2 / (READ + POISSON * truth.mean), axis=(1, 2)) ** -0.5


@pytest.mark.heavy
@pytest.mark.parametrize("seed", SEEDS)
def test_the_place_is_that_of_the_source_and_not_of_the_blend(seed):
    truth, refined = case(seed)
    assert refined.status is Status.FITTED
    off = refined.scene.state.place - truth.offset
    assert np.abs(off).max() < 2.0
    covariance = refined.scene.place_covariance
    # Two degrees of freedom: one in 10⁴ is farther off.
    assert off @ np.linalg.solve(covariance, off) < 18.4
    assert np.sqrt(np.diag(covariance)).max() < 1.0


@pytest.mark.heavy
def test_errors_of_places_are_right():
    pulls = []
    for seed in SEEDS:
        truth, refined = case(seed)
        error = np.sqrt(np.diag(refined.scene.place_covariance))
        pulls += [*((refined.scene.state.place - truth.offset) / error)]
    # Places of neighbours are as catalogued here, which the errors do not know.
    assert np.sqrt(np.mean(np.square(pulls))) < 1.8


@pytest.mark.parametrize("seed", SEEDS)
def test_fluxes_are_the_truth_within_their_errors(seed):
    truth, refined = case(seed)
    fluxes = refined.fluxes["F146"]
    pull = (fluxes.flux[0] - truth.flux) / fluxes.flux_err[0]
    # The constant light of all exposures is shared, so that its error moves all pulls.
    assert abs(np.mean(pull)) < 1.0
    assert 0.75 < np.std(pull) < 1.3
    assert np.median(fluxes.reduced_chi2) == pytest.approx(1.0, abs=0.1)
    peak = truth.magnification > 3
    amplitude = np.mean(fluxes.flux[0][peak]) - np.mean(fluxes.flux[0][truth.magnification < 1.05])
    true = np.mean(truth.flux[peak]) - np.mean(truth.flux[truth.magnification < 1.05])
    assert amplitude == pytest.approx(true, rel=0.01)


@pytest.mark.heavy
def test_scatter_is_near_the_bound_and_below_that_of_every_day():
    ratio, gain = [], []
    for seed in SEEDS:
        truth, refined = case(seed)
        fluxes, daily = refined.fluxes["F146"], every_day(truth)
        ratio.append(fluxes.flux_err[0] / least_errors(truth))
        rest = truth.magnification < 1.3
        for part in (rest, ~rest):
            new, old = ((one - truth.flux)[part] for one in (fluxes.flux[0], daily))
            gain.append((np.std(new), np.std(old)))
    # Sky and shift of each exposure are unknown, too, and the neighbours' light is known to 0.2 %.
    assert 1.0 < np.median(ratio) < 1.15
    gain = np.array(gain)
    assert np.all(gain[:, 0] < 1.02 * gain[:, 1])
    assert np.mean(gain[:, 0] / gain[:, 1]) < 0.9


def test_an_unknown_blend_is_told_from_its_source():
    """The steady light of the source is not where the blend is, whatever the model says of its share."""
    truth, _ = case(0)
    refined = truth.refined(course=EventCourse(truth.magnification - 1, np.nan))
    assert np.abs(refined.scene.state.place - truth.offset).max() < 2.0
    baseline = refined.scene.state.flux[0] + refined.scene.steady
    assert baseline == pytest.approx(truth.flux.min(), rel=0.03)


@pytest.mark.heavy
def test_a_wrong_course_does_not_move_the_place():
    """Half as long as it was: the light counts as measured, not as the model has it."""
    truth, _ = case(1)
    wrong = blended(1, alone=0.6, t_e=0.75).magnification - 1
    refined = truth.refined(course=EventCourse(wrong, truth.source))
    assert refined.status is Status.FITTED
    assert np.abs(refined.scene.state.place - truth.offset).max() < 2.0
    pull = (refined.fluxes["F146"].flux[0] - truth.flux) / refined.fluxes["F146"].flux_err[0]
    assert np.std(pull) < 1.3


@pytest.mark.heavy
def test_hits_are_left_out_and_dead_pixels_do_not_count():
    truth, _ = case(2)
    rng = np.random.default_rng(5)
    data, usable = truth.cutouts.data.copy(), truth.cutouts.usable.copy()
    for e in range(len(truth.cutouts)):
        j, i = rng.integers(HALF - 4, HALF + 5, 2)
        data[e, j, i] += 3000.0
        usable[e, rng.integers(0, SIDE), rng.integers(0, SIDE)] = False
    data[~usable] = 1e6
    refined = truth.refined(cutouts=replace(truth.cutouts, data=data, usable=usable))
    assert refined.status is Status.FITTED
    assert np.abs(refined.scene.state.place - truth.offset).max() < 2.5
    fluxes = refined.fluxes["F146"]
    assert fluxes.state.rejected.sum() > 0.8 * len(truth.cutouts)
    pull = (fluxes.flux[0] - truth.flux) / fluxes.flux_err[0]
    assert np.std(pull) < 1.5
    masked = (fluxes.flags[0] & PhotometryFlag.MASKED) != 0
    assert 0 < masked.sum() < 20


@pytest.mark.heavy
def test_a_neighbour_that_varies_disturbs_nothing():
    truth = blended(3, alone=0.6, varying=0.3)
    refined = truth.refined()
    assert np.abs(refined.scene.state.place - truth.offset).max() < 2.0
    pull = (refined.fluxes["F146"].flux[0] - truth.flux) / refined.fluxes["F146"].flux_err[0]
    assert np.std(pull) < 1.3


def test_neighbours_are_measured_without_the_light_of_the_event():
    truth = blended(4, alone=0.9)
    offset = (truth.cutouts.x[0] - truth.cutouts.x[0, 0], truth.cutouts.y[0] - truth.cutouts.y[0, 0])
    near = close_neighbours(110 * offset[0], 110 * offset[1], truth.stars, within=500.0)
    assert near.size
    refined = truth.refined(near)
    fluxes = refined.fluxes["F146"]
    peak = truth.magnification > 3
    for row in range(1, near.size + 1):
        high, low = fluxes.flux[row][peak], fluxes.flux[row][~peak]
        error = np.hypot(
            np.std(low) / np.sqrt(low.size), np.mean(fluxes.flux_err[row][peak]) / np.sqrt(peak.sum())
        )
        assert abs(np.mean(high) - np.mean(low)) < 4 * error


def test_light_that_does_not_show_is_measured_at_the_catalogued_place():
    truth = blended(6, u_0=3.0, alone=0.6, separation=(20.0, -14.0))
    refined = truth.refined()
    assert refined.status is Status.NOT_VISIBLE
    assert refined.scene.state.place.tolist() == [0, 0]
    fluxes = refined.fluxes["F146"]
    pull = (fluxes.flux[0] - truth.flux) / fluxes.flux_err[0]
    assert np.std(pull) < 1.3


@pytest.mark.heavy
def test_between_two_exposures_nothing_shows():
    """The event was over before the next exposure."""
    truth = blended(6, t_0=5.0, u_0=0.1, t_e=0.004, alone=0.6)
    assert truth.magnification.max() < 1.05
    assert truth.refined().status is Status.NOT_VISIBLE


@pytest.mark.parametrize(
    ("n", "usable", "status"),
    [(9, True, Status.FEW_EXPOSURES), (1, True, Status.FEW_EXPOSURES), (12, False, Status.NO_PIXELS)],
)
def test_what_cannot_be_refined_says_so(n, usable, status):
    truth = blended(0, n=n)
    pixels = np.full(truth.cutouts.usable.shape, usable)
    refined = truth.refined(cutouts=replace(truth.cutouts, usable=pixels))
    assert refined.status is status
    assert refined.fluxes is None


def test_without_exposures_there_is_nothing():
    assert refine_event({}, {}, {}, NOBODY).status is Status.NO_EXPOSURE
    assert refine_job(Status.NO_MODEL).status is Status.NO_MODEL


def test_numbers_that_are_none_end_in_a_status():
    truth = blended(0, n=12)
    job = RefineJob(
        {"F146": replace(truth.cutouts, to_pixel=np.full((12, 2, 2), np.nan))},
        {"F146": truth.stars},
        {"F146": truth.course},
        NOBODY,
    )
    assert refine_job(job).status is Status.FIT_FAILED


def test_one_exposure_without_pixels_has_no_flux():
    truth = blended(7, n=24, alone=0.6)
    usable = truth.cutouts.usable.copy()
    usable[3, HALF - 4 : HALF + 5, HALF - 4 : HALF + 5] = False
    refined = truth.refined(cutouts=replace(truth.cutouts, usable=usable))
    fluxes = refined.fluxes["F146"]
    assert np.isnan(fluxes.flux[0, 3]) or fluxes.flux_err[0, 3] > 20 * np.nanmedian(fluxes.flux_err[0])
    assert np.isfinite(np.delete(fluxes.flux[0], 3)).all()


@pytest.mark.heavy
def test_another_element_is_measured_at_the_same_place():
    truth, other = blended(8, alone=0.6), blended(8, alone=0.6, n=20)
    refined = refine_event(
        {"F146": truth.cutouts, "F087": other.cutouts},
        {"F146": truth.stars, "F087": other.stars},
        {"F146": truth.course, "F087": other.course},
        NOBODY,
    )
    assert refined.element == "F146"
    fluxes = refined.fluxes["F087"]
    assert fluxes.state.place.tolist() == refined.scene.state.place.tolist()
    pull = (fluxes.flux[0] - other.flux) / fluxes.flux_err[0]
    assert abs(np.mean(pull)) < 1.5
    assert np.std(pull) < 1.5


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 3000), st.integers(2, 500), st.integers(0, 2**32 - 1))
def test_informative_exposures_are_as_many_as_asked_for_and_the_brightest_among_them(n, most, seed):
    course = np.random.default_rng(seed).normal(size=n)
    rows = informative(course, most)
    assert np.array_equal(rows, np.unique(rows))
    assert rows.size == min(n, most)
    brightest = np.argsort(-np.abs(course), kind="stable")[: most // 2]
    assert set(brightest) <= set(rows) or n <= most


@settings(max_examples=40, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
def test_light_moves_with_its_star_and_slopes_are_its_derivatives(x, y):
    at = (np.array([HALF + x]), np.array([HALF + y]))
    step = 1e-4
    light = placed_psf().light(*at, SIDE)
    assert light[0].sum() == pytest.approx(0.95, abs=0.04)
    for axis in (0, 1):
        ahead, behind = ([*at], [*at])
        ahead[axis], behind[axis] = at[axis] + step, at[axis] - step
        slope = (placed_psf().light(*ahead, SIDE)[0] - placed_psf().light(*behind, SIDE)[0]) / (2 * step)
        # At the edge of its stamp a star ends.
        inner = np.hypot(*(np.indices((SIDE, SIDE)) - np.array([at[1], at[0]])[:, None])).ravel() < 6
        assert light[1 + axis][0][inner] == pytest.approx(slope[0][inner], abs=1e-5)


def test_cutouts_of_unequal_lengths_are_refused():
    cutouts: Cutouts = blended(0, n=3).cutouts
    with pytest.raises(ValueError, match="one entry of everything"):
        replace(cutouts, bjd=np.zeros(2))
    with pytest.raises(ValueError, match="one shape"):
        replace(cutouts, x=cutouts.x[:, 1:])
