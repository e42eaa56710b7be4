"""Stars that move past an object are no lenses of it, and lenses of stars that move are."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from loaders.microlensing.find import SkyCurve, look_at
from loaders.microlensing.judge import judge
from loaders.microlensing.motion import Motion, Mover, best_passage, movers_of, width
from loaders.microlensing.search import EventSearch
from loaders.stored_curve.band import Band
from tests.loaders.microlensing.curves import lensed, times

YEAR, PIXEL = 365.25, 110.0
STEPS = {"F146": 0.05, "F087": 0.25, "F213": 0.26}
SIGMA = {"F146": 0.9, "F087": 0.73, "F213": 1.28}
"""Pixels."""


def leaked(distance, sigma, wings):
    """What least squares measure of a star that far off (pixels): images of a core and wings, summed up."""
    x, y = np.meshgrid(np.arange(-12, 12.05, 0.1), np.arange(-12, 12.05, 0.1))

    def image(off):
        r2 = (x - off) ** 2 + y**2
        return np.exp(-r2 / 2 / sigma**2) / sigma**2 + wings * np.exp(-r2 / 8 / sigma**2) / 4 / sigma**2

    here = image(0.0)
    table = np.linspace(0, 12, 49)
    share = [np.sum(here * image(off)) / np.sum(here**2) for off in table]
    return np.interp(distance, table, share)


def passing(speed, nearest=0.5, wings=0.0, contrast=0.3, t_0=400.0, seed=1):
    """A constant star, and one of part of its light that passes at some pixels."""
    rng = np.random.default_rng(seed)
    bands = []
    for name, step in STEPS.items():
        time = times(step)
        off = np.hypot(nearest, speed / PIXEL * (time - t_0) / YEAR)
        flux = 100 + 100 * contrast * leaked(off, SIGMA[name], wings)
        bands.append(Band(name, time, flux + rng.normal(size=time.size), np.ones(time.size)))
    return bands


def verdict_of(bands, movers):
    return judge(bands, EventSearch().best(bands, 1, 5.0)[0], movers)


def test_the_light_of_a_star_that_passes_has_the_width_that_its_motion_says():
    """The measured share of the light, by images that are multiplied and summed up, falls by e in it."""
    for name, sigma in SIGMA.items():
        mover = Mover(0.1, 200.0, 1.0)
        pixels = width(mover, name) / YEAR * 200.0 / PIXEL
        assert leaked(pixels, sigma, 0.0) == pytest.approx(np.exp(-1), rel=0.03)
        x, y = np.meshgrid(np.arange(-8, 8.1, 0.2), np.arange(-8, 8.1, 0.2))
        image = np.exp(-(x**2 + y**2) / 2 / sigma**2)
        overlap = fftconvolve(image, image, mode="same")
        middle = overlap.shape[0] // 2
        along = np.interp(pixels, x[0], overlap[middle] / overlap.max())
        assert along == pytest.approx(np.exp(-1), rel=0.05)


@pytest.mark.parametrize("wings", [0.0, 0.3])
@pytest.mark.parametrize("contrast", [0.03, pytest.param(0.3, marks=pytest.mark.heavy)])
@pytest.mark.parametrize("speed", [150.0, 900.0])
def test_a_star_that_passes_is_refused_by_its_motion(speed, contrast, wings):
    bands = passing(speed, contrast=contrast, wings=wings)
    without = verdict_of(bands, [])
    found = verdict_of(bands, [Mover(0.2, speed, 3.0), Mover(0.0, 3.0, 0.1)])
    assert without.passage is None
    assert (found.is_event, found.reason) == (False, "moving_star")
    assert (found.passage.mover.speed, found.passage.mover.distance) == (speed, 0.2)
    assert found.passage.ahead > 0


@pytest.mark.parametrize("speed", [30.0, 150.0, 900.0])
@pytest.mark.parametrize(("u_0", "t_e"), [(0.1, 8.0), (0.3, 40.0), (0.6, 150.0)])
def test_a_lens_of_a_star_that_moves_is_an_event(speed, u_0, t_e):
    rng = np.random.default_rng(4)
    bands = []
    for name, step in STEPS.items():
        time = times(step)
        flux = 100 * lensed(time, 400.0, u_0, t_e) + rng.normal(size=time.size)
        bands.append(Band(name, time, flux, np.ones(time.size)))
    found = verdict_of(bands, [Mover(0.0, speed, 0.5), Mover(0.3, speed, 0.5)])
    assert found.is_event
    assert found.passage.ahead < 0


def test_a_motion_that_is_not_certain_refuses_nothing():
    bands = passing(400.0)
    unknown = [
        Mover(0.1, 400.0, 100.0), Mover(0.1, np.nan, 1.0), Mover(0.1, 400.0, np.nan), Mover(0.1, 400.0, 0.0),
        Mover(0.1, 5.0, 0.1),
    ]  # fmt: skip
    assert best_passage(bands, unknown) is None
    assert best_passage(bands, []) is None
    same, plain = verdict_of(bands, unknown), verdict_of(bands, [])
    assert (same.reason, same.passage) == (plain.reason, None)


def test_neighbours_move_against_the_object_and_the_object_against_the_sky():
    own, near = Motion(1, 0.0, 3.0, 4.0, 0.3, 0.4), Motion(2, 0.2, -3.0, 12.0, 1.0, 0.2)
    itself, other = movers_of(1, [own, near])
    assert (itself.speed, itself.error, itself.distance) == (5.0, 0.4, 0.0)
    assert (other.speed, other.distance) == (10.0, 0.2)
    assert other.error == pytest.approx(np.hypot(1.0, 0.4))
    (alone,) = movers_of(1, [near])
    assert alone.speed == pytest.approx(np.hypot(3, 12))
    assert movers_of(1, []) == []
    nothing = Motion(1, 0.0, np.nan, 4.0, np.nan, 0.4)
    hidden, still = movers_of(1, [nothing, near])
    assert not hidden.is_known
    assert still.speed == pytest.approx(np.hypot(3, 12))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_epochs_have_no_passage_that_could_fail(count):
    band = Band("F146", np.arange(float(count)), np.full(count, 5.0), np.ones(count))
    assert look_at(SkyCurve(1, 268.0, -29.0, [band], [Mover(0.0, 400.0, 1.0)])) == []
