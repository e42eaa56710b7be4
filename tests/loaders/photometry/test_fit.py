"""The joint fit against dense least squares and the Cramér-Rao bound, its invariances and its edges."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.photometry.fit import PixelImage, StarList, StarPhotometry, photometer
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.noise import NoiseModel
from loaders.photometry.options import FitOptions
from loaders.rejection import Rejected
from tests.loaders.photometry.scenes import POISSON, READ, SKY, Scene, field, gaussian_psf, star_pixels

PSF = gaussian_psf()
PLAIN = FitOptions(position_snr=np.inf, shape_snr=np.inf, merge_radius=0.0, threads=2)
NO_SKY = dataclasses.replace(PLAIN, background_spacing=None, tolerance=1e-3, reweight_tolerance=1e-3)
SHAPE = (52, 60)
CROWDED = field(SHAPE, 0.1, seed=1, sky=0.0)


def fit(scene: Scene, data: np.ndarray, options: FitOptions = PLAIN, guess: bool = True) -> StarPhotometry:
    return photometer(scene.image(data), scene.stars(guess), PSF, options)


def dense(scene: Scene, data: np.ndarray, usable: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes and marginal errors of the whole system at once, weights from the fitted model, sky known."""
    light = star_pixels(scene.shape, scene.x, scene.y)
    good = np.ones(data.size) if usable is None else usable.ravel().astype(float)
    flux = scene.flux
    for _ in range(8):
        weight = good / (READ + POISSON * np.maximum(light @ flux, 0))
        covariance = np.linalg.inv(light.T @ (weight[:, None] * light))
        flux = covariance @ (light.T @ (weight * data.ravel()))
    return flux, np.sqrt(np.diag(covariance))


def test_fluxes_and_marginal_errors_are_those_of_the_dense_solution():
    data = CROWDED.noisy(2)
    flux, error = dense(CROWDED, data)
    result = fit(CROWDED, data, NO_SKY)
    light = star_pixels(SHAPE, CROWDED.x, CROWDED.y)
    alone = (light**2 / (READ + POISSON * (light @ CROWDED.flux))[:, None]).sum(axis=0) ** -0.5
    assert np.median(error / alone) > 1.05  # what is compared is not the error of a star alone
    assert (error / alone).max() > 2
    np.testing.assert_allclose(result.flux_err, error, rtol=0.01)
    assert np.abs((result.flux - flux) / error).max() < 0.02


def test_the_solution_does_not_depend_on_the_first_guess():
    data = CROWDED.noisy(3)
    known, unknown = fit(CROWDED, data, NO_SKY), fit(CROWDED, data, NO_SKY, guess=False)
    assert np.abs((known.flux - unknown.flux) / known.flux_err).max() < 0.02
    np.testing.assert_allclose(known.flux_err, unknown.flux_err, rtol=2e-3)


@pytest.mark.parametrize("tile_size", [16, 24, 37, 100])
def test_the_size_of_tiles_does_not_matter(tile_size):
    data = CROWDED.noisy(4)
    options = dataclasses.replace(NO_SKY, tile_size=tile_size, margin=6.0)
    result, usual = fit(CROWDED, data, options), fit(CROWDED, data, NO_SKY)
    assert np.abs((result.flux - usual.flux) / usual.flux_err).max() < 0.02
    np.testing.assert_allclose(result.flux_err, usual.flux_err, rtol=0.01)


def test_the_scatter_reaches_the_cramer_rao_bound_without_bias():
    scene = field((48, 48), 0.1, seed=5)
    light = star_pixels(scene.shape, scene.x, scene.y)
    design = np.column_stack([light, np.ones(light.shape[0])])
    fisher = design.T @ (design / scene.variance.ravel()[:, None])
    bound = np.sqrt(np.diag(np.linalg.inv(fisher)))[:-1]
    options = dataclasses.replace(PLAIN, background_spacing=1000.0)
    runs = [fit(scene, scene.noisy(seed), options) for seed in range(60)]
    pull = np.array([(run.flux - scene.flux) / bound for run in runs])
    claimed = np.array([(run.flux - scene.flux) / run.flux_err for run in runs])
    assert pull.std() == pytest.approx(1.0, abs=0.05)
    assert claimed.std() == pytest.approx(1.0, abs=0.05)
    assert abs(pull.mean()) < 0.05
    faint = scene.flux < 10
    assert abs(claimed[:, faint].mean()) < 0.06


