"""Images made fit to be drawn."""

import numpy as np

from loaders.report.pixels import cut_out, farthest, masked, shrink, stretch, stretch_ticks


def test_a_small_image_is_drawn_as_it_is():
    values = np.arange(6.0).reshape(2, 3)
    same, step = shrink(values, 3)
    assert step == 1
    np.testing.assert_array_equal(same, values)


def test_a_large_image_is_drawn_by_the_means_of_what_counts():
    values = np.arange(20.0).reshape(4, 5)
    values[0, :2], values[2:, :2] = np.nan, np.nan
    smaller, step = shrink(values, 3)
    assert step == 2
    np.testing.assert_allclose(smaller, [[5.5, (2 + 3 + 7 + 8) / 4], [np.nan, (12 + 13 + 17 + 18) / 4]])


def test_what_is_farthest_from_zero_is_not_averaged_away():
    values = np.zeros((4, 4))
    values[0, 1], values[0, 0], values[3, 2] = -9, 5, 7
    values[2:, :2] = np.nan
    smaller, _ = farthest(values, 2)
    np.testing.assert_array_equal(smaller, [[-9, 0], [np.nan, 7]])


def test_the_stretch_begins_below_the_sky_and_ends_at_the_stars():
    values = np.random.default_rng(3).normal(100, 10, (200, 200))
    values[:4, :50] = 5000
    norm = stretch(values)
    assert abs(norm.vmin - 80) < 2
    assert abs(norm.linear_width - 30) < 2
    assert norm.vmax == 5000
    assert stretch_ticks(norm) == [0, 100, 1000]


def test_an_image_without_pixels_has_a_stretch_all_the_same():
    norm = stretch(masked(np.ones((3, 3)), np.zeros((3, 3), dtype=bool)))
    assert norm.vmin < norm.vmax


def test_a_cut_out_beyond_the_edge_has_nothing_there():
    values = np.arange(12.0).reshape(3, 4)
    piece = cut_out(values, 3.2, -0.4, 1)
    np.testing.assert_array_equal(piece, [[np.nan] * 3, [2, 3, np.nan], [6, 7, np.nan]])
    assert np.isnan(cut_out(values, 50, 50, 2)).all()
