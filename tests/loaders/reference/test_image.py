"""Orthonormal splines and the PSF of references against integrals."""

import numpy as np
import pytest
from scipy.ndimage import spline_filter

from loaders.reference.image import REACH, filter_of_power, orthonormal
from loaders.reference.psf import STEPS, PlacedPsf, projection_kernel, reference_psf
from loaders.wfi.placement import fit_placement, same_place
from tests.loaders.photometry.scenes import gaussian_psf, pixel_gaussian
from tests.loaders.reference.scenes import splined


def test_the_orthonormal_spline_is_orthonormal():
    phi = projection_kernel() * STEPS
    for shift in range(4):
        whole = shift * STEPS
        product = np.sum(phi[whole:] * phi[: phi.size - whole]) / STEPS
        assert product == pytest.approx(float(shift == 0), abs=4e-4)
    assert phi.sum() / STEPS == pytest.approx(1, abs=1e-4)


def test_filters_undo_one_another():
    both = np.convolve(filter_of_power(0.5), filter_of_power(-0.5))
    np.testing.assert_allclose(both, np.arange(-2 * REACH, 2 * REACH + 1) == 0, atol=1e-5)


def test_a_scene_sampled_densely_is_projected_as_the_kernel_says():
    def profile(u):
        return pixel_gaussian(u / 2, 0.9) / 2

    for at in (20.0, 20.3, 20.5):
        wanted = splined(profile, at, 41)
        grid = np.arange(-48, 49) / STEPS
        kernel = projection_kernel()
        got = [np.sum(kernel * profile(k - at - grid)) for k in range(41)]
        np.testing.assert_allclose(got, wanted, atol=2e-5)


def test_the_sum_of_the_light_is_kept():
    coefficient = np.zeros((60, 60))
    coefficient[25:35, 28:31] = np.random.default_rng(1).normal(size=(10, 3))
    assert orthonormal(coefficient).sum() == pytest.approx(coefficient.sum(), abs=1e-4)


@pytest.mark.parametrize("oversampling", [1, 2, 3])
def test_a_psf_keeps_its_light(oversampling):
    psf = gaussian_psf(0.9, half_width=6, oversampling=8)
    scale = fit_placement(lambda x, y: (oversampling * x, oversampling * y), (0, 0), (40, 40))
    found = reference_psf([PlacedPsf(psf, (0.0, 0.0), scale, (41, 41), 1.0)], 6.0 * oversampling)
    assert found.stamps.sum() / STEPS**2 == pytest.approx(1, abs=1e-3)


def test_a_mean_psf_is_weighted_by_exposures():
    one, other = gaussian_psf(0.8, half_width=6), gaussian_psf(1.0, half_width=6)
    parts = [
        reference_psf([PlacedPsf(psf, (0.0, 0.0), same_place(), (41, 41), 1.0)], 5.0) for psf in (one, other)
    ]
    both = [
        PlacedPsf(psf, (0.0, 0.0), same_place(), (41, 41), weight)
        for psf, weight in ((one, 3.0), (other, 1.0))
    ]
    wanted = (3 * parts[0].stamps + parts[1].stamps) / 4
    np.testing.assert_allclose(reference_psf(both, 5.0).stamps, wanted, atol=1e-12)


def test_without_dithers_a_star_leaves_the_spline_through_its_pixels():
    """Of a PSF much narrower than pixels resolve, the orthonormal coefficients of that very spline."""
    psf = gaussian_psf(0.35, half_width=6, oversampling=8)
    placed = [PlacedPsf(psf, (0.0, 0.0), same_place(), (41, 41), 1.0)]
    found = reference_psf(placed, 5.0, dithered=(False, False))
    x, y = 20.25, 19.5
    at = np.arange(41.0)
    pixels = np.outer(pixel_gaussian(at - y, 0.35), pixel_gaussian(at - x, 0.35))
    wanted = orthonormal(spline_filter(pixels, order=3, mode="mirror"))
    middle = found.size // 2
    offset = np.arange(-4, 5)
    # Pixel 20 + k lies k - 0.25 from the star along x; pixel 19 + k lies k - 0.5 along y.
    row, column = middle + STEPS * offset - STEPS // 2, middle + STEPS * offset - STEPS // 4
    got = found.stamps[0, 0][np.ix_(row, column)]
    np.testing.assert_allclose(got, wanted[15:24, 16:25], atol=2e-3)
    smoothed = reference_psf(placed, 5.0).stamps[0, 0][np.ix_(row, column)]
    assert np.abs(smoothed - wanted[15:24, 16:25]).max() > 0.02
