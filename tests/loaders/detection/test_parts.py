"""The search of an image part by part, against that of the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from loaders.detection.layer import Layer, SearchOptions
from loaders.detection.parts import MARGIN, parts_of, search_in_parts
from loaders.detection.search import search
from loaders.rejection import Rejected
from tests.loaders.detection.test_search import PSF
from tests.loaders.photometry.scenes import field

SHAPE = (110, 130)
OPTIONS = SearchOptions()


@given(
    shape=st.tuples(st.integers(1, 90), st.integers(1, 90)), side=st.integers(1, 40), margin=st.integers(0, 9)
)
def test_every_pixel_belongs_to_one_part_and_each_part_sees_what_is_around_it(shape, side, margin):
    count = np.zeros(shape, dtype=int)
    for part in parts_of(shape, side, margin):
        assert count[part.own].shape <= (side, side)
        count[part.own] += 1
        for own, seen, length in zip(part.own, part.seen, shape, strict=True):
            assert seen.start == max(own.start - margin, 0)
            assert seen.stop == min(own.stop + margin, length)
    assert (count == 1).all()


@pytest.fixture(scope="module")
def scene():
    """A star on every 50th pixel; some columns and a block are off."""
    made = field(SHAPE, 0.02, seed=9)
    image = made.image(made.noisy(1))
    usable = image.usable.copy()
    usable[:, -2:] = False
    usable[40:44, 60:70] = False
    return Layer(type(image)(image.data, image.noise, usable, origin=(500.0, 700.0)), PSF)


@pytest.fixture(scope="module")
def whole(scene):
    """What is found in the image as a whole."""
    return search([scene], SHAPE)


def paired(one, other, radius):
    """Rows of two lists of sources that are each other's nearest."""
    places = [np.column_stack([list_.x, list_.y]) for list_ in (one, other)]
    distance, there = cKDTree(places[1]).query(places[0])
    _, back = cKDTree(places[0]).query(places[1])
    rows = np.flatnonzero((distance < radius) & (back[there] == np.arange(there.size)))
    return rows, there[rows]


@pytest.mark.heavy
def test_parts_find_what_the_whole_finds(scene, whole):
    steps = []
    parts = search_in_parts(scene, told=lambda *told: steps.append(told), options=OPTIONS, side=60)
    here, there = paired(whole, parts, 0.3)
    bright = whole.signal_to_noise > 8
    assert bright[here].sum() > 0.99 * bright.sum()
    assert abs(parts.x.size - whole.x.size) < 0.02 * whole.x.size
    # The background of a part is its own, and neighbours that are found elsewhere are not quite the same.
    pull = (whole.flux[here] - parts.flux[there]) / whole.flux_err[here]
    assert np.mean(np.abs(pull) < 0.5) > 0.95
    nearest = cKDTree(np.column_stack([parts.x, parts.y])).query(np.column_stack([parts.x, parts.y]), 2)[0]
    assert nearest[:, 1].min() > 0.3
    assert [step[0] for step in steps] == sorted(step[0] for step in steps)
    assert steps[-1][0] <= steps[-1][1] == 6 * OPTIONS.max_rounds


@pytest.mark.heavy
def test_known_sources_keep_their_rows(scene, whole):
    known = (whole.x + 0.05, whole.y - 0.05, whole.flux)
    parts = search_in_parts(scene, OPTIONS, known, side=60)
    again = parts.known >= 0
    assert again.mean() > 0.97
    assert np.unique(parts.known[again]).size == again.sum()
    offset = np.hypot(*(parts.x - known[0][parts.known], parts.y - known[1][parts.known]))
    assert np.percentile(offset[again], 99) < 0.5


def test_an_image_of_one_part_is_searched_as_it_is(scene, whole):
    parts = search_in_parts(scene, OPTIONS)
    order = np.lexsort([parts.x]), np.lexsort([whole.x])
    for name in ("x", "y", "flux", "flux_err", "known"):
        np.testing.assert_array_equal(getattr(parts, name)[order[0]], getattr(whole, name)[order[1]])


def test_parts_without_pixels_are_left_out(scene):
    image = scene.image
    usable = image.usable.copy()
    usable[: SHAPE[0] // 2 + MARGIN] = False
    half = Layer(type(image)(image.data, image.noise, usable), PSF)
    found = search_in_parts(half, OPTIONS, side=60)
    assert found.x.size
    assert found.y.min() > SHAPE[0] // 2 + MARGIN - 2
    nothing = Layer(type(image)(image.data, image.noise, np.zeros(SHAPE, bool)), PSF)
    with pytest.raises(Rejected, match="none of its"):
        search_in_parts(nothing, OPTIONS, side=60)
