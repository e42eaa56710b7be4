"""Light, places and noise of an image in the pixels of a mosaic, against closed forms and drawn noise."""

import numpy as np
import pytest
from astropy.wcs import WCS
from photutils.aperture import CircularAperture, aperture_photometry
from scipy.special import erf

from loaders.field_mosaic.grid import Box, MosaicGrid, choose_grid
from loaders.field_mosaic.resample import PLANES, resample
from tests.loaders.field_mosaic.made_up import CENTRE, PIXEL, frame, reference, stars_in

RADIUS = 8.0
"""Of circles, detector pixels: more than seven standard deviations of a star."""


def resampled(one, grid=None):
    grid = grid or choose_grid(CENTRE, [one.frame])
    box = grid.box(one.frame)
    out = np.empty((PLANES, *box.shape), np.float32)
    resample(one, grid, box, out)
    return grid, box, out


def circles(image, x, y, radius):
    found = aperture_photometry(image, CircularAperture(np.column_stack([x, y]), radius), method="exact")
    return np.asarray(found["aperture_sum"])


def scene(oversampling, turn, at=(3.33, -1.71), seed=4):
    one = frame(at, turn, (80, 80), oversampling)
    reach = 12 if oversampling == 1 else 19
    offset = np.random.default_rng(seed).uniform(-0.5, 0.5, (2, 4))
    x, y = np.array([[-1, 1, -1, 1], [-1, -1, 1, 1]]) * (reach - 2.5) + offset
    return one, stars_in(one, x, y, [100.0, 37.0, 250.0, 15.0])


@pytest.mark.parametrize("oversampling", [1, 2, 3])
@pytest.mark.parametrize("turn", [0.0, 17.0, 45.0, 101.0])
def test_stars_keep_flux_and_place(oversampling, turn):
    one, stars = scene(oversampling, turn)
    image = reference(one, stars)
    grid, box, out = resampled(image)
    x, y = grid.to_pixel(stars.ra, stars.dec)
    x, y = x - box.left, y - box.top
    # nJy of a pixel: MJy/sr times its area.
    pixels = out[0].astype(np.float64) * grid.pixel_area * 1e15
    assert np.isfinite(pixels[np.rint(y).astype(int), np.rint(x).astype(int)]).all()
    pixels = np.nan_to_num(pixels)
    flux = circles(pixels, x, y, RADIUS)
    np.testing.assert_allclose(flux, stars.flux, rtol=1e-3)
    # As on the image itself.
    u, v = one.projection.to_pixel(stars.ra, stars.dec)
    of_image = circles(image.image.data.astype(np.float64), u, v, RADIUS * oversampling)
    np.testing.assert_allclose(flux, of_image, rtol=1e-3)
    rows, columns = np.indices(pixels.shape)
    for k in range(len(x)):
        near = np.hypot(columns - x[k], rows - y[k]) < RADIUS
        centroid = np.array([(pixels * at)[near].sum() / pixels[near].sum() for at in (columns, rows)])
        np.testing.assert_allclose(centroid, [x[k], y[k]], atol=0.02)


def test_pixels_have_the_mean_of_the_scene_over_their_square():
    """A Gaussian is narrow against a pixel: sampled in the middle it would be 20 % higher than its mean."""
    one = frame(turn=0.0, shape=(80, 80), oversampling=3)
    stars = stars_in(one, [0.3], [-0.2], [100.0])
    grid, box, out = resampled(reference(one, stars))
    x, y = grid.to_pixel(stars.ra, stars.dec)

    def inside(at, length):
        edges = (np.arange(length + 1) - 0.5 - at) / (1.1 * np.sqrt(2))
        return np.diff(erf(edges)) / 2

    expected = 100 * np.outer(inside(y - box.top, box.shape[0]), inside(x - box.left, box.shape[1]))
    found = np.nan_to_num(out[0] * grid.pixel_area * 1e15)
    np.testing.assert_allclose(found, expected, atol=0.01 * expected.max())


def test_the_grid_is_that_of_astropy():
    one = frame((40.0, 25.0), 30.0)
    grid = choose_grid(CENTRE, [one])
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = CENTRE
    wcs.wcs.crpix = [grid.x_ref + 1, grid.y_ref + 1]
    wcs.wcs.cdelt = [-PIXEL / 3600, PIXEL / 3600]
    x, y = np.random.default_rng(1).uniform(0, 80, (2, 20))
    ra, dec = grid.to_sky(x, y)
    np.testing.assert_allclose(wcs.all_pix2world(x, y, 0), [ra, dec], atol=1e-11)
    np.testing.assert_allclose(grid.to_pixel(ra, dec), [x, y], atol=1e-8)
    w, wu, wv = grid.into(one) @ np.stack([np.ones_like(x), x, y])
    np.testing.assert_allclose(one.to_sky(wu / w, wv / w), [ra, dec], atol=1e-11)


