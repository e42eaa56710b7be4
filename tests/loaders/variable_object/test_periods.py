"""Periods of light curves made with them, and of noise that has none."""

import numpy as np
import pytest
from astropy.timeseries import LombScargle
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.stored_curve.band import Band, usable_band
from loaders.variable_object.periods import fall_of_chi2, find_period, log_false_alarm

TIME = {"F146": np.arange(0, 30, 0.02), "F087": np.arange(0.005, 30, 0.25)}


def curves(shape, period, amplitude, seed=1, noise=1.0):
    """Light curves in two elements, jittered in time; F087 has half of the amplitude."""
    rng = np.random.default_rng(seed)
    out = []
    for name, share in (("F146", 1.0), ("F087", 0.5)):
        time = TIME[name] + rng.uniform(0, 0.003, TIME[name].size)
        flux = 1000 + share * amplitude * shape(time / period % 1) + rng.normal(0, noise, time.size)
        out.append(Band(name, time, flux, np.full(time.size, noise)))
    return out


def sinusoid(phase):
    return np.sin(2 * np.pi * phase)


def sawtooth(phase):
    return 1 - 2 * phase


def unequal_eclipses(phase):
    return -2 * (np.abs(phase - 0.25) < 0.06) - 0.6 * (np.abs(phase - 0.75) < 0.06)


@pytest.mark.parametrize("shape", [sinusoid, sawtooth, unequal_eclipses])
@pytest.mark.parametrize("period", [0.2137, 1.618, 7.3])
def test_a_period_is_found_again(shape, period):
    found = find_period(curves(shape, period, 5.0))
    assert found.period == pytest.approx(period, rel=6e-3)
    assert abs(found.period - period) < 6 * found.error
    assert found.log_false_alarm < -20
    assert found.explained > 0.4
    assert found.element == "F146"


def test_amplitude_and_share_are_those_of_the_sinusoid():
    found = find_period(curves(sinusoid, 0.7, 20.0))
    assert found.amplitude == pytest.approx(40 / 1000, rel=0.02)
    assert found.explained > 0.98


@pytest.mark.heavy
def test_error_is_the_scatter():
    found = [find_period(curves(sinusoid, 0.7, 2.0, seed)) for seed in range(30)]
    pull = np.array([(one.period - 0.7) / one.error for one in found])
    assert 0.7 < pull.std() < 1.4
    assert abs(pull.mean()) < 0.6


def test_the_fall_of_chi2_is_that_of_astropy():
    bands = curves(sinusoid, 0.7, 3.0)
    frequency = 0.5 + 0.01 * np.arange(200)
    expected = np.zeros(200)
    for band in bands:
        flat = np.sum(((band.flux - band.flux.mean()) / band.error) ** 2)
        expected += flat * LombScargle(band.time, band.flux, band.error).power(frequency, method="chi2")
    np.testing.assert_allclose(fall_of_chi2(bands, frequency), expected, rtol=1e-6, atol=1e-3)


@pytest.mark.heavy
def test_noise_has_the_false_alarms_that_are_said():
    rng = np.random.default_rng(3)
    said = []
    for _ in range(150):
        time = np.sort(rng.uniform(0, 30, 120))
        bands = [
            Band("F146", time, rng.normal(0, 1, 120), np.ones(120)),
            Band("F087", time + 0.1, rng.normal(0, 1, 120), np.ones(120)),
        ]
        said.append(find_period(bands).log_false_alarm)
    # The bound is near where it is small; none is below what chance brings.
    share = np.mean(np.array(said) < -1)
    assert 0.01 <= share <= 0.2
    assert min(said) > -5


@settings(deadline=None, max_examples=40)
@given(gain=st.floats(10, 5000), more=st.floats(0.1, 100))
def test_a_larger_fall_is_a_smaller_chance(gain, more):
    bands = curves(sinusoid, 0.7, 3.0)
    small, large = (log_false_alarm(one, bands, 10.0) for one in (gain + more, gain))
    assert small <= large + 1e-9
    assert large <= 1e-9


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_points_have_no_period(count):
    assert find_period([usable_band("F146", TIME["F146"][:count], np.arange(count), np.ones(count))]) is None


def test_no_change_and_no_time_have_no_period():
    n = 50
    assert find_period([Band("F146", np.arange(n) / 10.0, np.ones(n), np.ones(n))]) is None
    assert find_period([]) is None


def test_perfectly_even_sampling_does_no_harm():
    time = np.arange(0, 20, 0.25)
    flux = 100 + 3 * np.sin(2 * np.pi * time / 1.7) + np.random.default_rng(1).normal(0, 1, time.size)
    found = find_period([Band("F087", time, flux, np.ones(time.size))])
    assert found.period == pytest.approx(1.7, rel=0.02)
