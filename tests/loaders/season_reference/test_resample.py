"""Moved images against the closed form of what is moved."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.reference.frame import ReferenceFrame
from loaders.season_reference.resample import Displacement, displaced, gradient, shift_filter
from tests.loaders.reference.scenes import PIXEL, SIDE, expected, stars

FRAME = ReferenceFrame(268.0, -29.2, PIXEL / 2 * np.diag([-1.0, 1.0]), (2 * SIDE, 2 * SIDE), 2)
STILL = np.zeros((2, 2))


@pytest.fixture(scope="module")
def sky():
    everything = stars(0.02)
    inside = (np.abs(everything.x - SIDE / 2) < 14) & (np.abs(everything.y - SIDE / 2) < 14)
    return replace(everything, **{name: getattr(everything, name)[inside] for name in ("x", "y", "flux")})


@pytest.mark.parametrize("shift", [(0.3, -0.2), (1.0, 0.0), (0.5, 1.5), (-0.05, 0.02)])
def test_stars_are_where_they_were_moved_to(sky, shift):
    before = expected(sky, FRAME)
    wanted = expected(replace(sky, x=sky.x - shift[0] / 2, y=sky.y - shift[1] / 2), FRAME)
    found = displaced(before, Displacement(np.array(shift), STILL))
    assert np.abs(before - wanted).max() > 0.01 * wanted.max()
    # What is beyond the highest frequency of the grid is moved otherwise: none of it passes the pixel.
    assert np.abs(found - wanted).max() < 1e-4 * wanted.max()


def test_whole_pixels_are_moved_as_they_are():
    image = np.random.default_rng(1).normal(size=(90, 100))
    found = displaced(image, Displacement(np.array([2.0, -1.0]), STILL))
    np.testing.assert_allclose(found[20:-20, 20:-20], image[19:-21, 22:-18], atol=1e-3)


def test_the_noise_of_a_moved_image_is_no_larger():
    for distance in (0.1, 0.5, 0.9):
        response = np.fft.fft(shift_filter(distance))
        assert np.abs(response).max() < 1 + 2e-4
        assert response[0] == pytest.approx(1, abs=2e-4)


def test_the_gradient_of_a_star_is_that_of_its_closed_form(sky):
    one = replace(sky, x=sky.x[:1], y=sky.y[:1], flux=sky.flux[:1])
    step = 1e-3
    ahead, behind = (expected(replace(one, x=one.x - sign * step / 2), FRAME) for sign in (1, -1))
    wanted = (ahead - behind) / (2 * step)
    assert np.abs(gradient(expected(one, FRAME), 1) - wanted).max() < 1e-3 * wanted.max()


def test_a_shift_that_grows_to_the_edge(sky):
    turn = 0.03
    middle = (SIDE - 1) / 2
    before = expected(sky, FRAME)
    u = (sky.x - middle) / (SIDE - 0.5)
    wanted = expected(replace(sky, x=sky.x - turn * 2 * u / 2), FRAME)
    found = displaced(before, Displacement(np.zeros(2), np.array([[turn, 0.0], [0.0, 0.0]])))
    # A pixel of the plane is two of the grid; the second order, and how large stars are, is left out.
    assert np.abs(found - wanted).max() < 0.25 * np.abs(before - wanted).max()
