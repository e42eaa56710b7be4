"""Shapes of PSFs against closed forms; what cannot be measured is flagged and never a number."""

from dataclasses import asdict

import numpy as np
import pytest

from loaders.psf.model import EffectivePsf
from loaders.psf.moments import psf_moments
from loaders.psf.shape import MOMENTS_FAILED, SIZE_FAILED, psf_shape

MOMENTS = ("sigma", "e1", "e2", "m30", "m21", "m12", "m03", "m40", "m31", "m22", "m13", "m04")


def one(stamp):
    """A PSF that is the same everywhere."""
    return EffectivePsf(np.asarray(stamp, dtype=np.float64)[None, None], 4, np.zeros(1), np.zeros(1))


def gaussian(sigma_x, sigma_y, half_width=16):
    axis = np.arange(-half_width * 4, half_width * 4 + 1) / 4
    exponent = (axis[None, :] / sigma_x) ** 2 + (axis[:, None] / sigma_y) ** 2
    return np.exp(-exponent / 2) / (2 * np.pi * sigma_x * sigma_y)


@pytest.mark.parametrize("widths", [(1.0, 1.0), (0.7, 2.5), (2.5, 0.7), (3.0, 2.0)])
def test_an_elliptical_gaussian(widths):
    """The area above half maximum is that of an ellipse, however it lies."""
    found = psf_shape(one(gaussian(*widths)), 0.0, 0.0)
    across, along = widths
    assert found.psf_flags == 0
    assert found.fwhm == pytest.approx(np.sqrt(8 * np.log(2) * across * along), rel=3e-3)
    assert found.sigma == pytest.approx(np.sqrt(across * along), rel=1e-4)
    ratio = (across**2 - along**2) / (across**2 + along**2)
    assert (found.e1, found.e2) == pytest.approx((ratio, 0.0), abs=1e-6)
    assert found.ellipticity == pytest.approx(abs(ratio), abs=1e-6)
    assert (found.third, found.fourth) == pytest.approx((0.0, 0.75), abs=1e-4)
    assert found.noise_equivalent_area == pytest.approx(4 * np.pi * across * along, rel=1e-3)


def test_moments_of_a_wide_stamp_are_those_of_its_core():
    """What lies beyond the reach of the weight does not count, be it there or not."""
    narrow, wide = (psf_moments(one(gaussian(1.2, 1.6, half)), 0.0, 0.0) for half in (12, 60))
    assert narrow.array() == pytest.approx(wide.array(), abs=1e-9)
    assert (wide.x, wide.y) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_a_stamp_without_light_fails_in_all():
    found = psf_shape(one(np.zeros((33, 33))), 0.0, 0.0)
    assert found.psf_flags == MOMENTS_FAILED + SIZE_FAILED
    values = asdict(found)
    assert all(np.isnan(values[name]) for name in (*MOMENTS, "fwhm", "noise_equivalent_area"))
    assert np.isnan([found.third, found.fourth, found.ellipticity]).all()


def test_a_stamp_whose_light_is_negative_fails_in_all():
    assert psf_shape(one(-gaussian(1.0, 1.0)), 0.0, 0.0).psf_flags == MOMENTS_FAILED + SIZE_FAILED


def test_a_psf_that_does_not_fall_to_half_has_no_width():
    found = psf_shape(one(gaussian(3.0, 3.0, half_width=2)), 0.0, 0.0)
    assert found.psf_flags & SIZE_FAILED
    assert np.isnan(found.fwhm)
    assert found.noise_equivalent_area > 0
