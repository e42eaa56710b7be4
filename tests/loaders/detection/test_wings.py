"""A star whose wings have speckles that its PSF does not know."""

import numpy as np
import pytest

from loaders.detection.layer import Layer, SearchOptions
from loaders.detection.search import search
from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from tests.loaders.detection.test_beyond import HALF, POISSON, PSF, READ, SHAPE, profile

MIDDLE, BRIGHT, FAINT = 50.2, 150000.0, 150.0


@pytest.fixture(scope="module")
def speckled():
    """Places of thirty stars, and the image of them around a bright one with speckles of three tenths."""
    rng = np.random.default_rng(5)
    places = rng.uniform(5, 95, (60, 2))
    places = places[np.hypot(*(places - MIDDLE).T) > 20][:30]
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    far = np.hypot(x - MIDDLE, y - MIDDLE)
    speckles = 1 + 0.3 * np.sin(1.3 * x) * np.sin(1.5 * y) * (far > 9)
    reached = (np.abs(x - MIDDLE) <= HALF) & (np.abs(y - MIDDLE) <= HALF)
    mean = 3.0 + BRIGHT * profile(x - MIDDLE, y - MIDDLE) * speckles * reached
    for at_x, at_y in places:
        mean += FAINT * profile(x - at_x, y - at_y)
    data = mean + rng.normal(size=SHAPE) * np.sqrt(READ + POISSON * mean)
    image = PixelImage(data.astype(np.float32), NoiseModel(READ, POISSON), np.ones(SHAPE, bool))
    return places, Layer(image, PSF)


def found_and_false(layer, places, wing_error):
    """Share of the faint stars that is found, and the number of sources that are no star."""
    found = search([layer], SHAPE, SearchOptions(wing_error=wing_error))
    stars = np.vstack([places, (MIDDLE, MIDDLE)])
    away = np.array([[np.hypot(*(star - at)) for at in zip(found.x, found.y, strict=True)] for star in stars])
    return np.mean(away[:-1].min(axis=1) < 0.5), np.sum(away.min(axis=0) > 0.5)


def test_speckles_in_wings_are_no_stars_if_wings_are_uncertain(speckled):
    places, layer = speckled
    _, trusting = found_and_false(layer, places, 0.0)
    share, doubting = found_and_false(layer, places, 0.1)
    assert trusting >= 5
    assert doubting <= 2
    assert share > 0.95
