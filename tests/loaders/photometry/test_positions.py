"""Positions and shapes measured in the joint fit against the truth and the Cramér-Rao bound."""

import dataclasses

import numpy as np
import pytest

from loaders.photometry.fit import StarList, photometer
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.options import FitOptions
from tests.loaders.photometry.scenes import POISSON, READ, SKY, Scene, field, gaussian_psf, star_pixels

PSF = gaussian_psf()
OPTIONS = FitOptions(threads=2, merge_radius=0.0)
SHAPE = (96, 96)
FIELD = field(SHAPE, 0.01, seed=2, faintest=150.0)
INSIDE = (np.abs(FIELD.x - 47.5) < 43) & (np.abs(FIELD.y - 47.5) < 43)


def bounds(scene: Scene) -> np.ndarray:
    """Cramér-Rao bounds of flux, x and y of all stars, all of them being unknown, shape (3, n)."""
    step = 1e-4
    columns = [star_pixels(scene.shape, scene.x, scene.y)]
    for dx, dy in ((step, 0.0), (0.0, step)):
        ahead = star_pixels(scene.shape, scene.x + dx, scene.y + dy)
        back = star_pixels(scene.shape, scene.x - dx, scene.y - dy)
        columns.append(scene.flux * (ahead - back) / (2 * step))
    design = np.column_stack(columns)
    covariance = np.linalg.inv(design.T @ (design / scene.variance.ravel()[:, None]))
    return np.sqrt(np.diag(covariance)).reshape(3, -1)


def test_offsets_and_shapes_of_an_undisturbed_field_scatter_as_claimed():
    runs = [photometer(FIELD.image(FIELD.noisy(seed)), FIELD.stars(), PSF, OPTIONS) for seed in range(12)]
    for name in ("dx", "dy", "size", "e1", "e2"):
        value = np.array([getattr(run, name)[INSIDE] for run in runs])
        error = np.array([getattr(run, f"{name}_err")[INSIDE] for run in runs])
        pull = value[np.isfinite(value)] / error[np.isfinite(value)]
        assert pull.size > 100, name
        assert pull.std() == pytest.approx(1.0, abs=0.12), name
        assert abs(pull.mean()) < 0.2, name


@pytest.mark.parametrize("fit_positions", [False, True])
def test_errors_are_the_cramer_rao_bounds(fit_positions):
    options = dataclasses.replace(
        OPTIONS, fit_positions=fit_positions, shape_snr=np.inf, background_spacing=None
    )
    sky_free = dataclasses.replace(FIELD, mean=FIELD.mean - SKY + 1e-9)
    result = photometer(sky_free.image(sky_free.mean), FIELD.stars(), PSF, options)
    flux, x, y = bounds(sky_free)
    good = INSIDE & np.isfinite(result.dx)
    assert good.sum() > 0.9 * INSIDE.sum()
    measured = [(result.dx_err, x), (result.dy_err, y)] + [(result.flux_err, flux)] * fit_positions
    for error, bound in measured:
        # Where a neighbour lost its position, the errors are those of fewer unknowns.
        assert (np.abs(error / bound - 1)[good] < 0.05).mean() > 0.95


def test_a_small_offset_is_found_to_first_order():
    stars = StarList(FIELD.x - 0.03, FIELD.y + 0.02, FIELD.flux)
    result = photometer(FIELD.image(FIELD.noisy(1)), stars, PSF, OPTIONS)
    assert np.nanmedian(result.dx[INSIDE]) == pytest.approx(0.03, abs=0.002)
    assert np.nanmedian(result.dy[INSIDE]) == pytest.approx(-0.02, abs=0.002)


