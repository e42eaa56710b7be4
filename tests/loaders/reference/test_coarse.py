"""Exposures whose WCS is off by pixels."""

import re

import numpy as np
import pytest

from loaders.reference.coarse import misplaced, offset_between
from loaders.reference.frame import choose_oversampling
from tests.loaders.reference.scenes import SIDE, Pointing, Sky, build, dithers, stars

SKY = stars(0.05, seed=4)


@pytest.mark.parametrize("error", [(3.6, 0.0), (-7.3, 11.8), (0.0, 0.0), (0.2, -0.1), (20.4, -3.2)])
def test_an_offset_is_found_to_a_quarter_of_a_pixel(error):
    one = SKY.exposure(Pointing(1.3, -0.7, 1.0, error), seed=1)
    other = SKY.exposure(Pointing(-1.1, 0.4), seed=2)
    found = offset_between(one, other)
    # The WCS has pixels further along by the error, and so stars further back: they lie ahead of that.
    c, s = np.cos(np.radians(1.0)), np.sin(np.radians(1.0))
    expected = np.array([c * error[0] + s * error[1], -s * error[0] + c * error[1]])
    np.testing.assert_allclose([found.x, found.y], expected, atol=0.3)


def test_skies_that_have_nothing_in_common_have_no_offset():
    assert (
        offset_between(SKY.exposure(Pointing(0, 0), 1), stars(0.05, seed=9).exposure(Pointing(0, 0), 2))
        is None
    )
    assert offset_between(SKY.exposure(Pointing(0, 0), 1), SKY.exposure(Pointing(500, 0), 2)) is None


@pytest.mark.parametrize(("count", "wrong"), [(3, 1), (6, 1), (9, 1), (9, 0)])
def test_the_one_that_the_others_contradict_is_misplaced(count, wrong):
    pointings = dithers(count)
    pointings[wrong] = Pointing(0.4, 0.2, error=(3.0, 2.0))
    exposures = [SKY.exposure(one, k) for k, one in enumerate(pointings)]
    found = misplaced(exposures.__getitem__, count, 0.75)
    assert list(found) == [wrong]
    assert found[wrong].length == pytest.approx(np.hypot(3.0, 2.0), abs=0.3)


@pytest.mark.parametrize("seed", range(8))
def test_two_stars_are_enough_to_tell(seed):
    """Either may lie upon the other, at an offset that has the rest outside of the overlap."""
    rng = np.random.default_rng(seed)
    two = Sky(*rng.uniform(8, SIDE - 8, (2, 2)), rng.uniform(1000, 4000, 2))
    pointings = dithers(4, seed=seed)
    right = [two.exposure(one, k) for k, one in enumerate(pointings)]
    assert not misplaced(right.__getitem__, 4, 0.75)
    pointings[1] = Pointing(0.4, 0.2, error=(5.0, -3.0))
    one_wrong = [two.exposure(one, k) for k, one in enumerate(pointings)]
    assert list(misplaced(one_wrong.__getitem__, 4, 0.75)) == [1]


def test_of_two_that_disagree_none_is_believed():
    two = [SKY.exposure(Pointing(0, 0), 1), SKY.exposure(Pointing(1, 1, error=(4.0, 0.0)), 2)]
    assert set(misplaced(two.__getitem__, 2, 0.75)) == {0, 1}
    assert not misplaced(two.__getitem__, 1, 0.75)


@pytest.mark.parametrize("count", [5, 10, 14])
def test_a_reference_says_how_far_a_wcs_is_off(count):
    """Of few exposures and of many; the shift that is noted leads back to where it lies."""
    pointings = dithers(count)
    pointings[2] = Pointing(0.4, 0.2, error=(5.0, -3.0))
    exposures = [SKY.exposure(one, k) for k, one in enumerate(pointings)]
    reference = build(exposures)
    refused = [k for k, member in enumerate(reference.members) if member.refused]
    assert refused == [2]
    assert re.fullmatch(
        r"its WCS is off by 5\.[789] detector pixels \(6[345]\d mas\)", reference.members[2].refused
    )
    x, y = np.array(reference.members[2].shift) / 2
    assert (x, y) == pytest.approx((-5.0, 3.0), abs=0.4)


def test_exposures_in_one_place_of_a_pixel_are_not_resampled():
    rng = np.random.default_rng(1)
    assert choose_oversampling(1.5, rng.uniform(0, 1, (12, 2))) == 2
    assert choose_oversampling(1.5, 0.4 + 0.02 * rng.normal(size=(12, 2))) == 1
    assert choose_oversampling(1.5, np.column_stack([rng.uniform(0, 1, 12), np.full(12, 0.99)])) == 1
    assert choose_oversampling(1.5, np.array([[0.0, 0.0], [0.5, 0.5]])) == 2
    assert choose_oversampling(1.5, np.array([[0.3, 0.3]])) == 1
