"""What residuals hold together, and how light curves are condensed about it."""

import numpy as np
import pytest

from loaders.event_models.condense import condense_about
from loaders.event_models.structure import windows
from loaders.stored_curve.band import Band


def test_noise_has_no_windows():
    rng = np.random.default_rng(1)
    for _ in range(5):
        assert windows(np.arange(50_000.0), rng.normal(size=50_000)) == []


def test_a_bump_is_a_window_of_its_time_length_and_side():
    rng = np.random.default_rng(2)
    time, pull = np.arange(5000.0), rng.normal(size=5000)
    pull[1000:1100] += 2.0
    pull[3000:3020] -= 3.0
    first, second = windows(time, pull)
    assert first.begin == pytest.approx(1000, abs=15)
    assert first.end == pytest.approx(1099, abs=15)
    assert first.pull > 15
    assert second.middle == pytest.approx(3010, abs=5)
    assert second.pull < -8


def test_single_outliers_are_no_windows():
    pull = np.random.default_rng(3).normal(size=5000)
    pull[2000] = 8.0
    assert windows(np.arange(5000.0), pull) == []


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_points_have_no_windows(count):
    assert windows(np.arange(float(count)), np.full(count, 9.0)) == []


def test_points_are_kept_where_something_is_left():
    time = np.arange(0.0, 60.0, 0.01)
    band = Band("F146", time, np.ones(time.size), np.ones(time.size))
    left = windows(time, np.where(np.abs(time - 35.0) < 0.3, 10.0, 0.0))
    (plain,), (fine,) = (condense_about([band], (20.0, 5.0, 10.0), some, 15) for some in ([], left))
    assert np.sum(np.abs(fine.time - 35.0) < 0.3) >= 15
    assert np.sum(np.abs(plain.time - 35.0) < 0.3) < 5
    assert np.sum(fine.error**-2.0) == pytest.approx(time.size)


@pytest.mark.parametrize("second", [9.0, 20.0])
def test_two_outliers_side_by_side_are_no_window_and_three_are(second):
    pull = np.random.default_rng(4).normal(size=5000)
    pull[2000:2002] = 23.0, second
    assert windows(np.arange(5000.0), pull) == []
    pull[2002] = 9.0
    (found,) = windows(np.arange(5000.0), pull)
    assert found.begin <= 2000 < 2002 <= found.end
