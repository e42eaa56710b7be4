"""Joined points, against the curve that they are means of."""

import numpy as np

from loaders.event_models.condense import condense_about, condense_bent, condense_faithfully
from loaders.stored_curve.band import Band

SCALE = (0.0, 3.0, 20.0)


def spiked():
    """A smooth rise with a spike of an hour, as when a source crosses a caustic, without noise."""
    time = np.arange(-60, 60, 0.01)
    flux = 1000 / np.hypot(1.0, time / 3.0) + 400 * np.exp(-0.5 * ((time - 1.3) / 0.04) ** 2)
    return Band("F146", time, flux, np.full(time.size, 5.0))


def off(band, few):
    """How far joined points are off the curve at their times, errors."""
    return np.abs(few.flux - np.interp(few.time, band.time, band.flux)) / few.error


def test_points_are_not_joined_where_their_mean_is_off_the_model():
    band = spiked()
    (old,) = condense_about([band], SCALE, [], 40)
    (new,) = condense_faithfully([band], SCALE, [], 40, [band.flux])
    assert off(band, old).max() > 5
    assert off(band, new).max() < 0.6
    # Elsewhere they are joined as before, and no point is lost.
    assert len(new) < len(old) + 120
    away = np.abs(new.time - 1.3) > 2.0
    assert np.isin(new.time[away], old.time).all()
    for name in (old, new):
        assert np.isclose(np.sum(name.error**-2), np.sum(band.error**-2))


def test_what_is_smooth_is_joined_as_without_a_model():
    band = spiked()
    flux = 1000 / np.hypot(1.0, band.time / 3.0)
    (old,) = condense_about([band], SCALE, [], 40)
    (new,) = condense_faithfully([band], SCALE, [], 40, [flux])
    np.testing.assert_array_equal(new.time, old.time)
    np.testing.assert_array_equal(new.flux, old.flux)


def test_an_element_without_points_stays_empty():
    none = Band("F087", np.empty(0), np.empty(0), np.empty(0))
    (few,) = condense_faithfully([none], SCALE, [], 40, [np.empty(0)])
    assert len(few) == 0


def test_points_are_not_joined_where_they_are_not_straight_though_no_model_says_so():
    band = spiked()
    noise = np.random.default_rng(5).normal(0, 5, len(band))
    noisy = Band(band.name, band.time, band.flux + noise, band.error)
    (old,) = condense_about([noisy], SCALE, [], 40)
    (new,) = condense_bent([noisy], SCALE, [], 40)
    # The curve itself, without its noise, as means of the same points have it.
    for few, least, most in ((old, 5, np.inf), (new, 0, 1.0)):
        sizes = np.rint(few.error**-2 * 25).astype(int)
        start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        assert sizes.sum() == len(band)
        means = np.add.reduceat(band.flux, start) / sizes
        worst = off(band, Band("F146", few.time, means, few.error)).max()
        assert least < worst < most
    away = np.abs(new.time - 1.3) > 2.0
    assert len(new) < len(old) + 120
    assert np.isin(new.time[away], old.time).mean() > 0.99


def test_straight_lines_and_elements_of_few_points_are_joined_as_before():
    time = np.arange(0.0, 50.0, 0.01)
    flux = 30 * time + np.random.default_rng(3).normal(0, 5, time.size)
    line = Band("F146", time, flux, np.full(time.size, 5.0))
    two = line.take(np.array([0, 1]))
    for band in (line, two, line.take(np.zeros(time.size, dtype=bool))):
        (old,), (new,) = (join([band], SCALE, [], 40) for join in (condense_about, condense_bent))
        np.testing.assert_array_equal(new.time, old.time)
