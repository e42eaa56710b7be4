"""Shapes corrected for the PSF, against sheared profiles drawn by GalSim through a PSF."""

from __future__ import annotations

import galsim
import numpy as np
import pytest

from loaders.psf.model import EffectivePsf
from loaders.static_catalog.shapes import measure_shapes
from tests.loaders.static_catalog.fields import grid_of_places, plane, profile_image, scatter

#: A PSF with an ellipticity of its own.
OPTICS = galsim.Gaussian(sigma=1.5).shear(e1=0.08, e2=0.05)


def psf() -> EffectivePsf:
    size = 2 * 20 * 3 + 1
    seen = galsim.Convolve(OPTICS, galsim.Pixel(1.0))
    image = seen.drawImage(nx=size, ny=size, scale=1 / 3, method="no_pixel", dtype=float)
    return EffectivePsf((image.array * 9)[None, None], 3, np.zeros(1), np.zeros(1))


def measured(profile, noise, seed=1, side=600, spacing=60):
    rng = np.random.default_rng(seed)
    x, y = grid_of_places(side, spacing, rng)
    image = rng.normal(0, noise, (side, side))
    for a, b in zip(x, y, strict=True):
        image += profile_image(image.shape, galsim.Convolve(profile, OPTICS), a, b)
    return measure_shapes(plane(image), np.full(x.size, noise**2), psf(), (x, y, np.full(x.size, 4.0)))


@pytest.mark.parametrize(("e1", "e2"), [(0.3, 0.0), (-0.2, 0.3)])
def test_ellipticities_are_those_before_the_psf(e1, e2):
    galaxy = galsim.Exponential(half_light_radius=4, flux=1e5).shear(e1=e1, e2=e2)
    found = measured(galaxy, 1e-3, side=200)
    assert np.median(found.e1) == pytest.approx(e1, abs=0.015)
    assert np.median(found.e2) == pytest.approx(e2, abs=0.015)
    assert 0.5 < np.median(found.resolution) < 1


@pytest.mark.heavy
def test_errors_of_ellipticities_are_their_scatter():
    galaxy = galsim.Exponential(half_light_radius=4, flux=3000).shear(e1=0.2, e2=0.1)
    found = measured(galaxy, 1.0, seed=2)
    ratio = scatter(found.e1) / np.median(found.e_err)
    # The formula is that of a Gaussian; an exponential scatters by a quarter more.
    assert 1.0 < ratio < 1.45
    gaussian = measured(galsim.Gaussian(sigma=3.0, flux=3000).shear(e1=0.2, e2=0.1), 1.0, seed=3)
    assert scatter(gaussian.e1) / np.median(gaussian.e_err) == pytest.approx(1, abs=0.25)


def test_a_star_is_not_resolved():
    found = measured(galsim.Gaussian(sigma=0.05, flux=1e5), 1e-2, side=200)
    assert np.nanmax(np.abs(np.nan_to_num(found.resolution))) < 0.05


def test_neighbours_do_not_count():
    galaxy = galsim.Convolve(galsim.Exponential(half_light_radius=4, flux=1e4).shear(e1=0.3), OPTICS)
    image = profile_image((120, 120), galaxy, 60.0, 60.0)
    labels = np.zeros((120, 120), dtype=int)
    labels[45:76, 45:76], labels[50:70, 78:98] = 1, 2
    place = np.array([60.0]), np.array([60.0]), np.array([4.0])
    alone = measure_shapes(plane(image, labels), np.ones(1), psf(), place)
    image[50:70, 78:98] += 100
    beside = measure_shapes(plane(image, labels), np.ones(1), psf(), place)
    assert beside.e1[0] == pytest.approx(alone.e1[0], abs=0.01)


def test_what_does_not_converge_is_nan():
    found = measure_shapes(
        plane(np.zeros((80, 80))), np.ones(1), psf(), (np.array([40.0]),) * 2 + (np.array([2.0]),)
    )
    assert np.isnan(found.e1[0])
    nowhere = measure_shapes(plane(np.zeros((80, 80))), np.ones(1), psf(), (np.array([np.nan]),) * 3)
    assert np.isnan(nowhere.sigma[0])
