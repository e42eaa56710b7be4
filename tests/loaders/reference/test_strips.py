"""References that are solved strip by strip, against those that are solved as a whole."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.photometry.parallel import Workers
from loaders.reference.build import ReferenceOptions
from loaders.reference.frame import choose_frame
from loaders.reference.members import first_state
from loaders.reference.passes import Work, add_all
from loaders.reference.strips import MARGIN, strips_of, weight_of
from tests.loaders.reference.scenes import build, dithers, stars
from tests.loaders.reference.test_build import exposures_of


@given(rows=st.integers(1, 300), columns=st.integers(1, 50), most=st.integers(50, 5000))
def test_each_row_belongs_to_one_strip_that_is_not_too_large(rows, columns, most):
    count = np.zeros(rows, dtype=int)
    for own, seen in strips_of((rows, columns), most):
        count[own] += 1
        assert (own.stop - own.start - 1) * columns <= most
        assert seen == slice(max(own.start - MARGIN, 0), min(own.stop + MARGIN, rows))
    assert (count == 1).all()


@pytest.mark.heavy
@pytest.mark.parametrize("number", [2, 5])
def test_strips_are_those_of_the_whole(number):
    exposures = exposures_of(stars(), dithers(24))
    whole = build(exposures)
    pixels = -(-whole.frame.shape[0] * whole.frame.shape[1] // number)
    strips = build(exposures, options=ReferenceOptions(threads=1, most_pixels=pixels))
    # It counts weights, which go with the scales; these follow the solutions by a part of their errors.
    np.testing.assert_allclose(strips.coverage, whole.coverage, rtol=5e-4, atol=1e-4)
    np.testing.assert_array_equal(strips.image.usable, whole.image.usable)
    seen = whole.image.usable
    sigma = np.sqrt(whole.image.noise.variance(whole.image.data))
    # Solutions end where what is left of the equations is small, and not at the same place.
    change = np.abs((strips.image.data - whole.image.data) / sigma)[seen]
    assert change.max() < 0.4
    assert np.percentile(change, 95) < 0.05
    shifts = [np.array([member.shift for member in one.members]) for one in (strips, whole)]
    np.testing.assert_allclose(*shifts, atol=1e-3)


def test_the_weight_alone_is_that_of_the_sums():
    """Turned exposures of a small frame, so that some of their pixels lie on its edge and beyond."""
    exposures = exposures_of(stars(), dithers(5, angle=3.0))
    whole = choose_frame([one.projection for one in exposures], 2)
    frame = replace(whole, shape=(71, 58))
    with Workers(1) as workers:
        work = Work(exposures.__getitem__, frame, ReferenceOptions(), workers)
        members = [first_state(one, frame) for one in exposures]
        members[3] = replace(members[3], refused="it is another")
        expected = add_all(work, members, [None] * len(members)).weight
        found = weight_of(work, members)
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-5)
