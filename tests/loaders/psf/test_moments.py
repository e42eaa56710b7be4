"""Second moments are held against GalSim's HSM, the others against integrals known in closed form."""

import galsim
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from loaders.psf.model import EffectivePsf
from loaders.psf.moments import adaptive_moments, aperture_moments, moment_errors, psf_moments
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.psf.profile import encircled_energy, fwhm, noise_equivalent_area


def gaussian_stamp(
    sigma: float, shear: float = 0.0, half_width: int = 8, oversampling: int = 4
) -> np.ndarray:
    axis = np.arange(-half_width * oversampling, half_width * oversampling + 1) / oversampling
    x, y = axis[None, :], axis[:, None]
    exponent = (x**2 - 2 * shear * x * y + y**2) / (1 - shear**2)
    return np.exp(-exponent / (2 * sigma**2)) / (2 * np.pi * sigma**2 * np.sqrt(1 - shear**2))


def gaussian_psf(sigma: float) -> EffectivePsf:
    return EffectivePsf(gaussian_stamp(sigma)[None, None], 4, np.zeros(1), np.zeros(1))


@pytest.mark.parametrize("detector", ["WFI01", "WFI09", "WFI18"])
def test_second_moments_are_those_of_hsm(detector):
    psf = optical_psf(detector, "F184", settings=OpticsSettings(half_width=8, n_wavelength=1))
    stamp = psf.stamps[0, 0]
    ours = adaptive_moments(stamp, 0.25)
    theirs = galsim.hsm.FindAdaptiveMom(galsim.Image(np.ascontiguousarray(stamp), scale=0.25))
    assert ours.sigma == pytest.approx(theirs.moments_sigma * 0.25, rel=1e-4)
    assert ours.e1 == pytest.approx(theirs.observed_e1, abs=1e-4)
    assert ours.e2 == pytest.approx(theirs.observed_e2, abs=1e-4)
    assert ours.x == pytest.approx((theirs.moments_centroid.x - 1) * 0.25, abs=1e-4)
    assert ours.y == pytest.approx((theirs.moments_centroid.y - 1) * 0.25, abs=1e-4)
    assert theirs.moments_rho4 == pytest.approx(ours.m40 + 2 * ours.m22 + ours.m04, abs=1e-3)


@pytest.mark.parametrize("shear", [0.0, 0.4])
def test_a_gaussian_has_the_moments_of_the_normal_distribution(shear):
    moments = adaptive_moments(gaussian_stamp(1.3, shear), 0.25)
    assert (moments.x, moments.y) == pytest.approx((8.0, 8.0), abs=1e-8)
    assert moments.sigma == pytest.approx(1.3 * (1 - shear**2) ** 0.25, rel=1e-5)
    assert (moments.e1, moments.e2) == pytest.approx((0.0, shear), abs=1e-6)
    assert (moments.m30, moments.m21, moments.m12, moments.m03) == pytest.approx((0, 0, 0, 0), abs=1e-8)
    fourth = (moments.m40, moments.m31, moments.m22, moments.m13, moments.m04)
    assert fourth == pytest.approx((0.75, 0, 0.25, 0, 0.75), abs=1e-5)


def test_without_a_weight_a_gaussian_has_kurtosis_three():
    moments = aperture_moments(gaussian_stamp(1.1), 7.5, 0.25)
    assert moments.sigma == pytest.approx(1.1, rel=1e-5)
    assert (moments.m40, moments.m22, moments.m04) == pytest.approx((3.0, 1.0, 3.0), rel=1e-4)


def test_moments_of_a_moffat_profile_in_an_aperture():
    axis = np.arange(-200, 201) / 20
    distance = np.hypot(axis[:, None], axis[None, :])
    moments = aperture_moments((1 + distance**2) ** -3.0, 6.0, 0.05)

    def radial(power: int) -> float:
        return float(quad(lambda r: r ** (power + 1) * (1 + r**2) ** -3.0, 0, 6.0)[0])

    variance = radial(2) / radial(0) / 2
    assert moments.sigma == pytest.approx(np.sqrt(variance), rel=1e-3)
    assert moments.m40 == pytest.approx(0.375 * radial(4) / radial(0) / variance**2, rel=2e-3)


