"""Isophotal sums and moments, against closed forms and photutils on the same segmentation."""

from __future__ import annotations

import numpy as np
import pytest
from photutils.segmentation import SegmentationImage, SourceCatalog

from loaders.static_catalog.correlation import WHITE, AreaInflation
from loaders.static_catalog.deblend import deblend
from loaders.static_catalog.detection import connected
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.segments import Segments, bounding_boxes, moments
from tests.loaders.static_catalog.fields import gaussian_image

FACTOR = AreaInflation.of(WHITE)


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(7)
    sources = [(*rng.uniform(15, 185, 2), rng.uniform(500, 8000), rng.uniform(0, 3)) for _ in range(60)]
    image = (gaussian_image((200, 200), sources) + rng.normal(0, 1, (200, 200))).astype(np.float32)
    labels, _ = deblend(connected(image > 3, 5), image, np.ones_like(image), CatalogOptions())
    variance = np.full(image.shape, 1.0, np.float32)
    return image, variance, labels


def test_fluxes_and_moments_are_those_of_photutils(scene):
    image, variance, labels = scene
    segments = Segments.of(labels)
    found = moments(segments, image, variance, FACTOR)
    flux, error = segments.flux(image, variance, FACTOR)
    peer = SourceCatalog(
        image.astype(float), SegmentationImage(labels), error=np.sqrt(variance).astype(float)
    )
    np.testing.assert_allclose(flux, peer.segment_flux, rtol=1e-5)
    np.testing.assert_allclose(error, peer.segment_flux_err, rtol=1e-5)
    np.testing.assert_allclose(found.x, peer.x_centroid, atol=1e-4)
    np.testing.assert_allclose(found.y, peer.y_centroid, atol=1e-4)
    np.testing.assert_allclose(found.semimajor, peer.semimajor_axis.value, rtol=1e-3)
    np.testing.assert_allclose(found.semiminor, peer.semiminor_axis.value, rtol=1e-3)
    turn = np.degrees(found.orientation) - peer.orientation.value
    elongated = found.semimajor > 1.05 * found.semiminor
    np.testing.assert_allclose(((turn + 90) % 180 - 90)[elongated], 0, atol=0.1)
    boxes = bounding_boxes(labels)
    assert np.array_equal(boxes[0], peer.bbox_xmin)
    assert np.array_equal(boxes[3], peer.bbox_ymax)


def test_moments_of_a_gaussian_are_its_own():
    """A pixel adds a twelfth to the second moment."""
    image = gaussian_image((81, 81), [(40.3, 39.6, 1e5, 2.0)], sigma=1.5)
    labels = np.ones((81, 81), dtype=np.int32)
    found = moments(Segments.of(labels), image.astype(np.float32), np.ones_like(image, np.float32), FACTOR)
    assert (found.x[0], found.y[0]) == pytest.approx((40.3, 39.6), abs=1e-4)
    assert found.xx[0] == pytest.approx(1.5**2 + 2.0**2 + 1 / 12, rel=1e-3)
    assert found.xy[0] == pytest.approx(0, abs=1e-3)


def test_errors_of_centroids_are_their_scatter():
    """In fixed pixels that hold all of the light."""
    rng = np.random.default_rng(8)
    clean = gaussian_image((21, 21), [(10.2, 9.9, 5000, 0)]) + 20  # no pixel is negative
    labels, variance = np.ones((21, 21), np.int32), np.full((21, 21), 4.0, np.float32)
    pulls = []
    for _ in range(400):
        noisy = (clean + rng.normal(0, 2, clean.shape)).astype(np.float32)
        found = moments(Segments.of(labels), noisy, variance, FACTOR)
        pulls.append([found.x[0], found.y[0], found.x_err[0]])
    x, _, error = np.array(pulls).T
    assert error.min() > 0
    assert x.std() == pytest.approx(error.mean(), rel=0.1)


def test_a_line_of_pixels_has_the_width_of_a_pixel():
    image, labels = np.zeros((9, 9), np.float32), np.zeros((9, 9), np.int32)
    labels[4, 2:7], image[4, 2:7] = 1, 1.0
    found = moments(Segments.of(labels), image, np.ones_like(image), FACTOR)
    assert found.semiminor[0] == pytest.approx(np.sqrt(1 / 12))
    assert np.isfinite(found.ellipse()).all()


def test_a_segment_without_light_has_no_place():
    labels = np.zeros((9, 9), np.int32)
    labels[3:5, 3:5] = 1
    found = moments(Segments.of(labels), -np.ones((9, 9), np.float32), np.ones((9, 9), np.float32), FACTOR)
    assert np.isnan(found.x[0])


def test_no_sources_give_empty_arrays():
    labels = np.zeros((4, 4), np.int32)
    segments = Segments.of(labels)
    assert segments.flux(labels.astype(np.float32), labels.astype(np.float32), FACTOR)[0].size == 0
    assert bounding_boxes(labels).shape == (4, 0)
