"""PSF matching: kernels against closed forms and photutils; noise against its scatter."""

from __future__ import annotations

import numpy as np
import pytest
from photutils.psf_matching import TukeyWindow, make_kernel
from scipy.signal import fftconvolve

from loaders.psf.mosaic import DETECTOR_SCALE, mosaic_psf
from loaders.psf.optics import optical_psf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.rejection import Rejected
from loaders.static_catalog.apertures import Plane, circle_sums
from loaders.static_catalog.background import prepare_band
from loaders.static_catalog.detection import pixel_stamp
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.psf_matching import broadest, matched_band, matching_kernel, psf_width
from tests.loaders.static_catalog.fields import SCALE, gaussian_image, gaussian_psf, grid_of_places, mosaic

OPTIONS = CatalogOptions(background_box=512)


def test_kernel_between_gaussians_is_a_gaussian():
    narrow, broad = (pixel_stamp(gaussian_psf(s, half=20)) for s in (1.5, 2.5))
    kernel = matching_kernel(narrow, broad, 1e-8)
    offset = np.arange(-20, 21)
    square = offset[:, None] ** 2 + offset**2
    expected = np.exp(-square / (2 * 4.0)) / (2 * np.pi * 4.0)
    assert kernel.sum() == pytest.approx(broad.sum() / narrow.sum(), rel=1e-6)
    assert np.abs(kernel - expected).max() < 2e-3 * expected.max()


def roman_psf(element):
    psf = optical_psf("WFI07", element)
    return mosaic_psf(psf, np.diag([DETECTOR_SCALE, DETECTOR_SCALE]), SCALE)


@pytest.fixture(scope="module")
def roman():
    return {element: roman_psf(element) for element in ("F106", "F213")}


def test_kernel_matches_as_well_as_that_of_photutils(roman):
    source, target = (pixel_stamp(roman[e]) for e in ("F106", "F213"))
    size = min(len(source), len(target))
    source, target = (
        s[(len(s) - size) // 2 :][:size, (len(s) - size) // 2 :][:, :size] for s in (source, target)
    )

    def residual(kernel):
        matched = fftconvolve(source, kernel, mode="same")
        return np.abs(matched / matched.sum() - target / target.sum()).sum()

    peer = make_kernel(source, target, window=TukeyWindow(0.5), regularization=1e-4)
    own = residual(matching_kernel(source, target))
    assert own < 0.03
    assert own < residual(peer) * 1.1


def test_matched_stars_have_the_light_of_the_reference_in_every_aperture(roman):
    """Also between pixels: kernels are made on pixels that hardly sample the PSF."""
    x, y = grid_of_places(500, 100, np.random.default_rng(1))
    made = []
    for element in ("F106", "F213"):
        image = np.zeros((500, 500))
        draw(image, SplinePsf.of(roman[element]), Stars(x, y, np.full(x.size, 1e4), np.full(x.size, 44)))
        made.append(prepare_band(mosaic(image, None, element=element, read=1.0), roman[element], OPTIONS))
    matched = matched_band(made[0], made[1])
    for radius, tolerance in ((2.0, 0.015), (4.0, 0.01), (8.0, 0.005), (16.0, 0.005)):
        sums = [
            circle_sums(
                Plane(b.data, b.variance, np.zeros((500, 500), np.int32), b.good, b.inflation), x, y, radius
            )
            for b in (matched, made[1])
        ]
        np.testing.assert_allclose(sums[0].flux / sums[1].flux, 1, atol=tolerance)


@pytest.mark.heavy
def test_noise_of_a_matched_band_is_its_scatter():
    narrow, broad = gaussian_psf(1.5), gaussian_psf(2.5)
    rng = np.random.default_rng(2)
    one = prepare_band(mosaic(np.zeros((1200, 1200)), rng, read=4.0), narrow, OPTIONS)
    other = prepare_band(mosaic(np.zeros((1200, 1200)), rng), broad, OPTIONS)
    found = matched_band(one, other)
    inner = slice(30, -30)
    assert found.data[inner, inner].std() == pytest.approx(np.sqrt(found.variance[600, 600]), rel=0.03)
    x, y = grid_of_places(1200, 11, rng)
    plane = Plane(
        found.data, found.variance, np.zeros(found.data.shape, np.int32), found.good, found.inflation
    )
    for radius in (2.0, 7.3):
        sums = circle_sums(plane, x, y, radius)
        assert (sums.flux / sums.flux_err).std() == pytest.approx(1, abs=0.04)


def test_flux_is_conserved():
    image = gaussian_image((200, 200), [(100.3, 99.8, 5000, 0)])
    one = prepare_band(mosaic(image, None), gaussian_psf(1.5), OPTIONS)
    other = prepare_band(mosaic(image, None), gaussian_psf(2.2), OPTIONS)
    found = matched_band(one, other)
    assert found.data.sum() == pytest.approx(one.data.sum(), rel=1e-3)


def test_the_reference_stays_as_it_is_and_is_the_broadest():
    one = prepare_band(mosaic(np.zeros((60, 60)), None), gaussian_psf(1.5), OPTIONS)
    other = prepare_band(mosaic(np.zeros((60, 60)), None), gaussian_psf(2.2), OPTIONS)
    assert broadest([one, other]) is other
    assert matched_band(other, other) is other
    with pytest.raises(Rejected):
        broadest([])


def test_width_of_a_gaussian_is_its_dispersion():
    assert psf_width(gaussian_psf(2.0)) == pytest.approx(np.sqrt(4 + 1 / 12), rel=1e-3)


def test_psfs_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="square, odd and equal"):
        matching_kernel(np.ones((4, 4)), np.ones((4, 4)))
