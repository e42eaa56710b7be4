"""Stars drawn in parallel against the closed form."""

import numpy as np
import pytest

from loaders.photometry.parallel import Workers
from loaders.photometry.psf_table import BEFORE, STAMP, PsfTable
from loaders.photometry.scene import Canvas, Drawn, draw_stars
from tests.loaders.photometry.scenes import gaussian_psf, star_pixels

SHAPE, SIGMA, FRAME = (90, 75), 2.5, 8
TABLE = PsfTable.of(gaussian_psf(SIGMA, half_width=16))


@pytest.fixture
def stars() -> Drawn:
    rng = np.random.default_rng(8)
    x, y = rng.uniform(-20, 95, 60), rng.uniform(-20, 110, 60)
    return Drawn(x, y, rng.uniform(-100, 1000, 60), np.full(60, 16.0))


def drawn(stars: Drawn, threads: int, skip_stamp: bool = False) -> np.ndarray:
    image = np.zeros((SHAPE[0] + 2 * FRAME, SHAPE[1] + 2 * FRAME), dtype=np.float32)
    with Workers(threads) as workers:
        draw_stars(Canvas(image, FRAME, (0.0, 0.0)), TABLE, stars, workers, skip_stamp)
    return image[FRAME:-FRAME, FRAME:-FRAME]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_light_is_that_of_the_closed_form(stars, threads):
    expected = (star_pixels(SHAPE, stars.x, stars.y, SIGMA) @ stars.flux).reshape(SHAPE)
    np.testing.assert_allclose(drawn(stars, threads), expected, atol=2e-3)


def test_stamps_are_left_out_when_asked(stars):
    one = stars.take(np.array([np.argmin(np.hypot(stars.x - 40, stars.y - 40))]))
    whole, wings = drawn(one, 1), drawn(one, 1, skip_stamp=True)
    row, column = int(np.floor(one.y[0])) - BEFORE, int(np.floor(one.x[0])) - BEFORE
    stamp = (slice(row, row + STAMP), slice(column, column + STAMP))
    assert not wings[stamp].any()
    whole[stamp] = 0
    np.testing.assert_array_equal(whole, wings)


def test_no_stars_draw_nothing():
    nothing = np.empty(0)
    assert not drawn(Drawn(nothing, nothing, nothing, nothing), 2).any()
