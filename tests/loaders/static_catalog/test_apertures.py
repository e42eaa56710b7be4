"""Apertures, against closed forms and photutils."""

from __future__ import annotations

import galsim
import numpy as np
import pytest
from photutils.aperture import CircularAperture, EllipticalAperture, aperture_photometry
from photutils.segmentation import SegmentationImage, SourceCatalog
from scipy.ndimage import label
from scipy.signal import fftconvolve

from loaders.static_catalog.apertures import (
    circle_sums,
    ellipse_sums,
    half_light_radii,
    kron_ellipse,
    local_background,
    windowed_centroids,
)
from loaders.static_catalog.correlation import WHITE, AreaInflation, kernel_correlation
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.segments import Segments, moments
from tests.loaders.static_catalog.fields import gaussian_image, grid_of_places, plane, profile_image, scatter

OPTIONS = CatalogOptions()


def test_circles_are_those_of_photutils_exact():
    rng = np.random.default_rng(1)
    image = rng.normal(10, 1, (80, 80))
    x, y = rng.uniform(20, 60, (2, 30))
    for radius in (0.4, 1.0, 3.7, 14.5):
        found = circle_sums(plane(image), x, y, radius)
        peer = aperture_photometry(image, CircularAperture(np.stack([x, y], 1), radius))
        np.testing.assert_allclose(found.flux, peer["aperture_sum"], rtol=2e-3)
        np.testing.assert_allclose(found.area, np.pi * radius**2, rtol=2e-3)


def test_ellipses_are_those_of_photutils():
    image = np.random.default_rng(2).normal(10, 1, (60, 60))
    a, b, theta = 9.0, 4.0, 0.6
    c, s = np.cos(theta), np.sin(theta)
    ellipse = (
        np.array([(c / a) ** 2 + (s / b) ** 2]),
        np.array([(s / a) ** 2 + (c / b) ** 2]),
        np.array([2 * c * s * (1 / a**2 - 1 / b**2)]),
    )
    found = ellipse_sums(plane(image), np.array([30.2]), np.array([29.7]), ellipse)
    peer = aperture_photometry(image, EllipticalAperture((30.2, 29.7), a, b, theta=theta))
    assert found.flux[0] == pytest.approx(peer["aperture_sum"][0], rel=1e-3)


def test_light_of_a_gaussian_within_a_circle():
    image = gaussian_image((101, 101), [(50.3, 49.8, 1000, 0)], sigma=4.0)
    found = circle_sums(plane(image), np.array([50.3]), np.array([49.8]), 6.0)
    width = 4.0**2 + 2 / 12  # the pixels of the image, and those of the sum
    assert found.flux[0] == pytest.approx(1000 * (1 - np.exp(-36 / 2 / width)), rel=1e-3)


def test_errors_of_apertures_are_their_scatter_in_white_and_correlated_noise():
    rng = np.random.default_rng(3)
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16.0
    white = rng.standard_normal((1500, 1500))
    smooth = fftconvolve(white, kernel, mode="same")
    x, y = grid_of_places(1500, 25, rng)
    for noise, correlation in ((white, WHITE), (smooth, kernel_correlation(kernel))):
        for radius in (2.0, 8.0):
            found = circle_sums(plane(noise, variance=noise.var(), correlation=correlation), x, y, radius)
            assert (found.flux / found.flux_err).std() == pytest.approx(1, abs=0.04)


def test_a_neighbour_is_replaced_by_what_is_opposite():
    image = gaussian_image((60, 60), [(30, 30, 1000, 2.0)])
    alone = circle_sums(plane(image), np.array([30.0]), np.array([30.0]), 12.0).flux[0]
    labels = np.zeros((60, 60), dtype=int)
    labels[26:34, 26:34], labels[25:35, 38:48] = 1, 2
    image[25:35, 38:48] += 50
    found = circle_sums(plane(image, labels), np.array([30.0]), np.array([30.0]), 12.0)
    assert found.flux[0] == pytest.approx(alone, rel=1e-4)
    assert found.missing[0] == 0


def test_holes_on_both_sides_are_missing():
    good = np.ones((40, 40), dtype=bool)
    good[:, 18:23] = False
    found = circle_sums(plane(np.ones((40, 40)), good=good), np.array([20.0]), np.array([20.0]), 5.0)
    assert found.missing[0] == pytest.approx(5 * 9.5 / (np.pi * 25), abs=0.05)


