"""Detection: what is found, where, how often, and how seldom nothing is taken for something."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree

from loaders.rejection import Rejected
from loaders.static_catalog.background import prepare_band
from loaders.static_catalog.correlation import kernel_correlation
from loaders.static_catalog.detection import connected, convolve, detect, detection_kernel, pixel_stamp
from loaders.static_catalog.options import CatalogOptions
from tests.loaders.static_catalog.fields import gaussian_image, gaussian_psf, grid_of_places, mosaic

OPTIONS = CatalogOptions()
PSF = gaussian_psf()
#: 1 / sum of squares of the PSF: pixels of noise under it.
NOISE_PIXELS = 4 * np.pi * (1.5**2 + 1 / 12)


def bands(image, seed=1, elements=("F158",), **others):
    rng = np.random.default_rng(seed)
    made = (mosaic(image, rng, element=e, **others) for e in elements)
    return [prepare_band(one, PSF, OPTIONS) for one in made]


def test_kernel_is_the_psf_and_keeps_light():
    kernel = detection_kernel(PSF)
    assert kernel.sum() == pytest.approx(1)
    assert 1 / (kernel**2).sum() == pytest.approx(NOISE_PIXELS, rel=0.05)
    image = np.zeros((64, 64), np.float32)
    image[30, 31] = 5
    assert convolve(image, kernel).sum() == pytest.approx(5, rel=1e-5)
    assert pixel_stamp(PSF).shape == (31, 31)


def test_peaks_have_the_signal_to_noise_ratio_of_a_matched_filter():
    x, y = grid_of_places(800, 60, np.random.default_rng(2))
    x, y = np.rint(x), np.rint(y)
    flux = 20 * np.sqrt(NOISE_PIXELS)
    image = gaussian_image((800, 800), [(a, b, flux, 0) for a, b in zip(x, y, strict=True)])
    found = detect(bands(image), OPTIONS)
    assert found.count == x.size
    # The highest of neighbouring pixels lies a little above the mean.
    assert np.median(found.peak_snr) == pytest.approx(20, abs=0.7)


@pytest.mark.heavy
def test_completeness_at_the_threshold_is_a_half():
    """Measured at the pixel of the source; a detection needs five pixels besides."""
    options = CatalogOptions(min_pixels=1)
    x, y = grid_of_places(1000, 40, np.random.default_rng(3))
    x, y = np.rint(x), np.rint(y)
    flux = options.threshold * np.sqrt(NOISE_PIXELS)
    image = gaussian_image((1000, 1000), [(a, b, flux, 0) for a, b in zip(x, y, strict=True)])
    found = detect(bands(image, seed=4), options)
    at = found.labels[y.astype(int), x.astype(int)] > 0
    assert at.mean() == pytest.approx(0.5, abs=0.07)


@pytest.mark.heavy
@pytest.mark.parametrize("correlated", [False, True])
def test_noise_alone_is_seldom_a_source(correlated):
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((1500, 1500))
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16.0
    others = {}
    if correlated:
        noise = convolve(noise.astype(np.float32), kernel / np.sqrt((kernel**2).sum()))
        others = {"correlation": kernel_correlation(kernel)}
    given = mosaic(noise, None, **others)
    found = detect([prepare_band(given, PSF, OPTIONS)], OPTIONS)
    assert found.count <= 8


def test_bands_together_see_deeper():
    x, y = grid_of_places(600, 50, np.random.default_rng(6))
    image = gaussian_image(
        (600, 600), [(a, b, 4.5 * np.sqrt(NOISE_PIXELS), 0) for a, b in zip(x, y, strict=True)]
    )

    def share(elements):
        found = detect(bands(image, 7, elements), OPTIONS)
        inside = found.labels[np.rint(y).astype(int), np.rint(x).astype(int)] > 0
        return inside.mean()

    assert share(("F106", "F129", "F158", "F184")) > 0.95 > share(("F158",))


def test_mean_image_has_the_noise_that_it_says():
    made = bands(np.zeros((300, 300)), 8, ("F106", "F158"))
    found = detect(made, OPTIONS)
    pull = found.data / np.sqrt(found.variance)
    assert pull.std() == pytest.approx(1, abs=0.02)
    assert found.psf.stamps.sum() == pytest.approx(PSF.stamps.sum())


def test_a_hole_in_one_band_is_filled_by_the_other():
    x, y = np.array([100.0]), np.array([100.0])
    image = gaussian_image((200, 200), [(100, 100, 3000, 0)])
    one, two = bands(image, 9, ("F106", "F158"))
    one.good[90:110, 90:110] = False
    one.data[~one.good] = 0
    one.sky_variance[~one.good] = np.inf
    found = detect([one, two], OPTIONS)
    assert found.labels[100, 100] > 0
    assert KDTree(np.stack([x, y], 1)).query([[100, 100]])[0][0] == 0
    assert found.good.all()


def test_small_groups_are_left_out_and_corners_touch():
    mask = np.zeros((8, 8), dtype=bool)
    mask[1, 1] = True
    mask[[3, 4, 5], [3, 4, 5]] = True
    assert connected(mask, 2).max() == 1
    assert connected(mask, 4).max() == 0


def test_no_band_and_other_pixels_are_refused():
    with pytest.raises(Rejected, match="no band"):
        detect([], OPTIONS)
    one, two = bands(np.zeros((60, 60)))[0], bands(np.zeros((60, 70)))[0]
    with pytest.raises(Rejected, match="not those of") as caught:
        detect([one, two], OPTIONS)
    assert caught.value.code == "grid_mismatch"