def test_stars_that_are_not_there_scatter_around_zero():
    rng = np.random.default_rng(6)
    scene = field((60, 60), 0.02, seed=6)
    x, y = rng.uniform(0, 59, 100), rng.uniform(0, 59, 100)
    absent = Scene(
        scene.shape, np.append(scene.x, x), np.append(scene.y, y), np.append(scene.flux, 0 * x), scene.mean
    )
    runs = [fit(absent, scene.noisy(seed), guess=False) for seed in range(20)]
    pull = np.array([run.flux[-100:] / run.flux_err[-100:] for run in runs])
    assert abs(pull.mean()) < 0.1
    assert pull.std() == pytest.approx(1.0, abs=0.07)
    assert (pull < -1).mean() == pytest.approx(0.16, abs=0.03)


@settings(deadline=None, max_examples=8)
@given(factor=st.floats(0.01, 1000))
def test_scaling_the_image_scales_the_fluxes(factor):
    data = CROWDED.noisy(7)
    usual = fit(CROWDED, data)
    image = PixelImage(
        data * factor, NoiseModel(READ * factor**2, POISSON * factor), np.ones(SHAPE, dtype=bool)
    )
    stars = StarList(CROWDED.x, CROWDED.y, CROWDED.flux * factor)
    result = photometer(image, stars, PSF, PLAIN)
    assert np.abs(result.flux / factor - usual.flux).max() < 0.01 * usual.flux_err.min()
    np.testing.assert_allclose(result.flux_err / factor, usual.flux_err, rtol=1e-3)
    np.testing.assert_array_equal(result.flags, usual.flags)


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_stars_does_not_matter(seed):
    order = np.random.default_rng(seed).permutation(CROWDED.x.size)
    data = CROWDED.noisy(8)
    usual = fit(CROWDED, data, FitOptions())
    stars = StarList(CROWDED.x[order], CROWDED.y[order], CROWDED.flux[order])
    result = photometer(CROWDED.image(data), stars, PSF, FitOptions())
    assert np.abs((result.flux - usual.flux[order]) / usual.flux_err[order]).max() < 0.02
    np.testing.assert_array_equal(np.isnan(result.size), np.isnan(usual.size[order]))


@pytest.mark.parametrize("level", [-2.0, 50.0])
def test_a_constant_background_is_found_and_leaves_the_fluxes(level):
    scene = field((96, 96), 0.05, seed=9)
    data = scene.noisy(9)
    usual = fit(scene, data)
    image = PixelImage(data + level, NoiseModel(READ + 0.4, POISSON), np.ones(scene.shape, dtype=bool))
    level_free = PixelImage(
        data, NoiseModel(READ + 0.4 + POISSON * level * (level > 0), POISSON), image.usable
    )
    shifted, reference = (photometer(i, scene.stars(), PSF, PLAIN) for i in (image, level_free))
    assert np.abs((shifted.flux - reference.flux) / reference.flux_err).max() < 0.1
    assert np.median(shifted.background) == pytest.approx(SKY + level, abs=0.05)
    assert np.median(usual.background) == pytest.approx(SKY, abs=0.02)


def test_a_gradient_is_followed():
    scene = field((128, 128), 0.1, seed=10)
    slope = 0.02 * np.arange(128)[None, :] + np.zeros(scene.shape)
    tilted = dataclasses.replace(scene, mean=scene.mean + slope)
    result = fit(tilted, tilted.noisy(1))
    pull = (result.flux - scene.flux) / result.flux_err
    assert pull.std() == pytest.approx(1, abs=0.06)
    assert abs(pull.mean()) < 0.1
    inside = (scene.x > 0) & (scene.x < 127)
    np.testing.assert_allclose(result.background[inside], SKY + 0.02 * scene.x[inside], atol=0.1)


def test_masked_and_nan_pixels_are_left_out_exactly():
    data = CROWDED.noisy(11)
    usable = np.random.default_rng(11).uniform(size=SHAPE) > 0.1
    flux, error = dense(CROWDED, data, usable)
    spoilt = np.where(usable, data, np.nan)
    spoilt[::2] = np.where(usable, data, 1e9)[::2]
    result = photometer(CROWDED.image(spoilt, usable), CROWDED.stars(), PSF, NO_SKY)
    fitted = np.isfinite(result.flux)
    assert fitted.mean() > 0.98
    np.testing.assert_allclose(result.flux_err[fitted], error[fitted], rtol=0.02)
    assert np.abs((result.flux - flux) / error)[fitted].max() < 0.05
    assert (result.flags & PhotometryFlag.MASKED).astype(bool).mean() > 0.3


