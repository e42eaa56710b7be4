"""Peaks in a row are told from peaks at random, in crowds and on the stars of a field."""

import numpy as np
import pytest

from loaders.difference.trails import Trail, find_trails, pixels_of_trails

SHAPE = (400, 300)


def on_trails(x, y, shape, oversampling=1):
    """Which peaks are on the trails that are found."""
    trails = find_trails(x, y, shape, oversampling)
    return np.any([np.zeros(x.size, dtype=bool), *(trail.holds(x, y) for trail in trails)], axis=0)


def in_a_row(rng, angle, through, shape=SHAPE, spacing=3.0, scatter=0.6):
    """Peaks along a line at an angle (degrees from x) through a point (x, y), as far as the image goes."""
    along = np.arange(-sum(shape), sum(shape), spacing)
    along = along + rng.uniform(-1, 1, along.size)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    x, y = through[0] + c * along, through[1] + s * along
    inside = (x > 0) & (x < shape[1] - 1) & (y > 0) & (y < shape[0] - 1)
    return (one[inside] + rng.normal(0, scatter, inside.sum()) for one in (x, y))


def at_random(rng, count, shape=SHAPE):
    return rng.uniform(0, shape[1] - 1, count), rng.uniform(0, shape[0] - 1, count)


@pytest.mark.parametrize("angle", [0.0, 17.0, 45.0, 90.0, 123.0, 179.5])
@pytest.mark.parametrize("others", [0, 60])
def test_all_peaks_of_a_trail_are_on_it_and_hardly_another(angle, others):
    rng = np.random.default_rng(int(angle) + others)
    tx, ty = in_a_row(rng, angle, (160.0, 190.0))
    x, y = at_random(rng, others)
    found = on_trails(np.append(tx, x), np.append(ty, y), SHAPE)
    assert found[: tx.size].all()
    assert found[tx.size :].mean() < 0.1 if others else True


def test_two_trails_and_a_corner_that_one_cuts_off():
    rng = np.random.default_rng(1)
    first, second, corner = (
        np.stack(list(in_a_row(rng, *one, spacing=3.0)))
        for one in ((30.0, (150.0, 100.0)), (100.0, (120.0, 200.0)), (45.0, (40.0, 360.0)))
    )
    x, y = np.concatenate([first, second, corner, np.stack(at_random(rng, 40))], axis=1)
    count = first.shape[1] + second.shape[1] + corner.shape[1]
    found = on_trails(x, y, SHAPE)
    assert found[:count].all()
    assert found[count:].mean() < 0.2


def test_a_wide_trail_is_found_with_its_flanks():
    rng = np.random.default_rng(2)
    parts = [np.stack(list(in_a_row(rng, 30.0, (150.0, 200.0 + off)))) for off in (-5, 0, 5)]
    x, y = np.concatenate([*parts, np.stack(at_random(rng, 30))], axis=1)
    assert on_trails(x, y, SHAPE)[:-30].all()


@pytest.mark.heavy
@pytest.mark.parametrize("count", [5, 20, 200, 2000])
def test_peaks_at_random_are_no_trail(count):
    """A thousandth of the images may have one by chance; here there are 25."""
    rng = np.random.default_rng(count)
    assert not any(on_trails(*at_random(rng, count), SHAPE).any() for _ in range(25))


@pytest.mark.parametrize("width", [10.0, 30.0, 60.0])
def test_the_crowd_about_a_bright_star_is_no_trail(width):
    rng = np.random.default_rng(3)
    for _ in range(10):
        x, y = rng.normal(150, width, 300), rng.normal(200, width, 300)
        inside = (x > 0) & (x < 299) & (y > 0) & (y < 399)
        assert not on_trails(x[inside], y[inside], SHAPE).any()


def test_a_spike_that_ends_is_no_trail():
    """Peaks close to one another, but along a third of the image only."""
    rng = np.random.default_rng(4)
    x, y = (one for one in in_a_row(rng, 0.0, (0.0, 200.0), spacing=3.0))
    short = x < 100
    assert not on_trails(x[short], y[short], SHAPE).any()


@pytest.mark.heavy
def test_a_whole_detector_with_many_peaks():
    rng, shape = np.random.default_rng(5), (4088, 4088)
    tx, ty = in_a_row(rng, 63.0, (2000.0, 1500.0), shape, spacing=10.0)
    x, y = at_random(rng, 4000, shape)
    found = on_trails(np.append(tx, x), np.append(ty, y), shape)
    assert found[: tx.size].mean() > 0.98
    assert found[tx.size :].mean() < 0.01


def test_pixels_of_a_finer_image_are_smaller():
    rng = np.random.default_rng(6)
    tx, ty = in_a_row(rng, 20.0, (150.0, 200.0))
    x, y = np.append(tx, at_random(rng, 30)[0]), np.append(ty, at_random(rng, 30)[1])
    fine = on_trails(2 * x, 2 * y, (800, 600), oversampling=2)
    assert (fine == on_trails(x, y, SHAPE)).mean() > 0.97
    assert fine[: tx.size].all()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_peaks_are_no_trail(count):
    assert not on_trails(np.arange(count) * 9.0, np.arange(count) * 9.0, (48, 48)).any()


@pytest.mark.parametrize(("wings", "expected"), [(0, 2.5), (5, 7.5)])
def test_pixels_are_those_of_the_trail_with_its_wings(wings, expected):
    """A horizontal trail, and noise that is even on either side of zero."""
    y, x = np.indices((60, 80))
    off = np.abs(y - 30)
    significance = np.where((x + y) % 2 == 0, 0.4, -0.4) + np.where(off < 3 + wings, 2.0, 0.0)
    found = pixels_of_trails([Trail(np.pi / 2, 30.0, 2.5)], significance, np.ones((60, 80), dtype=bool))
    np.testing.assert_array_equal(found, off < expected)


def test_a_few_blobs_in_a_line_are_no_trail():
    """Stars that brightened and hits are clumps of pixels; three or four lie in a row in any image."""
    y, x = (at.ravel().astype(float) for at in np.indices((5, 5)))
    for other in (24.0, 40.0):
        parts = [(x + 10 * k, y + other) for k in (0.5, 2.0, 4.0)]
        px, py = (np.concatenate(part) for part in zip(*parts, strict=True))
        assert not on_trails(px, py, (48, 48)).any()
