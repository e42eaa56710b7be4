"""Caustics of two lenses beside MulensModel's, and by what they are."""

import MulensModel
import numpy as np
import pytest
from scipy.spatial import cKDTree

from loaders.lens.binary_lens import magnification
from loaders.lens.caustics import caustics

LENSES = [(1.0, 0.5), (0.6, 0.01), (1.6, 1e-3), (2.5, 1.0), (1.0, 1e-4)]


@pytest.mark.parametrize(("s", "q"), LENSES)
def test_caustics_are_those_of_mulensmodel(s, q):
    ours = np.column_stack(caustics(s, q, 3000))
    theirs = np.column_stack(MulensModel.CausticsBinary(q=q, s=s).get_caustics(n_points=3000))
    size = np.ptp(theirs, axis=0).max()
    for one, other in ((ours, theirs), (theirs, ours)):
        distance, _ = cKDTree(one).query(other)
        assert distance.max() < 0.02 * size


@pytest.mark.parametrize(("s", "q"), LENSES[:3])
def test_a_source_within_is_seen_more_often(s, q):
    # Just inside a fold the magnification is far larger than just outside of it.
    x, y = caustics(s, q)
    step = 1e-6
    beside = [
        magnification(x + dx, y + dy, s, q) for dx, dy in ((step, 0), (-step, 0), (0, step), (0, -step))
    ]
    assert np.median(np.max(beside, axis=0) / np.min(beside, axis=0)) > 10


def test_they_mirror_in_the_axis_and_change_sides_with_the_lenses():
    x, y = caustics(1.2, 0.3, 4000)
    tree = cKDTree(np.column_stack([x, y]))
    assert tree.query(np.column_stack([x, -y]))[0].max() < 1e-2
    other = np.column_stack(caustics(1.2, 1 / 0.3, 4000))
    assert tree.query(other * (-1, 1))[0].max() < 1e-2


@pytest.mark.parametrize(("s", "q"), [(0.0, 0.1), (1.0, -1.0), (np.nan, 1.0)])
def test_lenses_that_cannot_be_are_refused(s, q):
    with pytest.raises(ValueError, match="need s > 0 and q > 0"):
        caustics(s, q)