def test_a_saturated_core_is_measured_by_its_wings():
    shape = (60, 60)
    x, y, flux = np.array([30.3, 10.0]), np.array([29.6, 12.0]), np.array([3e5, 100.0])
    scene = Scene(shape, x, y, flux, SKY + (star_pixels(shape, x, y) @ flux).reshape(shape))
    usable = np.ones(shape, dtype=bool)
    usable[29:32, 29:32] = False
    image = dataclasses.replace(scene.image(scene.noisy(1), usable), saturated=~usable)
    result = photometer(image, StarList(x, y, np.array([2e5, np.nan])), PSF, PLAIN)
    assert abs(result.flux[0] - 3e5) < 4 * result.flux_err[0]
    assert result.flux_err[0] < 0.01 * 3e5
    assert result.flags[0] & PhotometryFlag.SATURATED
    assert result.flags[0] & PhotometryFlag.MASKED
    assert result.flags[1] == 0


def test_stars_at_the_edge_and_beyond():
    shape = (60, 60)
    x = np.array([0.2, 59.4, 30.0, -3.0, 300.0, 30.0])
    y = np.array([20.0, 59.3, 30.0, 40.0, 30.0, -1.0])
    flux = np.full(6, 2000.0)
    scene = Scene(shape, x, y, flux, SKY + (star_pixels(shape, x, y) @ flux).reshape(shape))
    result = fit(scene, scene.noisy(1))
    outside = (result.flags & PhotometryFlag.OUTSIDE).astype(bool)
    np.testing.assert_array_equal(outside, [False, False, False, True, True, True])
    np.testing.assert_array_equal(np.isnan(result.flux), outside)
    assert ((result.flags & PhotometryFlag.EDGE) > 0)[:2].all()
    assert result.flags[2] == 0
    assert np.abs((result.flux - flux) / result.flux_err)[:3].max() < 4


def test_two_stars_at_one_place_share_the_flux_as_the_catalog_says():
    shape = (40, 40)
    x, y, flux = np.array([20.2, 20.2, 8.0]), np.array([19.7, 19.7, 9.0]), np.array([900.0, 300.0, 500.0])
    scene = Scene(shape, x, y, flux, SKY + (star_pixels(shape, x, y) @ flux).reshape(shape))
    result = fit(scene, scene.noisy(1))
    assert result.flux[0] / result.flux[1] == pytest.approx(3)
    assert abs(result.flux[0] + result.flux[1] - 1200) < 4 * (result.flux_err[0] + result.flux_err[1])
    np.testing.assert_array_equal((result.flags & PhotometryFlag.BLENDED) > 0, [True, True, False])


def test_a_region_without_pixels_is_flagged_and_not_measured():
    scene = field((128, 128), 0.02, seed=12)
    usable = np.ones(scene.shape, dtype=bool)
    usable[:, :70] = False
    result = photometer(scene.image(scene.noisy(1), usable), scene.stars(), PSF, PLAIN)
    lost = scene.x < 60
    assert np.isnan(result.flux[lost]).all()
    assert ((result.flags[lost] & PhotometryFlag.NO_PIXELS) > 0).all()
    assert ((result.flags[scene.x < 30] & PhotometryFlag.BAD_BACKGROUND) > 0).all()
    seen = scene.x > 72
    assert np.abs((result.flux - scene.flux) / result.flux_err)[seen].max() < 5


def test_no_stars_give_no_rows():
    nothing = np.empty(0)
    result = photometer(CROWDED.image(CROWDED.noisy(1)), StarList(nothing, nothing), PSF, PLAIN)
    for column in dataclasses.astuple(result):
        assert column.shape == (0,)


def test_only_stars_outside_are_flagged_and_not_measured():
    far = np.array([-40.0, 500.0])
    result = photometer(CROWDED.image(CROWDED.noisy(1)), StarList(far, far), PSF, PLAIN)
    assert (result.flags == PhotometryFlag.OUTSIDE).all()
    assert np.isnan(result.flux).all()


@pytest.mark.parametrize("spoil", ["nan", "mask", "noise"])
def test_an_image_without_a_usable_pixel_is_rejected(spoil):
    data, usable, scale = np.ones(SHAPE), np.ones(SHAPE, dtype=bool), np.ones(SHAPE, dtype=np.float32)
    data[:] = np.nan if spoil == "nan" else 1.0
    usable[:] = spoil != "mask"
    scale[:] = np.nan if spoil == "noise" else 1.0
    image = PixelImage(data, NoiseModel(READ, POISSON, scale), usable, name="exposure 7")
    with pytest.raises(Rejected, match="exposure 7: none of its 3120 pixels is usable") as caught:
        photometer(image, CROWDED.stars(), PSF)
    assert caught.value.code == "no_usable_pixels"


