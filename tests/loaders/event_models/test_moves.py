"""Moves of two lenses against light curves by VBMicrolensing."""

import numpy as np
import pytest
import VBMicrolensing

from loaders.event_models.moves import matched_moves
from loaders.event_models.setting import Setting
from loaders.event_models.templates import peak_times
from loaders.stored_curve.band import Band

ZERO = 2_461_500.0
TIME = ZERO + np.linspace(-40, 40, 1200)
TRUTH = np.array([ZERO, 0.05, np.log(20.0), np.log(0.95), np.log(0.4), 2.0, np.log(0.005)])


def curve(parameter):
    engine = VBMicrolensing.VBMicrolensing()
    tau = (TIME - parameter[0]) / np.exp(parameter[2])
    alpha, u_0 = parameter[5], parameter[1]
    x, y = -tau * np.cos(alpha) + u_0 * np.sin(alpha), -tau * np.sin(alpha) - u_0 * np.cos(alpha)
    s, q, rho = np.exp(parameter[[3, 4, 6]])
    return np.array([engine.BinaryMag2(s, q, a, b, rho) for a, b in zip(x, y, strict=True)])


def band_of(magnification):
    flux = 1000 * magnification + 500
    return Band("F146", TIME, flux, 10 + 0.01 * (flux - flux.min()))


def setting_of(band):
    return Setting([band], 268.0, -29.0, ZERO, False, np.zeros(1))


def missed(parameter, band):
    """Share of the scatter of a light curve that lenses leave, and days by which its crossings are off."""
    model = curve(parameter)
    design = np.column_stack([model, np.ones(model.size)]) / band.error[:, None]
    value = band.flux / band.error
    left = value - design @ np.linalg.lstsq(design, value, rcond=None)[0]
    there = peak_times(band_of(model))
    apart = [np.abs(there - peak).min() for peak in peak_times(band)[[0, -1]]]
    return float(np.sum(np.log1p(left**2 / 9))), max(apart)


@pytest.mark.heavy
def test_a_lens_that_is_off_is_moved_to_where_its_crossings_are_in_time():
    band = band_of(curve(TRUTH))
    begin = TRUTH + np.array([0.3, 0.02, 0.03, 0.05, 0.3, -0.08, 0.0])
    found = matched_moves(setting_of(band), band, begin, 3)
    assert 1 <= len(found) <= 3
    (before, off), (after, near) = missed(begin, band), missed(found[0], band)
    assert off > 0.5
    assert near < 0.25
    assert after < 0.5 * before


def test_the_source_takes_as_long_to_cross_its_radius_and_parallax_stays():
    band = band_of(curve(TRUTH))
    begin = np.append(TRUTH + np.array([0.5, 0.0, 0.05, 0.03, 0.2, 0.05, 0.0]), [0.01, -0.02])
    for place in matched_moves(setting_of(band), band, begin, 3):
        assert np.isclose(place[6] + place[2], begin[6] + begin[2])
        np.testing.assert_array_equal(place[7:], begin[7:])


def test_moves_are_the_same_each_time_and_none_worse_than_where_they_begin():
    band = band_of(curve(TRUTH))
    first, again = (matched_moves(setting_of(band), band, TRUTH, 2) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert missed(first[0], band)[0] <= 1.5 * missed(TRUTH, band)[0] + 30


def test_where_one_peak_is_nothing_can_be_put_in_time():
    u = np.hypot(0.1, (TIME - ZERO) / 20)
    band = band_of((u**2 + 2) / (u * np.sqrt(u**2 + 4)))
    assert matched_moves(setting_of(band), band, TRUTH, 3) == []