def test_fitting_positions_frees_the_fluxes_from_catalog_errors():
    rng = np.random.default_rng(4)
    dx, dy = rng.normal(0, 0.1, (2, FIELD.x.size))
    stars = StarList(FIELD.x + dx, FIELD.y + dy, FIELD.flux)
    image = FIELD.image(FIELD.noisy(5))
    held = photometer(image, stars, PSF, OPTIONS)
    fitted = photometer(image, stars, PSF, dataclasses.replace(OPTIONS, fit_positions=True))
    good = INSIDE & np.isfinite(fitted.dx) & (fitted.flags == 0)
    assert good.sum() > 0.8 * INSIDE.sum()
    pull = (fitted.flux - FIELD.flux)[good] / fitted.flux_err[good]
    assert np.sqrt(np.mean(pull**2)) < 1.3
    assert np.sqrt(np.mean(((held.flux - FIELD.flux)[good] / held.flux_err[good]) ** 2)) > 3
    assert np.sqrt(np.mean(((fitted.dx + dx)[good] / fitted.dx_err[good]) ** 2)) < 1.3


@pytest.mark.parametrize(("sigma", "e1"), [(0.84, 0.0), (0.8, 0.04)])
def test_size_and_ellipticity_are_measured(sigma, e1):
    """A Gaussian stretched by 1 + s is one of (1 + s) sigma; its pixel, too, being stretched, s is less."""
    shape, x, y = (40, 40), np.array([20.3]), np.array([19.8])
    rows, columns = np.arange(40) - y[0], np.arange(40) - x[0]
    fine = [np.add.outer(grid, (np.arange(41) - 20) / 41) for grid in (rows, columns)]
    widths = (sigma * (1 - e1), sigma * (1 + e1))
    profile = [
        (np.exp(-0.5 * (grid / width) ** 2) / (np.sqrt(2 * np.pi) * width)).mean(axis=1)
        for grid, width in zip(fine, widths, strict=True)
    ]
    scene = Scene(shape, x, y, np.array([1e5]), SKY + 1e5 * np.outer(*profile))
    result = photometer(scene.image(scene.mean), scene.stars(), gaussian_psf(half_width=6), OPTIONS)
    pixel = 1 / 12
    along = np.sqrt([(width**2 + pixel) / (0.8**2 + pixel) for width in widths]) - 1
    assert result.size[0] == pytest.approx(along.mean(), abs=0.004)
    assert result.e1[0] == pytest.approx((along[1] - along[0]) / 2, abs=0.003)
    assert result.e2[0] == pytest.approx(0, abs=1e-3)


def test_faint_stars_carry_no_extras_and_runaways_are_flagged():
    shape = (40, 40)
    x, y, flux = np.array([10.0, 29.0]), np.array([10.0, 29.0]), np.array([5.0, 5000.0])
    scene = Scene(shape, x, y, flux, SKY + (star_pixels(shape, x, y) @ flux).reshape(shape))
    result = photometer(scene.image(scene.mean), StarList(x, y - 0.9, flux), PSF, OPTIONS)
    assert np.isnan([result.dx[0], result.size[0], result.dx_err[0]]).all()
    assert not result.flags[0] & (PhotometryFlag.POSITION_FAILED | PhotometryFlag.SHAPE_FAILED)
    assert np.isnan(result.dx[1])
    assert result.flags[1] & PhotometryFlag.POSITION_FAILED


def test_a_close_bright_pair_keeps_its_catalogued_positions():
    shape = (40, 40)
    x, y, flux = np.array([20.0, 20.1]), np.array([20.0, 20.0]), np.array([5000.0, 4000.0])
    scene = Scene(shape, x, y, flux, SKY + (star_pixels(shape, x, y) @ flux).reshape(shape))
    options = dataclasses.replace(OPTIONS, fit_positions=True)
    result = photometer(scene.image(scene.noisy(3)), scene.stars(), PSF, options)
    assert np.isfinite(result.flux).all()
    assert np.abs((result.flux - flux) / result.flux_err).max() < 4
    assert np.isnan(result.dx).all()


def test_the_noise_of_the_scenes_is_the_one_the_fit_is_told():
    assert FIELD.variance == pytest.approx(READ + POISSON * FIELD.mean)
