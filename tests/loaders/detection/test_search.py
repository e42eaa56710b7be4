"""Sources found in scenes with a PSF known in closed form, against their truth."""

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.spatial import cKDTree

from loaders.detection.fit_conditions import FitConditions
from loaders.detection.image_search import search_image
from loaders.detection.layer import Layer, SearchOptions
from loaders.detection.psf_error import measured_psf_error, mostly_split
from loaders.detection.refine import Refinement, Sources
from loaders.detection.search import search
from loaders.detection.significance import Sums
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.photometry.parallel import Workers
from loaders.photometry.psf_table import PsfTable
from loaders.rejection import Rejected
from loaders.wfi.placement import fit_placement
from tests.loaders.photometry.scenes import (
    POISSON,
    READ,
    Scene,
    field,
    gaussian_psf,
    pixel_gaussian,
    star_pixels,
)

SHAPE = (120, 120)
EDGE = 4
PSF = gaussian_psf()
WIDE = gaussian_psf(half_width=8)


def inside(x, y):
    return (x > EDGE) & (x < SHAPE[1] - 1 - EDGE) & (y > EDGE) & (y < SHAPE[0] - 1 - EDGE)


def pairs(found, truth_x, truth_y, radius=0.4):
    """Rows of found sources and of the truth that are each other's nearest."""
    distance, of_truth = cKDTree(np.column_stack([truth_x, truth_y])).query(
        np.column_stack([found.x, found.y])
    )
    _, of_found = cKDTree(np.column_stack([found.x, found.y])).query(np.column_stack([truth_x, truth_y]))
    rows = np.flatnonzero((distance < radius) & (of_found[of_truth] == np.arange(found.x.size)))
    return rows, of_truth[rows]


@pytest.fixture(scope="module")
def crowded():
    """A star on every 25th pixel, found in one image."""
    scene = field(SHAPE, 0.04, seed=3)
    return scene, search([Layer(scene.image(scene.noisy(1)), PSF)], SHAPE)


def test_bright_stars_are_all_found_and_hardly_anything_else(crowded):
    scene, found = crowded
    bright = np.flatnonzero(inside(scene.x, scene.y) & (scene.flux > 20))
    distance, _ = cKDTree(np.column_stack([found.x, found.y])).query(
        np.column_stack([scene.x[bright], scene.y[bright]])
    )
    assert np.mean(distance < 0.5) > 0.97
    within = inside(found.x, found.y)
    distance, _ = cKDTree(np.column_stack([scene.x, scene.y])).query(
        np.column_stack([found.x, found.y])[within]
    )
    # What is left are pairs less than a pixel apart that are one source between them.
    assert np.mean(distance < 0.5) > 0.94
    assert np.mean(distance < 1.0) > 0.99


def test_fluxes_and_positions_scatter_about_the_truth_as_claimed():
    # Few stars: where two are one source, what is found is not what is true.
    scene = field((240, 240), 0.008, seed=4)
    found = search([Layer(scene.image(scene.noisy(1)), PSF)], (240, 240))
    rows, truth = pairs(found, scene.x, scene.y)
    usual = found.flags[rows] & (PhotometryFlag.BLENDED | PhotometryFlag.EDGE) == 0
    usual &= found.signal_to_noise[rows] > 15
    rows, truth = rows[usual], truth[usual]
    assert rows.size > 100
    for value, error, true in (
        (found.flux, found.flux_err, scene.flux),
        (found.x, found.x_err, scene.x),
        (found.y, found.y_err, scene.y),
    ):
        pull = (value[rows] - true[truth]) / error[rows]
        width = 0.5 * np.subtract(*np.percentile(pull, [84.134, 15.866]))
        assert width == pytest.approx(1.0, abs=0.2)
        assert abs(np.median(pull)) < 0.25


def test_noise_alone_has_no_sources():
    scene = Scene(SHAPE, *(np.empty(0) for _ in range(3)), np.full(SHAPE, 3.0))
    found = search([Layer(scene.image(scene.noisy(5)), PSF)], SHAPE)
    # Five sigma at 14400 places: 0.004 expected; two are more than chance.
    assert found.x.size <= 1


def test_a_pair_less_than_a_pixel_apart_is_told_apart_if_bright_enough():
    x, y, flux = np.array([60.0, 60.75]), np.array([60.1, 60.1]), np.array([2000.0, 1200.0])
    scene = Scene(SHAPE, x, y, flux, 3.0 + (star_pixels(SHAPE, x, y) @ flux).reshape(SHAPE))
    found = search([Layer(scene.image(scene.noisy(2)), PSF)], SHAPE, SearchOptions(psf_error=0.001))
    assert found.x.size == 2
    order = np.argsort(-found.flux)
    np.testing.assert_allclose(found.x[order], x, atol=0.03)
    np.testing.assert_allclose(found.flux[order], flux, rtol=0.03)
    assert (found.flags & PhotometryFlag.BLENDED).all()


