"""Frames laid on stars: offsets made by a known map, and frames that were put wrong on purpose."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.noise import NoiseModel
from loaders.reference.absolute import AbsoluteSolution, corrected, lay_on_stars, solve_absolute
from loaders.reference.frame import ReferenceFrame
from tests.loaders.photometry.scenes import POISSON, READ, field, gaussian_psf

SHAPE = (240, 240)
FRAME = ReferenceFrame(268.0, -29.2, 0.11 * np.array([[-0.8, 0.6], [0.6, 0.8]]), SHAPE, 1)
SHIFT, LINEAR = np.array([0.31, -0.12]), np.array([[2e-5, -4e-5], [3e-5, 1e-5]])
MIDDLE = np.array(FRAME.middle)


def mas_apart(one, other):
    east = (one[0] - other[0]) * np.cos(np.radians(other[1]))
    return 3.6e6 * np.hypot(east, one[1] - other[1])


@pytest.fixture(scope="module")
def laid():
    """An image whose stars lie elsewhere than its frame has them, with a tenth of the catalog wrong."""
    scene = field(SHAPE, 0.01, seed=5, faintest=20)
    place = np.column_stack([scene.x, scene.y]) - MIDDLE
    # The frame has a star where it would lie without the map.
    expected = place - SHIFT - place @ LINEAR.T
    wrong = np.arange(scene.x.size) % 10 == 0
    expected[wrong] += 0.3
    x, y = (expected + MIDDLE).T
    error = np.full(x.size, 0.01)
    error[::7] = np.nan
    image = PixelImage(scene.noisy(2), NoiseModel(READ, POISSON), np.ones(SHAPE, dtype=bool))
    stars = StarList(x, y, scene.flux)
    return stars, error, lay_on_stars(image, gaussian_psf(), FRAME, stars, error)


def test_the_map_is_found_though_some_stars_are_wrong(laid):
    _, error, found = laid
    assert found.n_star <= np.isfinite(error).sum()
    pull = (found.shift - SHIFT) / found.shift_err
    assert np.abs(pull).max() < 4
    assert found.shift_err.max() < 0.01
    np.testing.assert_allclose(found.linear, LINEAR, atol=1e-4)
    assert 0.005 < found.residual < 0.05


def test_a_corrected_frame_has_the_stars_where_the_catalog_has_them(laid):
    solution = AbsoluteSolution(SHIFT, LINEAR, np.zeros(2), 0.0, 9)
    frame = corrected(FRAME, solution)
    pixel = np.array([[0.0, 0.0], [239.0, 10.0], [100.0, 220.0], [119.5, 119.5]])
    place = pixel - MIDDLE
    before = FRAME.to_sky(*(pixel - SHIFT - place @ LINEAR.T).T)
    # The map is taken at the measured places: that it moves itself is left out.
    assert mas_apart(frame.to_sky(*pixel.T), before).max() < 5e-3


@settings(deadline=None, max_examples=30)
@given(
    shift=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    count=st.integers(5, 60),
    seed=st.integers(0, 2**16),
)
def test_offsets_without_noise_give_their_map_back(shift, count, seed):
    rng = np.random.default_rng(seed)
    place = rng.uniform(-500, 500, (count, 2))
    linear = LINEAR if count >= 20 else np.zeros((2, 2))
    offset = np.array(shift) + place @ linear.T
    found = solve_absolute(place, offset, rng.uniform(0.01, 0.1, (count, 2)))
    np.testing.assert_allclose(found.shift, shift, atol=1e-8)
    np.testing.assert_allclose(found.linear, linear, atol=1e-10)
    assert found.residual < 1e-8
    assert found.n_star == count


def test_errors_are_those_of_the_scatter_where_it_is_more_than_said():
    rng = np.random.default_rng(3)
    pulls = []
    for _ in range(200):
        place = rng.uniform(-500, 500, (40, 2))
        found = solve_absolute(place, rng.normal(scale=0.5, size=(40, 2)), np.full((40, 2), 0.1))
        pulls.append(found.shift / found.shift_err)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.2)


def test_too_few_stars_say_nothing():
    scene = field(SHAPE, 0.01, seed=5, faintest=20)
    image = PixelImage(scene.noisy(2), NoiseModel(READ, POISSON), np.ones(SHAPE, dtype=bool))
    stars = StarList(scene.x, scene.y, scene.flux)
    error = np.full(scene.x.size, np.nan)
    error[:4] = 0.01
    assert lay_on_stars(image, gaussian_psf(), FRAME, stars, error) is None
    nowhere = replace(image, data=np.zeros(SHAPE))
    assert lay_on_stars(nowhere, gaussian_psf(), FRAME, stars, np.full(scene.x.size, 0.01)) is None
