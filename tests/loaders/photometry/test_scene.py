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
    return Drawn(x, y, rng.uniform(-100, 1000, 60), np.full(60, 16.0), np.full(60, 16.0))


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


@pytest.mark.parametrize("floor", [0.05, 0.5])
def test_linear_interpolation_is_left_to_where_it_does_not_show(floor):
    rng = np.random.default_rng(9)
    for flux in rng.uniform(-100, 3000, 20):
        x, y = rng.uniform(30, 40, (2, 1))
        near = TABLE.cubic_radius(np.array([flux]), floor)
        all_cubic, mixed = (
            drawn(Drawn(x, y, np.array([flux]), np.full(1, 16.0), cubic), 1)
            for cubic in (np.full(1, 16.0), near)
        )
        assert np.abs(mixed - all_cubic).max() <= 1.01 * floor
        assert near < 16


def test_the_error_of_linear_interpolation_is_bounded_from_the_second_derivative():
    # With steps of 1/6 pixel: h² / 8 (f_xx + f_yy), largest at the centre; pixels smooth the peak a little.
    peak = 1 / (2 * np.pi * SIGMA**2)
    assert TABLE.linear_error[0] == pytest.approx(peak * 2 / SIGMA**2 / (8 * 36), rel=0.1)
    assert (np.diff(TABLE.linear_error) <= 0).all()


def test_no_stars_draw_nothing():
    nothing = np.empty(0)
    assert not drawn(Drawn(nothing, nothing, nothing, nothing, nothing), 2).any()
