"""Stars and galaxies told apart."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.static_catalog.extended import broadened, measure_extent
from loaders.static_catalog.psf_matching import psf_width
from tests.loaders.static_catalog.fields import gaussian_image, gaussian_psf, grid_of_places, plane, scatter

PSF = gaussian_psf()


def measured(own, flux=400.0, seed=1):
    rng = np.random.default_rng(seed)
    x, y = grid_of_places(900, 30, rng)
    image = gaussian_image((900, 900), [(a, b, flux, own) for a, b in zip(x, y, strict=True)])
    noisy = image + rng.normal(0, 1, image.shape)
    found = measure_extent(plane(noisy), np.ones(image.shape, np.float32), PSF, x, y)
    return found, x


@pytest.mark.heavy
def test_stars_scatter_about_zero_as_the_error_says():
    found, _ = measured(0.0)
    pull = found.spread / found.spread_err
    assert np.median(pull) == pytest.approx(0, abs=0.12)
    assert scatter(pull) == pytest.approx(1, abs=0.1)
    assert found.is_extended(0.01, 3.0).mean() < 0.005


def test_galaxies_are_extended_and_single_pixels_are_not():
    found, _ = measured(1.5)
    assert found.is_extended(0.01, 3.0).mean() > 0.99
    spike = np.zeros((41, 41))
    spike[20, 20] = 500
    sharp = measure_extent(
        plane(spike), np.ones((41, 41), np.float32), PSF, np.array([20.0]), np.array([20.0])
    )
    assert sharp.spread[0] < -3 * sharp.spread_err[0]


@pytest.mark.heavy
def test_faint_galaxies_that_cannot_be_told_are_not_called_extended():
    found, _ = measured(1.0, flux=15.0)
    assert found.is_extended(0.01, 3.0).mean() < 0.3


def test_sources_without_place_or_light_have_no_statistic():
    x = np.array([np.nan, 20.0])
    found = measure_extent(
        plane(-np.ones((41, 41))), np.ones((41, 41), np.float32), PSF, x, np.array([20.0, 20.0])
    )
    assert np.isnan(found.spread).all()
    assert not found.is_extended(0.0, 0.0).any()


def test_broadened_psf_has_the_width_of_both():
    assert psf_width(broadened(PSF, 2.0)) == pytest.approx(np.sqrt(1.5**2 + 1 / 12 + 4), rel=2e-3)
