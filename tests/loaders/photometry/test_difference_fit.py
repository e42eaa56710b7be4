"""Changes of stars against held fluxes, in scenes in closed form."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.photometry.difference_fit import flux_scale, photometer_difference
from loaders.photometry.fit import photometer
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.image import StarList
from loaders.photometry.options import FitOptions
from tests.loaders.photometry.scenes import field, gaussian_psf, star_pixels

SHAPE = (100, 100)
PSF = gaussian_psf()
OPTIONS = FitOptions(threads=1)
SCALE = 0.97


@pytest.fixture(scope="module")
def measured():
    """A crowded field of which every fifth star changed, in 12 noisy images at another scale of fluxes."""
    scene = field(SHAPE, 0.05, seed=12)
    rng = np.random.default_rng(4)
    change = np.where(np.arange(scene.x.size) % 5 == 0, rng.choice([-0.5, 1.0], scene.x.size), 0) * scene.flux
    now = SCALE * (scene.flux + change)
    mean = 3.0 + (star_pixels(SHAPE, scene.x, scene.y) @ now).reshape(SHAPE)
    later = replace(scene, flux=now, mean=mean)
    images = [later.image(later.noisy(seed)) for seed in range(12)]
    return scene, change, later, images


def inside(scene):
    return (scene.x > 6) & (scene.x < SHAPE[1] - 7) & (scene.y > 6) & (scene.y < SHAPE[0] - 7)


def test_the_scale_is_that_of_the_stars_that_did_not_change(measured):
    scene, _, later, images = measured
    fit = photometer(images[0], later.stars(), PSF, OPTIONS)
    assert flux_scale(fit, scene.flux) == pytest.approx(SCALE, abs=0.005)


def test_two_stars_say_nothing_of_the_scale(measured):
    _, _, later, images = measured
    fit = photometer(images[0], later.stars(), PSF, OPTIONS)
    reference = np.full(later.x.size, np.nan)
    bright = np.argsort(-later.flux)[:2]
    reference[bright] = later.flux[bright]
    assert flux_scale(fit, reference) == 1.0


def test_without_changes_fluxes_scatter_about_the_held_ones_as_a_star_alone_would(measured):
    scene, _, _, _ = measured
    pulls, errors = [], []
    for seed in range(12):
        image = scene.image(scene.noisy(100 + seed))
        found = photometer_difference(image, scene.stars(), PSF, 1.0, OPTIONS)
        good = inside(scene) & (found.flags == 0)
        pulls.append(((found.flux - scene.flux) / found.flux_err)[good])
        errors.append(found.flux_err)
    pull = np.concatenate(pulls)
    assert np.std(pull) == pytest.approx(1.0, abs=0.05)
    assert abs(np.mean(pull)) < 0.05
    # The error is that of the matched filter, from the closed form.
    light = star_pixels(SHAPE, scene.x, scene.y)
    alone = 1 / np.sqrt(((light**2) / scene.variance.ravel()[:, None]).sum(axis=0))
    some = inside(scene)
    np.testing.assert_allclose(errors[0][some], alone[some], rtol=0.05)


def test_a_star_that_changed_by_itself_has_its_new_flux_on_the_scale_of_the_reference(measured):
    scene, change, _, images = measured
    found = [photometer_difference(image, scene.stars(), PSF, SCALE, OPTIONS) for image in images]
    mean = np.mean([one.flux for one in found], axis=0)
    error = np.mean([one.flux_err for one in found], axis=0) / np.sqrt(len(images))
    distance = np.hypot(scene.x[:, None] - scene.x, scene.y[:, None] - scene.y)
    distance[:, change == 0] = np.inf
    np.fill_diagonal(distance, np.inf)
    alone = inside(scene) & (change != 0) & (distance.min(axis=1) > 6)
    assert alone.sum() >= 5
    assert np.abs((mean - scene.flux - change) / error)[alone].max() < 4.5


def test_a_star_without_a_flux_on_the_reference_is_not_measured(measured):
    scene, _, _, images = measured
    flux = scene.flux.copy()
    flux[3] = np.nan
    found = photometer_difference(images[0], StarList(scene.x, scene.y, flux), PSF, SCALE, OPTIONS)
    assert np.isnan(found.flux[3])
    assert found.flags[3] & PhotometryFlag.NO_PIXELS
    assert np.isfinite(found.flux[np.arange(flux.size) != 3]).mean() > 0.99
