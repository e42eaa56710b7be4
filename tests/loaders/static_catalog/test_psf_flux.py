"""PSF fluxes: unbiased, with the errors that they have, neighbours and correlation included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import fftconvolve

from loaders.static_catalog.background import prepare_band
from loaders.static_catalog.correlation import kernel_correlation
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.psf_flux import noise_model, psf_fluxes
from tests.loaders.static_catalog.fields import gaussian_image, gaussian_psf, grid_of_places, mosaic, scatter

OPTIONS = CatalogOptions(background_box=1000)


def scene(seed, flux, spacing=30, photon=0.05):
    rng = np.random.default_rng(seed)
    x, y = grid_of_places(900, spacing, rng)
    image = gaussian_image((900, 900), [(a, b, flux, 0) for a, b in zip(x, y, strict=True)])
    return prepare_band(mosaic(image, rng, photon=photon), gaussian_psf(), OPTIONS), x, y


@pytest.mark.heavy
@pytest.mark.parametrize("flux", [100.0, 3000.0])
def test_fluxes_and_positions_have_the_errors_that_they_say(flux):
    band, x, y = scene(1, flux)
    found = psf_fluxes(band, x + 0.1, y - 0.1, np.full(x.size, flux))
    pull = (found.flux - flux) / found.flux_err
    if flux > 1000:  # where positions are fitted, too
        assert np.median(pull) == pytest.approx(0, abs=0.15)
        assert scatter((found.x - x) / found.x_err) == pytest.approx(1, abs=0.12)
    assert found.flux.mean() == pytest.approx(flux, rel=0.02)
    assert scatter(pull) == pytest.approx(1, abs=0.12)
    assert np.median(found.gof) == pytest.approx(1, abs=0.1)


def test_neighbours_are_fitted_together():
    rng = np.random.default_rng(2)
    places = [(100.2, 100.1, 3000, 0), (104.5, 101.0, 2000, 0)]
    band = prepare_band(mosaic(gaussian_image((200, 200), places), rng), gaussian_psf(), OPTIONS)
    x, y, flux, _ = np.array(places).T
    found = psf_fluxes(band, x, y, flux)
    np.testing.assert_array_less(np.abs(found.flux - flux) / found.flux_err, 4)


@pytest.mark.heavy
def test_correlated_noise_makes_errors_larger_as_it_does_the_scatter():
    rng = np.random.default_rng(3)
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16.0
    x, y = grid_of_places(900, 30, rng)
    noise = fftconvolve(rng.standard_normal((900, 900)), kernel, mode="same")
    noise /= noise.std()
    image = gaussian_image((900, 900), [(a, b, 300.0, 0) for a, b in zip(x, y, strict=True)]) + noise
    given = mosaic(image, None, correlation=kernel_correlation(kernel))
    given.variance[:] = given.read_variance
    band = prepare_band(given, gaussian_psf(), OPTIONS)
    found = psf_fluxes(band, x, y, np.full(x.size, 300.0))
    assert scatter((found.flux - 300) / found.flux_err) == pytest.approx(1, abs=0.15)


@pytest.mark.heavy
def test_noise_model_is_that_of_the_planes():
    model = noise_model(scene(4, 5000.0)[0])
    assert model.read == pytest.approx(1, rel=0.01)
    assert model.poisson == pytest.approx(0.05, rel=0.1)


def test_sources_without_a_place_are_not_fitted():
    band, x, y = scene(5, 3000.0, spacing=200)
    x[0] = np.nan
    found = psf_fluxes(band, x, y, np.full(x.size, np.nan))
    assert np.isnan(found.flux[0])
    assert np.isfinite(found.flux[1:]).all()
    assert psf_fluxes(band, x[:0], y[:0], x[:0]).flux.size == 0
