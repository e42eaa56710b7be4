"""Sums in apertures against photutils' exact ones, and their errors against the scatter of noise."""

from __future__ import annotations

import numpy as np
import pytest
from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture, aperture_photometry

from loaders.photometry.apertures import ANNULUS, APERTURE_RADIUS, Pixels, aperture_sums
from loaders.photometry.flags import PhotometryFlag

SIDE = 0.11


def noise(shape=(200, 210), level=3.0, sigma=0.5, seed=3):
    rng = np.random.default_rng(seed)
    data = rng.normal(level, sigma, shape)
    return Pixels(data, np.full(shape, sigma**2), np.ones(shape, bool), np.zeros(shape, bool))


def places(seed=4, n=300, margin=30):
    rng = np.random.default_rng(seed)
    return rng.uniform(margin, 210 - margin, n), rng.uniform(margin, 200 - margin, n)


def test_sums_are_those_of_photutils():
    pixels, (x, y) = noise(), places()
    found = aperture_sums(pixels, (x, y), np.full(x.size, SIDE))
    middle = np.stack([x, y], axis=1)
    circle = CircularAperture(middle, APERTURE_RADIUS / SIDE)
    table = aperture_photometry(pixels.data, circle, method="exact")
    sky = ApertureStats(pixels.data, CircularAnnulus(np.rint(middle), *(r / SIDE for r in ANNULUS)),
                        sum_method="center").median  # fmt: skip
    np.testing.assert_allclose(found.background, sky, atol=0.01)
    expected = table["aperture_sum"] - circle.area * found.background
    np.testing.assert_allclose(found.flux, expected, atol=1e-9)
    assert (found.flags == 0).all()


def test_errors_are_the_scatter():
    pixels = noise(shape=(600, 600), seed=5)
    x, y = np.random.default_rng(7).uniform(30, 570, (2, 4000))
    found = aperture_sums(pixels, (x, y), np.full(x.size, SIDE))
    assert np.std(found.flux / found.flux_err) == pytest.approx(1, abs=0.05)


def test_bad_pixels_are_replaced_and_what_cannot_be_measured_is_not():
    x, y = np.array([50.0, 100.0, 150.0, 2.0, 0.0]), np.array([50.0, 100.0, 150.0, 100.0, 0.0])
    pixels = noise(sigma=1e-6)
    rows, columns = np.indices(pixels.data.shape)
    for x0, y0 in zip(x, y, strict=True):
        pixels.data[:] += 100 * np.exp(-0.5 * ((columns - x0) ** 2 + (rows - y0) ** 2) / 1.2**2)
    whole = aperture_sums(pixels, (x, y), np.full(5, SIDE))
    pixels.usable[51, 51] = False
    pixels.usable[100, 101] = pixels.usable[100, 99] = False
    pixels.saturated[150, 150] = True
    found = aperture_sums(pixels, (x, y), np.full(5, SIDE))
    flags = [PhotometryFlag(int(flag)) for flag in found.flags]
    assert flags[0] == PhotometryFlag.MASKED
    assert found.flux[0] == pytest.approx(whole.flux[0], rel=1e-6)
    assert flags[1] == PhotometryFlag.MASKED | PhotometryFlag.NO_PIXELS
    assert np.isnan(found.flux[1])
    assert np.isnan(found.flux_err[1])
    assert flags[2] == PhotometryFlag.SATURATED
    # Beyond the edge the light opposite is taken; in the corner there is none.
    assert flags[3] == PhotometryFlag.EDGE
    assert found.flux[3] == pytest.approx(whole.flux[0], rel=0.01)
    assert PhotometryFlag.NO_PIXELS in flags[4]
    assert np.isnan(found.flux[4])


def test_no_sources_give_no_sums():
    assert aperture_sums(noise(), (np.empty(0), np.empty(0)), np.empty(0)).flux.shape == (0,)


def test_without_a_sky_nothing_is_measured():
    pixels = noise(shape=(20, 20))
    found = aperture_sums(pixels, (np.array([10.0]), np.array([10.0])), np.array([SIDE]))
    assert np.isnan(found.flux[0])
    assert PhotometryFlag(int(found.flags[0])) & PhotometryFlag.BAD_BACKGROUND
