"""Noise that neighbouring points share is no event, and noise of single points is not red."""

import numpy as np
import pytest

from loaders.microlensing.judge import judge
from loaders.microlensing.red_noise import red_noise
from loaders.microlensing.search import EventSearch
from loaders.stored_curve.band import Band
from tests.loaders.microlensing.curves import event, times


def days_off(time, size, rng):
    """Each day is off by an error of its own."""
    day = np.floor(time - time[0]).astype(int)
    return size * rng.standard_normal(day[-1] + 1)[day]


def test_means_scatter_as_the_variances_of_points_and_of_days_say():
    rng = np.random.default_rng(1)
    time = times(0.01)
    pull = rng.normal(size=time.size)
    assert red_noise(time, pull, 40.0, 1.0) == pytest.approx(1, abs=0.1)
    red = pull + days_off(time, 0.5, rng)
    assert red_noise(time, red, 40.0, 1.0) == pytest.approx(np.sqrt(1 + 100 * 0.25), rel=0.15)


def test_a_brightening_does_not_make_noise_red():
    rng = np.random.default_rng(1)
    time = times(0.01)
    pull = rng.normal(size=time.size) + 50 * (np.abs(time - 40) < 2)
    assert red_noise(time, pull, 40.0, 1.0) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_few_points_or_bins_do_not_tell(count):
    time = np.arange(float(count))
    assert red_noise(time, np.full(count, 9.0), 40.0, 5.0) == 1.0


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(6))
def test_days_that_are_off_are_no_event_and_a_lens_among_them_is_one(seed):
    rng = np.random.default_rng(seed)
    constant, lens = [], []
    for band in event(30.0, 0.4, 2.0, rng=rng, seasons=(0.0, 182.0)):
        off = days_off(band.time, 0.5, rng)
        noise = 100 + off + rng.normal(size=band.time.size)
        constant.append(Band(band.name, band.time, noise, band.error))
        lens.append(Band(band.name, band.time, band.flux + off, band.error))
    for candidate in EventSearch().best(constant, 3, 5.0):
        assert not judge(constant, candidate).is_event
    verdict = judge(lens, EventSearch().best(lens, 1, 5.0)[0])
    assert verdict.is_event
    assert abs(verdict.fit.t_0 - 30.0) < 0.1