def best_chi2(x, y, flux, data, variance):
    """Least chi-square of stars on a known sky, places and fluxes free."""

    def residuals(parameters):
        u, v, f = parameters.reshape(3, -1)
        model = 3.0 + (star_pixels(SHAPE, u, v) @ f).reshape(SHAPE)
        return ((data - model) / np.sqrt(variance)).ravel()

    start = np.concatenate([x, y, flux])
    return np.sum(least_squares(residuals, start, method="lm", x_scale="jac").fun ** 2)


def test_evidence_of_a_faint_star_beside_a_bright_one_is_what_chi_square_loses_by_it():
    """Its flux is far less certain than its existence: the two may share their light in many ways."""
    x, y, flux = np.array([60.0, 60.9]), np.array([60.1, 60.4]), np.array([150.0, 16.0])
    mean = 3.0 + (star_pixels(SHAPE, x, y) @ flux).reshape(SHAPE)
    scene = Scene(SHAPE, x, y, flux, mean)
    data = mean.copy()
    options = SearchOptions(prior=50.0)
    layer = Layer(scene.image(data), PSF)
    tables = [(layer, PsfTable.of(PSF))]
    with Workers(1) as workers:
        refinement = Refinement(tables, Sources.found(x, y, flux), FitConditions(options, 1e-3, workers))
        evidence = refinement.evidence()
        value, variance = refinement.combined()
    expected = np.sqrt(best_chi2(x[:1], y[:1], flux[:1], data, layer.image.noise.variance(mean)))
    assert expected > 5
    assert evidence[1] == pytest.approx(expected, rel=0.15)
    assert value[1, 0] / np.sqrt(variance[1, 0]) < 0.7 * evidence[1]


@pytest.mark.heavy
def test_dithered_images_together_go_deeper_than_one_and_keep_errors_honest():
    scene = field(SHAPE, 0.02, seed=8, faintest=0.4)
    layers = []
    for number, (dx, dy) in enumerate([(0.0, 0.0), (0.37, -1.21), (-2.43, 0.66), (1.18, 1.74)]):
        mean = 3.0 + (star_pixels(SHAPE, scene.x + dx, scene.y + dy) @ scene.flux).reshape(SHAPE)
        shifted = Scene(SHAPE, scene.x + dx, scene.y + dy, scene.flux, mean)
        place = fit_placement(lambda x, y, dx=dx, dy=dy: (x + dx, y + dy), (0, 0), (119, 119))
        layers.append(Layer(shifted.image(shifted.noisy(number)), PSF, place))
    one, four = search(layers[:1], SHAPE), search(layers, SHAPE)
    assert four.x.size > 1.3 * one.x.size
    rows, truth = pairs(four, scene.x, scene.y)
    usual = inside(four.x[rows], four.y[rows]) & (four.flags[rows] & PhotometryFlag.BLENDED == 0)
    assert (four.n_image[rows][usual] == 4).all()
    usual &= four.signal_to_noise[rows] > 15
    pull = (four.x[rows] - scene.x[truth])[usual] / four.x_err[rows][usual]
    assert np.std(np.clip(pull, -5, 5)) == pytest.approx(1.0, abs=0.2)


def test_light_of_a_wrong_psf_is_no_source():
    x, y, flux = np.array([60.2]), np.array([59.7]), np.array([30000.0])
    scene = Scene(SHAPE, x, y, flux, 3.0 + (star_pixels(SHAPE, x, y, 0.82) @ flux).reshape(SHAPE))
    layer = Layer(scene.image(scene.noisy(4)), PSF)
    doubtful = search([layer], SHAPE, SearchOptions(psf_error=0.1))
    assert doubtful.x.size == 1


def lone_stars(count=7, faintest=1e3):
    """Bright stars far from each other, anywhere in their pixels."""
    rng = np.random.default_rng(5)
    places = 12 + 16.0 * np.mgrid[:count, :count].reshape(2, -1) + rng.uniform(-0.5, 0.5, (2, count**2))
    return *places, faintest * 10 ** rng.uniform(0, 2.5, count**2)


def elongated(x, y, flux, share):
    """A scene of stars that are wider along x than the PSF, by a share of its width."""
    along_y = pixel_gaussian(np.arange(SHAPE[0])[:, None] - y, 0.8)
    along_x = pixel_gaussian(np.arange(SHAPE[1])[:, None] - x, 0.8 * (1 + share))
    return Scene(SHAPE, x, y, flux, 3.0 + np.einsum("yn,xn,n->yx", along_y, along_x, flux))


@pytest.mark.heavy
def test_a_bright_star_is_not_split_where_the_psf_is_twice_as_wrong_as_assumed():
    """A companion within its core would explain what the PSF lacks, far beyond the photon noise."""
    x, y, flux = lone_stars()
    scene = elongated(x, y, flux, 0.02)
    found = search([Layer(scene.image(scene.noisy(1)), WIDE)], SHAPE, SearchOptions(psf_error=0.01))
    assert measured_psf_error(found) == pytest.approx(0.02, abs=0.003)
    distance = np.hypot(found.x[:, None] - x, found.y[:, None] - y)
    np.testing.assert_array_equal((distance < 1).sum(axis=0), 1)