def test_wings_of_bright_stars_reach_beyond_the_stamps():
    shape, sigma = (90, 90), 3.0
    x, y, flux = np.array([45.3, 57.0, 20.0]), np.array([44.6, 44.0, 70.0]), np.array([1e6, 200.0, 300.0])
    mean = SKY + (star_pixels(shape, x, y, sigma) @ flux).reshape(shape)
    scene = Scene(shape, x, y, flux, mean)
    wide = gaussian_psf(sigma, half_width=20)
    for guess in (scene.stars(), scene.stars(guess=False)):
        result = photometer(scene.image(scene.noisy(2)), guess, wide, PLAIN)
        assert np.abs((result.flux - flux) / result.flux_err).max() < 4


def test_a_psf_that_varies_is_taken_where_the_star_is():
    shape, nodes = (40, 1201), (0.0, 600.0, 1200.0)
    x, flux = np.array([100.0, 300.0, 600.0, 900.0, 1150.0]), np.full(5, 1e5)
    y = np.full(5, 20.0)
    mean = np.full(shape, SKY)
    for k, position in enumerate(x):
        u = position / 600.0
        cell = min(int(u), 1)
        for width, share in ((0.8 * 1.1**cell, 1 - u + cell), (0.8 * 1.1 ** (cell + 1), u - cell)):
            mean += share * flux[k] * star_pixels(shape, x[k : k + 1], y[:1], width).reshape(shape)
    scene = Scene(shape, x + 0.0, y, flux, mean)
    result = photometer(
        scene.image(mean), StarList(x, y, flux), gaussian_psf(half_width=7, nodes=nodes), PLAIN
    )
    np.testing.assert_allclose(result.flux, flux, rtol=5e-4)


def test_a_cut_out_takes_the_psf_of_its_place_on_the_detector():
    psf = gaussian_psf(nodes=(0.0, 1000.0))
    scene = field((40, 40), 0.01, seed=13, sigma=0.88, faintest=100.0)
    image = dataclasses.replace(scene.image(scene.mean), origin=(980.0, 0.0))
    placed = photometer(image, scene.stars(), psf, PLAIN)
    astray = photometer(dataclasses.replace(image, origin=(0.0, 0.0)), scene.stars(), psf, PLAIN)
    np.testing.assert_allclose(placed.flux, scene.flux, rtol=0.01)
    assert np.median(np.abs(astray.flux / scene.flux - 1)) > 0.03


def test_reduced_chi2_is_one_for_a_good_fit_and_high_for_an_intruder():
    scene = field((96, 96), 0.05, seed=14)
    runs = np.array([fit(scene, scene.noisy(seed)).reduced_chi2 for seed in range(20)])
    assert np.nanmean(runs) == pytest.approx(1.0, abs=0.05)
    bright = int(np.argmax(scene.flux))
    spoilt = scene.noisy(1)
    spoilt[int(scene.y[bright]) + 2, int(scene.x[bright])] += 500.0
    result = fit(scene, spoilt)
    assert result.reduced_chi2[bright] > 10
    assert result.flags[bright] & PhotometryFlag.POOR_FIT


def test_crowding_is_the_share_of_others():
    shape = (60, 60)
    x, y, flux = np.array([15.0, 40.0, 41.0]), np.array([15.0, 40.0, 40.0]), np.array([500.0, 100.0, 900.0])
    scene = Scene(shape, x, y, flux, SKY + (star_pixels(shape, x, y) @ flux).reshape(shape))
    result = fit(scene, scene.mean)
    own, other = (star_pixels(shape, x, y)[:, k] for k in (1, 2))
    expected = 1 - 100 * (own @ own) / (100 * own @ own + 900 * own @ other)
    assert result.crowding == pytest.approx([0.0, expected, result.crowding[2]], abs=0.01)
    assert result.flags[1] & PhotometryFlag.CROWDED
    assert result.crowding[2] < 0.1


@pytest.mark.parametrize(
    ("x", "y", "guess", "words"),
    [
        (np.zeros(3), np.zeros(2), None, "of one length"),
        (np.zeros(2), np.zeros(2), np.zeros(3), "of one length"),
        (np.array([1.0, np.nan]), np.zeros(2), None, "the first that of star 1"),
    ],
)
def test_wrong_star_lists_are_refused(x, y, guess, words):
    with pytest.raises(ValueError, match=words):
        StarList(x, y, guess)


def test_wrong_images_and_options_are_refused():
    with pytest.raises(ValueError, match="one 2-D shape"):
        PixelImage(np.zeros((3, 3)), NoiseModel(1, 1), np.ones((3, 4), dtype=bool))
    with pytest.raises(ValueError, match="tile_size"):
        FitOptions(tile_size=10)
    with pytest.raises(ValueError, match="margin"):
        FitOptions(margin=30.0)
    with pytest.raises(ValueError, match="max_sweeps"):
        FitOptions(max_sweeps=0)