@given(turns=st.integers(1, 3), shift=st.integers(-5, 5))
@settings(max_examples=20, deadline=None)
def test_moments_turn_with_the_image(turns, shift):
    rng = np.random.default_rng(8)
    bumps = gaussian_stamp(1.0) + 0.1 * np.roll(gaussian_stamp(0.8), (5, 3), (0, 1))
    image = np.roll(bumps * (1 + 0.01 * rng.normal(size=bumps.shape)), shift, axis=1)
    one, other = adaptive_moments(image, 0.25), adaptive_moments(np.rot90(image, turns), 0.25)
    assert other.sigma == pytest.approx(one.sigma, rel=1e-8)
    assert (other.e1**2 + other.e2**2) == pytest.approx(one.e1**2 + one.e2**2, abs=1e-10)
    assert other.m40 + 2 * other.m22 + other.m04 == pytest.approx(one.m40 + 2 * one.m22 + one.m04, rel=1e-8)
    odd = [(m.m30 + m.m12) ** 2 + (m.m03 + m.m21) ** 2 for m in (one, other)]
    assert odd[1] == pytest.approx(odd[0], rel=1e-6)


def test_an_image_with_a_tail_to_the_right_is_skewed_to_the_right():
    image = gaussian_stamp(1.0) + 0.1 * np.roll(gaussian_stamp(1.0), 6, axis=1)
    moments = adaptive_moments(image, 0.25)
    assert moments.m30 > 0.01
    assert abs(moments.m03) < 1e-6


def test_positions_of_a_psf_are_from_its_origin():
    moments = psf_moments(gaussian_psf(1.2), 100.0, 100.0)
    assert (moments.x, moments.y) == pytest.approx((0.0, 0.0), abs=1e-8)
    assert moments.sigma == pytest.approx(1.2, rel=1e-5)


@pytest.mark.heavy
def test_errors_follow_the_noise():
    # The centroid of a Gaussian under its own weight has the variance 8 pi sigma^4 noise^2 / flux^2.
    image = 1000 * gaussian_stamp(1.5, oversampling=1)
    rng = np.random.default_rng(1)
    errors = moment_errors(adaptive_moments, image, np.full(image.shape, 0.5), rng, draws=400)
    expected = np.sqrt(8 * np.pi) * 1.5**2 * 0.5 / 1000
    assert errors.x == pytest.approx(expected, rel=0.1)
    assert errors.y == pytest.approx(expected, rel=0.1)
    root = 0.5 * np.eye(image.size)
    again = moment_errors(adaptive_moments, image, root, np.random.default_rng(1), draws=400)
    assert again.sigma == pytest.approx(errors.sigma, rel=1e-9)


def test_noise_has_no_moments():
    with pytest.raises(ValueError, match="did not converge"):
        adaptive_moments(-gaussian_stamp(1.0) - 1.0)


def test_sizes_of_a_gaussian():
    psf = gaussian_psf(1.2)
    radii = np.array([1.2, 2.4, 4.0])
    energy = encircled_energy(psf, 0.0, 0.0, radii)
    assert energy == pytest.approx(1 - np.exp(-(radii**2) / (2 * 1.2**2)), abs=0.003)
    assert np.isnan(encircled_energy(psf, 0.0, 0.0, 9.0)).all()
    assert fwhm(psf, 0.0, 0.0) == pytest.approx(1.2 * np.sqrt(8 * np.log(2)), rel=2e-3)
    assert noise_equivalent_area(psf, 0.0, 0.0) == pytest.approx(4 * np.pi * 1.2**2, rel=1e-5)
