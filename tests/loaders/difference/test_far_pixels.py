"""Pixels far beyond the noise: what changed is not among them, what was not subtracted well is."""

import numpy as np
import pytest
from scipy.special import erfc

from loaders.difference.far_pixels import far_pixels, fraction_beyond, of_changes
from loaders.difference.matching import Difference
from tests.loaders.photometry.scenes import gaussian_psf, star_pixels

SHAPE = (120, 120)
PSF = gaussian_psf(0.9, half_width=8)
AT = np.array([60.3]), np.array([40.8])
CHANGE = 400.0


def difference(data):
    """Of unit noise; the last column does not count."""
    usable = np.ones(SHAPE, dtype=bool)
    usable[:, -1] = False
    data = np.where(usable, data, 0).astype(np.float32)
    one = np.ones(SHAPE, dtype=np.float32)
    return Difference(data, one, usable, one, np.ones((1, 1)), 1.0, 0.3, 1.0)


def noise(seed=1):
    return np.random.default_rng(seed).normal(size=SHAPE)


def star(flux):
    return flux * star_pixels(SHAPE, *AT, 0.9).reshape(SHAPE)


def explained(data, kind, varies=False):
    change = (*AT, np.array([CHANGE]))
    return of_changes(difference(data), PSF, change, np.array([kind]), np.array([varies]))


def test_noise_has_none():
    assert fraction_beyond(difference(noise()), 2) < 2 / (SHAPE[0] * SHAPE[1])


@pytest.mark.parametrize(("kind", "varies"), [("variable", False), ("new", False), ("hit", True)])
def test_a_star_that_changes_is_not_counted(kind, varies):
    data = noise() + star(CHANGE)
    changed = explained(data, kind, varies)
    assert far_pixels(difference(data), 1).sum() > 10
    assert fraction_beyond(difference(data), 1, changed) < 1e-4
    np.testing.assert_array_equal(changed[:, :-1], star(CHANGE)[:, :-1] > 0.5)
    assert not changed[:, -1].any()


@pytest.mark.parametrize("kind", ["dipole", "hit", "edge"])
def test_what_is_not_of_a_change_is_counted(kind):
    data = noise() + star(CHANGE)
    changed = explained(data, kind)
    assert not changed.any()
    usable = SHAPE[0] * (SHAPE[1] - 1)
    assert fraction_beyond(difference(data), 1, changed) == pytest.approx(
        (np.abs(data[:, :-1]) > 5).sum() / usable
    )


def test_other_stars_that_were_not_subtracted_are_counted_beside_one_that_changes():
    other = star_pixels(SHAPE, np.array([90.0]), np.array([90.0]), 0.9).reshape(SHAPE)
    data = noise() + star(CHANGE) + 300 * other
    rest = fraction_beyond(difference(data), 1, explained(data, "variable"))
    assert rest * SHAPE[0] * SHAPE[1] == pytest.approx((300 * other > 5).sum(), abs=3)


def test_phases_are_held_against_their_own_scatter_but_stars_stand_out_of_them():
    data = 0.7 * noise()
    data[1::2, ::2] *= 3.0
    usable = SHAPE[0] * (SHAPE[1] - 1)
    tail = erfc(5 / 2.1 / np.sqrt(2)) / 4
    assert fraction_beyond(difference(data), 1) == pytest.approx(tail, abs=4 * np.sqrt(tail / usable))
    assert fraction_beyond(difference(data), 2) < 0.1 * tail
    assert far_pixels(difference(data + star(CHANGE)), 2).sum() > 10


def test_noise_that_is_stated_too_small_everywhere_is_not_hidden():
    usable = SHAPE[0] * (SHAPE[1] - 1)
    tail = erfc(2.5 / np.sqrt(2))
    found = fraction_beyond(difference(2 * noise()), 2)
    assert found == pytest.approx(tail, abs=0.2 * tail + 4 * np.sqrt(tail / usable))
