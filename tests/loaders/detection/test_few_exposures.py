"""Nearly empty sky in few dithered exposures: what is found in their reference, its edges included."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.detection.image_search import options_for, search_image
from loaders.detection.layer import Layer
from tests.loaders.reference.scenes import SIDE, Sky, build, dithers, psf_of

FAINT = {6: 6.0, 12: 3.0}
"""Flux that is some ten standard deviations in so many exposures."""


def field(count, seed):
    """A reference of one bright star and eight faint ones inside, and the fine pixels of the stars."""
    rng = np.random.default_rng(seed)
    x, y = np.array([(i, j) for i in (11, 24, 37) for j in (11, 24, 37)]).T + rng.uniform(-1, 1, (2, 9))
    sky = Sky(x, y, np.where(np.arange(9) == 4, 500.0, FAINT[count]))
    pointings = dithers(count, seed + 10)
    reference = build([sky.exposure(pointing, 1000 * seed + k) for k, pointing in enumerate(pointings)])
    return reference, np.array(sky.in_frame(reference.frame))


@pytest.mark.heavy
@pytest.mark.parametrize("count", [6, 12])
def test_no_objects_but_stars_and_all_of_them(count):
    false, found = 0, []
    for seed in range(3):
        reference, stars = field(count, seed)
        assert reference.image.usable.mean() > 0.5 * (SIDE / (SIDE + 6 + 8)) ** 2
        options = replace(options_for(psf_was_measured=True, oversampling=2), threads=1)
        sources, _ = search_image(Layer(reference.image, psf_of(reference)), options)
        distance = np.hypot(sources.x[:, None] - stars[0], sources.y[:, None] - stars[1])
        false += np.count_nonzero(distance.min(axis=1) > 2)
        found.append(distance.min(axis=0) < 1.5)
    # Five standard deviations: of 30,000 independent places hardly one is there by chance.
    assert false <= 1
    assert np.mean(found) == 1