def test_kron_fluxes_are_those_of_photutils():
    rng = np.random.default_rng(5)
    x, y = grid_of_places(300, 50, rng)
    image = np.zeros((300, 300))
    for k in range(x.size):
        galaxy = galsim.Exponential(half_light_radius=3, flux=3000).shear(e1=0.1 * (k % 4), e2=-0.1 * (k % 3))
        image += profile_image(image.shape, galsim.Convolve(galaxy, galsim.Gaussian(sigma=1.5)), x[k], y[k])
    labels = np.zeros(image.shape, dtype=np.int32)
    labels[:] = label(image > 1)[0]
    flat = image.astype(np.float32)
    segments = Segments.of(labels)
    shape = moments(segments, flat, np.ones_like(flat), AreaInflation.of(WHITE))
    kron = kron_ellipse(plane(image, labels), shape, OPTIONS)
    flux = ellipse_sums(plane(image, labels), kron.x, kron.y, kron.ellipse).flux
    peer = SourceCatalog(image, SegmentationImage(labels), kron_params=(2.5, 1.4, 0.0))
    np.testing.assert_allclose(kron.radius, peer.kron_radius.value, rtol=0.01)
    np.testing.assert_allclose(flux, peer.kron_flux, rtol=0.005)
    # Kron (1980), Graham & Driver (2005): 2.5 first-moment radii hold 96 % of an exponential.
    assert np.median(flux) == pytest.approx(0.96 * 3000, rel=0.02)


def test_half_light_radius_of_a_gaussian():
    image = gaussian_image((101, 101), [(50, 50, 1000, 0)], sigma=4.0)
    labels = (image > 0.05).astype(int)
    shape = moments(
        Segments.of(labels),
        image.astype(np.float32),
        np.ones_like(image, np.float32),
        AreaInflation.of(WHITE),
    )
    kron = kron_ellipse(plane(image, labels), shape, OPTIONS)
    found = half_light_radii(plane(image, labels), kron, np.array([1000.0]))
    assert found[0] == pytest.approx(np.sqrt(2 * np.log(2) * (16 + 2 / 12)), rel=2e-3)
    assert np.isnan(half_light_radii(plane(image, labels), kron, np.array([-1.0])))[0]


@pytest.mark.heavy
def test_local_background_is_the_median_of_free_pixels():
    image, labels = np.full((120, 120), 3.0), np.zeros((120, 120), dtype=int)
    labels[:, 80:] = 2
    image[:, 80:] = 99
    found = local_background(plane(image, labels, variance=4.0), np.array([60.0]), np.array([60.0]), (15, 30))
    assert found.level[0] == 3
    number = np.hypot(*(np.indices((120, 120)) - 60))
    free = ((number >= 15) & (number <= 30) & (labels == 0)).sum()
    assert found.error[0] == pytest.approx(np.sqrt(np.pi / 2 * 4 / free), rel=1e-3)
    nowhere = local_background(plane(image, labels + 1), np.array([60.0]), np.array([60.0]), (15, 30))
    assert np.isnan(nowhere.level[0])


@pytest.mark.heavy
def test_windowed_centroids_have_the_errors_that_they_say():
    rng = np.random.default_rng(6)
    x, y = grid_of_places(1000, 40, rng)
    image = gaussian_image((1000, 1000), [(a, b, 1500, 1.0) for a, b in zip(x, y, strict=True)])
    noisy = image + rng.normal(0, 1, image.shape)
    labels = np.zeros(image.shape, dtype=int)
    for k in range(x.size):
        j, i = round(y[k]), round(x[k])
        labels[j - 4 : j + 5, i - 4 : i + 5] = k + 1
    shape = moments(
        Segments.of(labels),
        noisy.astype(np.float32),
        np.ones_like(noisy, np.float32),
        AreaInflation.of(WHITE),
    )
    found = windowed_centroids(plane(noisy, labels), shape, np.full(x.size, 2.1))
    for value, truth, error in ((found.x, x, found.x_err), (found.y, y, found.y_err)):
        pull = (value - truth) / error
        assert (error > 0).all()
        assert np.median(pull) == pytest.approx(0, abs=0.15)
        assert scatter(pull) == pytest.approx(1, abs=0.12)
