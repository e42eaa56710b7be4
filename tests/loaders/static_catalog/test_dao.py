"""Sharpness and roundness, against photutils' DAOStarFinder at the same places."""

from __future__ import annotations

import numpy as np
from photutils.detection import DAOStarFinder

from loaders.static_catalog.dao import sharpness_and_roundness
from tests.loaders.static_catalog.fields import gaussian_image, grid_of_places


def test_statistics_are_those_of_photutils():
    rng = np.random.default_rng(1)
    x, y = grid_of_places(300, 40, rng)
    image = gaussian_image((300, 300), [(a, b, 2000, 1.0) for a, b in zip(x, y, strict=True)])
    image += rng.normal(0, 1, image.shape)
    places = np.stack([np.rint(x), np.rint(y)], axis=1)
    wide = (-np.inf, np.inf)
    finder = DAOStarFinder(-1e9, 3.5, xycoords=places, sharpness_range=wide, roundness_range=wide)
    peer = finder(image)
    sharpness, roundness = sharpness_and_roundness(image.astype(np.float32), *places.T, 3.5)
    assert len(peer) == x.size
    np.testing.assert_allclose(sharpness, peer["sharpness"], atol=2e-4)
    np.testing.assert_allclose(roundness, peer["roundness1"], atol=2e-4)


def test_edges_and_unknown_places_have_none():
    x, y = np.array([1.0, np.nan, 20.0]), np.array([20.0, 20.0, 20.0])
    sharpness, roundness = sharpness_and_roundness(np.ones((40, 40), np.float32), x, y, 3.0)
    assert np.isnan(sharpness[:2]).all()
    assert np.isnan(roundness[:2]).all()
