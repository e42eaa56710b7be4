"""Changed light curves: noise of photons, turned back and upside down."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.event_efficiency.points import extra_variance, pivot_of
from loaders.light_curve_simulation.noise import band_noise

from .stars import FLUX, constant


def test_photons_bring_the_noise_of_their_number():
    """Poisson: n electrons have the variance n; the floor of a thousandth is of the whole flux."""
    extra = np.array([0.0, 10.0, 5e4])
    electrons = band_noise("F146").electrons
    expected = extra / electrons + 1e-6 * ((FLUX + extra) ** 2 - FLUX**2)
    assert extra_variance("F146", FLUX, extra, np.ones(3)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_an_element_without_a_noise_model_is_all_photons():
    error = np.array([3.0, 3.0])
    variance = extra_variance("F062", 100.0, np.array([0.0, 100.0]), error)
    # Twice the light has twice the variance.
    assert error**2 + variance == pytest.approx([9.0, 18.0])
    assert extra_variance("F062", -5.0, np.ones(2), error).tolist() == [0.0, 0.0]


def test_errors_of_a_brighter_star_are_those_of_its_scatter():
    star = constant(error=30.0)
    bright = star.brighter(np.full(star.flux.size, 5 * FLUX), FLUX, np.random.default_rng(3))
    pull = (bright.flux - 6 * FLUX) / bright.error
    assert bright.error.min() > star.error.max()
    # The standard deviation of n normal numbers has the error 1 / sqrt(2 n).
    assert np.std(pull) == pytest.approx(1, abs=5 / np.sqrt(2 * pull.size))


def test_no_light_changes_nothing():
    star = constant()
    same = star.brighter(np.zeros(star.flux.size), FLUX, np.random.default_rng(3))
    assert np.array_equal(same.flux, star.flux)
    assert np.array_equal(same.error, star.error)


def test_twice_backwards_and_twice_upside_down_is_as_it_was():
    star = replace(constant(), flags=np.arange(3000, dtype=np.uint16))
    pivot = pivot_of([star])
    back = star.backwards(pivot)
    assert np.all(np.diff(back.time) > 0)
    assert back.flux[0] == star.flux[-1]
    again = back.backwards(pivot)
    assert again.time == pytest.approx(star.time, abs=1e-8)
    assert np.array_equal(again.flags, star.flags)
    assert star.inverted(FLUX).inverted(FLUX).flux == pytest.approx(star.flux)


def test_points_that_do_not_count():
    star = constant()
    flags = star.flags.copy()
    flags[:10], star.flux[10:20], star.error[20:30] = 1, np.nan, 0
    star = replace(star, flags=flags)
    assert star.counting(7).sum() == star.flux.size - 30
    assert len(star.band(7)) == star.flux.size - 30
    good = star.flux[30:].astype(float)
    assert star.mean(7) == pytest.approx(good.mean(), rel=1e-6)
    assert np.isnan(replace(star, flags=np.ones_like(flags)).mean(7))
