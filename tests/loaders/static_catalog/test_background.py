"""The background, and the variance of the sky."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loaders.rejection import Rejected
from loaders.static_catalog.background import prepare_band
from loaders.static_catalog.options import CatalogOptions
from tests.loaders.static_catalog.fields import gaussian_image, gaussian_psf, grid_of_places, mosaic

OPTIONS = CatalogOptions()


def test_a_sloping_sky_is_taken_away_and_sources_are_not():
    rng = np.random.default_rng(1)
    x, y = grid_of_places(640, 100, rng)
    light = gaussian_image((640, 640), [(a, b, 3000, 2.0) for a, b in zip(x, y, strict=True)])
    slope = 5 + 0.001 * np.arange(640)[:, None] + 0.0005 * np.arange(640)
    band = prepare_band(mosaic(light + slope, rng), gaussian_psf(), OPTIONS)
    error = band.background - slope
    # A median of what is left of the wings of sources, and half a box at the edges that is not extrapolated.
    assert abs(error.mean()) < 0.03
    assert error.std() < 0.08


def test_variance_of_the_sky_leaves_the_photons_of_sources_out():
    rng = np.random.default_rng(2)
    light = gaussian_image((300, 300), [(150, 150, 1e5, 8.0)])
    given = mosaic(light, rng, read=1.0, photon=0.2)
    given.variance[:] += 2.0  # the photons of the sky
    band = prepare_band(given, gaussian_psf(), OPTIONS)
    assert np.median(band.sky_variance) == pytest.approx(3.0, rel=0.02)
    assert band.sky_variance.max() == pytest.approx(3.0, rel=0.02)
    assert band.variance[150, 150] > 20


def test_variance_of_the_sky_follows_the_depth():
    given = mosaic(np.zeros((200, 200)), np.random.default_rng(3))
    given.read_variance[:, :100] *= 4
    given.variance[:, :100] *= 4
    band = prepare_band(given, gaussian_psf(), OPTIONS)
    assert band.sky_variance[50, 50] == pytest.approx(4 * band.sky_variance[50, 150])


def test_pixels_without_data_do_not_count():
    given = mosaic(np.zeros((200, 200)), np.random.default_rng(4), sky=10.0)
    given.data[50:60, 50:60] = np.nan
    good = np.isfinite(given.data)
    band = prepare_band(replace(given, good=good), gaussian_psf(), OPTIONS)
    assert (band.data[~good] == 0).all()
    assert np.isinf(band.sky_variance[~good]).all()
    assert abs(band.data[good].mean()) < 0.05


def test_a_mosaic_full_of_light_has_no_background():
    light = np.zeros((200, 200))
    light[::4, ::4] = 1e4
    with pytest.raises(Rejected, match="less than a hundredth") as caught:
        prepare_band(mosaic(light, np.random.default_rng(5)), gaussian_psf(), OPTIONS)
    assert caught.value.code == "no_background"
