"""Light at given places of a difference against fluxes that were put there."""

import numpy as np
import pytest

from loaders.difference.forced import ForcedFlag, apertures_in_difference, forced_fluxes
from loaders.difference.matching import Difference
from loaders.photometry.apertures import APERTURE_RADIUS
from tests.loaders.photometry.scenes import POISSON, READ, gaussian_psf, star_pixels

SIDE, SIGMA, PIXEL = 120, 0.9, 0.11
SHAPE = (SIDE, SIDE)
PSF = gaussian_psf(SIGMA, half_width=6, oversampling=8)
ORIGIN = (0.0, 0.0)


def difference(data, variance, usable=None):
    good = np.ones(data.shape, dtype=bool) if usable is None else usable
    spread = np.where(good, np.broadcast_to(variance, data.shape), np.inf)
    return Difference(
        data=np.where(good, data, 0).astype(np.float32),
        variance=spread.astype(np.float32),
        usable=good,
        model=np.zeros(data.shape, np.float32),
        kernel=np.ones((1, 1)),
        kernel_sum=1.0,
        template_share=0.0,
        reduced_chi2=1.0,
    )


@pytest.fixture(scope="module")
def places():
    """A place on every eighth pixel, at random phases."""
    rng = np.random.default_rng(3)
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(16.0, 106, 12), np.arange(16.0, 106, 12)))
    return x + rng.uniform(-0.5, 0.5, x.size), y + rng.uniform(-0.5, 0.5, y.size)


def light(places, flux):
    return (star_pixels(SHAPE, *places, SIGMA) @ flux).reshape(SHAPE)


def test_fluxes_are_exact_without_noise(places):
    flux = np.linspace(-300, 500, places[0].size)
    found = forced_fluxes(difference(light(places, flux), 0.04), PSF, ORIGIN, places, POISSON)
    np.testing.assert_allclose(found.flux, flux, rtol=1e-3, atol=0.05)
    assert (found.flags == 0).all()
    assert (found.reduced_chi2 < 1e-2).all()


@pytest.mark.parametrize("flux", [-60.0, 0.0, 60.0, 3000.0])
def test_fluxes_scatter_as_their_errors_say(places, flux):
    """Photons of the light that is gained are in the errors: of 3000 they are most of it."""
    rng = np.random.default_rng(8)
    own = light(places, np.full(places[0].size, max(flux, 0.0)))
    mean = light(places, np.full(places[0].size, flux))
    empty = READ + POISSON * 3.0
    pull = []
    for _ in range(20):
        data = mean + rng.normal(size=SHAPE) * np.sqrt(empty + POISSON * own)
        found = forced_fluxes(difference(data, empty), PSF, ORIGIN, places, POISSON)
        pull.append((found.flux - flux) / found.flux_err)
    pull = np.concatenate(pull)
    assert abs(pull.mean()) < 4 / np.sqrt(pull.size)
    assert pull.std() == pytest.approx(1.0, abs=0.07)
    assert np.mean(found.reduced_chi2) == pytest.approx(1.0, abs=0.15)


def test_errors_are_those_of_the_least_squares(places):
    """Of constant variance: sigma over the root of the summed squares of the profile."""
    found = forced_fluxes(difference(np.zeros(SHAPE), 0.04), PSF, ORIGIN, places, POISSON)
    profile = star_pixels(SHAPE, *places, SIGMA)
    np.testing.assert_allclose(found.flux_err, 0.2 / np.sqrt((profile**2).sum(axis=0)), rtol=2e-3)


def test_pixels_that_do_not_count_are_left_out_and_said(places):
    x, y = places[0][:2], places[1][:2]
    usable = np.ones(SHAPE, dtype=bool)
    usable[round(y[0]), round(x[0])] = False
    data = light((x, y), np.array([100.0, 100.0]))
    data[~usable] = 1e6
    found = forced_fluxes(difference(data, 0.04, usable), PSF, ORIGIN, (x, y), POISSON)
    np.testing.assert_allclose(found.flux, 100.0, rtol=1e-3)
    np.testing.assert_array_equal(found.flags, [ForcedFlag.MASKED, 0])
    assert found.flux_err[0] > found.flux_err[1]


def test_where_no_pixel_counts_nothing_is_measured():
    usable = np.ones(SHAPE, dtype=bool)
    usable[:30, :30] = False
    place = (np.array([12.0, 60.0, SIDE - 1.2]), np.array([12.0, 60.0, 50.0]))
    found = forced_fluxes(difference(np.zeros(SHAPE), 0.04, usable), PSF, ORIGIN, place, POISSON)
    assert np.isnan([found.flux[0], found.flux_err[0], found.reduced_chi2[0]]).all()
    assert found.flags.tolist() == [ForcedFlag.MASKED | ForcedFlag.NOT_MEASURED, 0, ForcedFlag.MASKED]
    assert np.isfinite(found.flux[1:]).all()


def test_a_cut_out_has_the_psf_of_its_place():
    psf = gaussian_psf(0.8, half_width=6, oversampling=8, nodes=(0.0, 1000.0))
    place = np.array([60.3]), np.array([60.1])
    data = 100 * star_pixels(SHAPE, *place, 0.88).reshape(SHAPE)
    found = forced_fluxes(difference(data, 0.04), psf, (1000.0, 0.0), place, POISSON)
    assert found.flux[0] == pytest.approx(100.0, rel=2e-3)
    wrong = forced_fluxes(difference(data, 0.04), psf, ORIGIN, place, POISSON)
    assert abs(wrong.flux[0] - 100) > 2


def test_circles_hold_the_light_that_a_gaussian_has_in_them(places):
    flux = np.linspace(-300, 500, places[0].size)
    side = np.full(flux.size, PIXEL)
    found = apertures_in_difference(difference(light(places, flux) + 0.5, 0.04), places, side)
    # In a circle of radius r pixels; the square pixel widens the profile by a twelfth.
    share = 1 - np.exp(-((APERTURE_RADIUS / PIXEL) ** 2) / (2 * (SIGMA**2 + 1 / 12)))
    np.testing.assert_allclose(found.flux, share * flux, rtol=5e-3, atol=0.5)
    np.testing.assert_allclose(found.background, 0.5, atol=0.02)
    assert (found.background_err > 0).all()


def test_the_error_of_the_sky_is_its_scatter(places):
    rng = np.random.default_rng(2)
    side = np.full(places[0].size, PIXEL)
    pull = []
    for _ in range(10):
        data = rng.normal(0, 0.2, SHAPE)
        found = apertures_in_difference(difference(data, 0.04), places, side)
        pull.append(found.background / found.background_err)
    assert np.std(pull) == pytest.approx(1.0, abs=0.1)


def test_no_place_is_no_flux():
    none = np.empty(0), np.empty(0)
    found = forced_fluxes(difference(np.zeros(SHAPE), 0.04), PSF, ORIGIN, none, POISSON)
    assert found.flux.shape == found.flags.shape == found.reduced_chi2.shape == (0,)
    assert apertures_in_difference(difference(np.zeros(SHAPE), 0.04), none, np.empty(0)).flux.shape == (0,)