def test_grids_of_a_field_lie_on_one_another():
    one, other = (choose_grid(CENTRE, [frame(at, 20.0)]) for at in ((40.0, 25.0), (-13.37, 5.5)))
    sky = one.to_sky(np.array([10.0]), np.array([20.0]))
    x, y = other.to_pixel(*sky)
    np.testing.assert_allclose([x, y], np.rint([x, y]), atol=1e-7)


def test_the_grid_holds_the_images_and_little_more():
    frames = [frame((40.0, 25.0), 30.0), frame((-3.0, 2.0), 10.0)]
    grid = choose_grid(CENTRE, frames)
    x, y = np.concatenate([grid.outline(one) for one in frames], axis=1)
    for values, length in ((x, grid.shape[1]), (y, grid.shape[0])):
        assert 0 <= values.min() < 1
        assert length - 2 <= values.max() <= length - 1


@pytest.mark.parametrize(
    ("oversampling", "turn"),
    [(1, 0.0), *(pytest.param(*one, marks=pytest.mark.heavy) for one in ((2, 23.0), (1, 23.0), (3, 0.0)))],
)
def test_variances_are_the_scatter(oversampling, turn):
    one = frame((0.02, 0.05), turn, (52, 52), oversampling)
    stars = stars_in(one, [0.0], [0.0], [3000.0])
    count = 200
    drawn, variance = [], []
    for seed in range(count):
        _, _, out = resampled(reference(one, stars, seed=seed))
        drawn.append(out[0])
        variance.append(out[1:])
    mean = np.mean(drawn, axis=0)
    empty, bright = mean < 0.001 * np.nanmax(mean), mean > 0.3 * np.nanmax(mean)
    assert min(empty.sum() / 100, bright.sum() / 5) > 1
    scatter = np.var(drawn, axis=0, ddof=1)
    expected = np.mean(variance, axis=0).sum(axis=0)
    ratio = (scatter / expected)[empty]
    # The variance of one pixel is known to sqrt(2 / 200) of itself, a tenth.
    assert np.mean(ratio) == pytest.approx(1, abs=0.02)
    assert np.std(ratio) == pytest.approx(np.sqrt(2 / count), abs=0.015)
    # Photons of the star count; how they are spread within a pixel does not.
    assert np.mean((scatter / expected)[bright]) == pytest.approx(1, abs=0.15 if oversampling == 1 else 0.08)
    assert (np.mean(variance, axis=0)[1] / np.mean(variance, axis=0)[0])[bright].max() > 1


@pytest.mark.heavy
@pytest.mark.parametrize(("oversampling", "most"), [(1, 0.35), (2, 0.12), (3, 0.1)])
def test_noise_of_neighbours_is_independent_but_where_nothing_was_dithered(oversampling, most):
    one = frame((0.02, 0.05), 23.0, (64, 64), oversampling)
    drawn = np.stack([resampled(reference(one, seed=seed))[2][0] for seed in range(100)])
    seen = np.isfinite(drawn[:, :, 1:]) & np.isfinite(drawn[:, :, :-1])
    left, right = drawn[:, :, :-1][seen], drawn[:, :, 1:][seen]
    assert abs(np.corrcoef(left, right)[0, 1]) < most


def test_a_pixel_that_is_not_usable_costs_those_that_lie_on_it():
    one = frame(turn=15.0, oversampling=2)
    usable = np.ones(one.shape, bool)
    usable[60, 64] = False
    whole, hurt = (resampled(reference(one, usable=mask))[2] for mask in (None, usable))
    grid, box, _ = resampled(reference(one))
    lost = np.isfinite(whole[0]) & ~np.isfinite(hurt[0])
    rows, columns = np.nonzero(lost)
    assert 1 <= rows.size <= 9
    (x,), (y,) = grid.to_pixel(*one.to_sky(np.array([64.0]), np.array([60.0])))
    assert np.hypot(columns + box.left - x, rows + box.top - y).max() < 1.5
    # Half a fine pixel is a quarter of a pixel here: what lies closer than that is lost for certain.
    assert lost[round(y) - box.top, round(x) - box.left]
    np.testing.assert_array_equal(hurt[:, ~lost], whole[:, ~lost])


def test_boxes():
    one, other = Box(0, 10, 5, 20), Box(8, 30, 0, 6)
    assert one.common(other) == Box(8, 10, 5, 6)
    assert one.common(Box(10, 12, 5, 20)) is None
    assert other.rows(0, 12) == (slice(8, 12), slice(0, 4))
    outer, inner = other.rows(40, 50)
    assert outer.start == outer.stop
    assert inner.start == inner.stop
    assert MosaicGrid(*CENTRE, PIXEL, 0, 0, (10, 10)).box(frame((100.0, 100.0))) is None