@pytest.mark.heavy
@pytest.mark.parametrize("share", [0.05, 0.08])
def test_a_psf_so_wrong_that_all_stars_are_split_is_found_out(share):
    x, y, flux = lone_stars()
    scene = elongated(x, y, flux, share)
    layer, options = Layer(scene.image(scene.noisy(1)), WIDE), SearchOptions(psf_error=0.01)
    assert mostly_split(search([layer], SHAPE, options))
    found, error = search_image(layer, options)
    assert error == pytest.approx(share, rel=0.2)
    assert not mostly_split(found)
    assert found.x.size == x.size


@pytest.mark.heavy
@pytest.mark.parametrize(("apart", "ratio"), [(0.7, 1.0), (0.7, 0.5), (0.85, 0.25), (1.0, 0.1)])
def test_true_pairs_are_split_where_the_psf_may_be_wrong_by_a_hundredth(apart, ratio):
    x, y, flux = lone_stars()
    angle = np.random.default_rng(6).uniform(0, 2 * np.pi, x.size)
    x = np.concatenate([x, x + apart * np.cos(angle)])
    y = np.concatenate([y, y + apart * np.sin(angle)])
    flux = np.concatenate([flux, ratio * flux])
    scene = elongated(x, y, flux, 0.0)
    found = search([Layer(scene.image(scene.noisy(2)), WIDE)], SHAPE, SearchOptions(psf_error=0.01))
    rows, truth = pairs(found, x, y, 0.35)
    # Faint pairs may be one source; a pair of which a PSF off by that much would make one, too.
    assert rows.size >= 0.94 * x.size
    assert np.median(np.abs(found.flux[rows] / flux[truth] - 1)) < 0.03


@pytest.mark.parametrize("width", [1.0, 0.97, 0.93])
def test_the_error_of_a_psf_is_measured(width):
    """Of the norm of the residual over that of the light, without what flux and place absorb."""
    rng = np.random.default_rng(9)
    nodes = np.mgrid[10:111:20, 10:111:20].reshape(2, -1)
    x, y = nodes + rng.uniform(-1, 1, nodes.shape)
    flux = rng.uniform(2000, 20000, x.size)
    true = star_pixels(SHAPE, x, y, width * 0.8)
    scene = Scene(SHAPE, x, y, flux, 3.0 + (true @ flux).reshape(SHAPE))
    found = search([Layer(scene.image(scene.noisy(4)), PSF)], SHAPE, SearchOptions(psf_error=0.2))
    error = measured_psf_error(found)
    place = np.array([60.2]), np.array([59.7])
    own, theirs = (star_pixels(SHAPE, *place, sigma).ravel() for sigma in (0.8, width * 0.8))
    weight = 1 / (READ + POISSON * (3.0 + np.median(flux) * theirs))
    left = theirs - own * (weight * own @ theirs) / (weight * own @ own)
    expected = np.sqrt((weight * left @ left) / (weight * own @ own))
    assert error == pytest.approx(expected, rel=0.2, abs=0.003)


def test_modelled_light_counts_as_noise_in_proportion_to_the_error_of_the_psf():
    information = np.full((20, 20), 100.0, np.float32)
    light = np.full((20, 20), 1e5, np.float32)
    sums = Sums(1, 0.05 * light, information, light)
    np.testing.assert_allclose(sums.signal_to_noise(1e-9, 0.0, 1.0), 500, rtol=1e-4)
    np.testing.assert_allclose(sums.signal_to_noise(0.1, 0.0, 1.0), 0.5, rtol=1e-3)
    np.testing.assert_allclose(sums.signal_to_noise(0.0, 0.1, 1.0), 0.5, rtol=1e-3)


def test_known_sources_keep_their_rows():
    scene = field(SHAPE, 0.01, seed=6, faintest=20)
    known = (scene.x + 0.05, scene.y - 0.05, scene.flux * 1.1)
    found = search([Layer(scene.image(scene.noisy(1)), PSF)], SHAPE, known=known)
    old = found.known >= 0
    assert np.mean(inside(scene.x, scene.y)) * scene.x.size <= 1.05 * old.sum()
    offset = np.hypot(found.x[old] - scene.x[found.known[old]], found.y[old] - scene.y[found.known[old]])
    assert np.median(offset) < 0.03
    assert np.unique(found.known[old]).size == old.sum()


def test_an_image_without_pixels_is_refused_and_pixels_without_values_are_left_out():
    scene = field(SHAPE, 0.01, seed=6)
    data = scene.noisy(1)
    with pytest.raises(Rejected, match="none of its 14400 pixels"):
        search([Layer(scene.image(data, np.zeros(SHAPE, bool)), PSF)], SHAPE)
    data[:, 60:] = np.nan
    usable = np.isfinite(data)
    image = PixelImage(data, NoiseModel(READ, POISSON), usable)
    found = search([Layer(image, PSF)], SHAPE)
    assert found.x.size > 10
    assert (found.x < 61).all()


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="threshold > 0"):
        SearchOptions(threshold=0)
