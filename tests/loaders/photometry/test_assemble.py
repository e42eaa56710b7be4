"""A block holds at every place what was measured of that object in that exposure, and nothing elsewhere."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.photometry.assemble import assemble_block
from tests.loaders.photometry.measurements import catalog, measurement

N_STAR = 9
OFFSETS = ("offset_ra", "offset_dec", "offset_ra_err", "offset_dec_err")


@st.composite
def exposures(draw):
    """Measurements of some of the stars in each exposure; positions and shapes of some of these."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    made = []
    seen = st.lists(st.booleans(), min_size=N_STAR, max_size=N_STAR).filter(any)
    for stars in draw(st.lists(seen, min_size=1, max_size=6)):
        star = np.flatnonzero(stars)
        values = {name: rng.normal(size=star.size) for name in (*OFFSETS, "background", "crowding")}
        bright, brighter = (rng.random(star.size) < share for share in (0.5, 0.3))
        for name in OFFSETS:
            values[name][~bright] = np.nan
        shape = np.where(brighter, rng.normal(size=(6, star.size)), np.nan)
        chi2, flux = rng.uniform(0.5, 2, star.size), rng.normal(100, 10, star.size)
        chi2[rng.random(star.size) < 0.2] = np.nan
        flux[rng.random(star.size) < 0.2] = np.nan
        flags = rng.integers(0, 2**13, star.size).astype(np.uint16)
        made.append(measurement(star, flux, flags=flags, shape=shape, reduced_chi2=chi2, **values))
    return made


def points(measured, value):
    """What was measured, by star and exposure."""
    return {
        (int(star), epoch): np.float32(value(one)[k])
        for epoch, one in enumerate(measured)
        for k, star in enumerate(one.star)
    }


def assert_holds(object_id, matrix, expected, stars, missing=np.nan):
    """Compare a matrix with single points, place by place."""
    row = {int(one): i for i, one in enumerate(object_id)}
    for star, one in enumerate(stars.object_id):
        if int(one) in row:
            for epoch in range(matrix.shape[1]):
                wanted = expected.get((star, epoch), missing)
                np.testing.assert_array_equal(matrix[row[int(one)], epoch], wanted)


@settings(deadline=None)
@given(exposures())
def test_every_point_is_in_its_place(measured):
    stars = catalog(np.linspace(10, 90, N_STAR))
    block = assemble_block(stars, measured)
    seen = sorted({int(star) for one in measured for star in one.star})
    assert block.object_id.tolist() == stars.object_id[seen].tolist()
    np.testing.assert_array_equal(block.reference_flux, stars.flux[seen])
    for name in ("flux", "flux_err"):
        expected = points(measured, lambda one, name=name: getattr(one, name))
        assert_holds(block.object_id, getattr(block.segments, name), expected, stars)
    flags = points(measured, lambda one: one.flags)
    assert_holds(block.object_id, block.segments.flags, flags, stars, missing=0)


@settings(deadline=None)
@given(exposures())
def test_only_stars_with_a_position_or_shape_have_rows_of_their_own(measured):
    stars = catalog(np.linspace(10, 90, N_STAR))
    block = assemble_block(stars, measured)
    offset = points(measured, lambda one: one.offset_ra)
    size = points(measured, lambda one: one.shape[0])
    for found, key in ((block.astrometry, offset), (block.shape, size)):
        bright = sorted({star for (star, _), value in key.items() if np.isfinite(value)})
        assert found.object_id.tolist() == stars.object_id[bright].tolist()
    for name, matrix in zip(OFFSETS, block.astrometry.arrays, strict=True):
        expected = points(measured, lambda one, name=name: getattr(one, name))
        assert_holds(block.astrometry.object_id, matrix, expected, stars)
    for k, matrix in enumerate(block.shape.arrays[:6]):
        expected = points(measured, lambda one, k=k: one.shape[k])
        assert_holds(block.shape.object_id, matrix, expected, stars)
    # The goodness of fit belongs to the shape: only where there is one.
    chi2 = points(measured, lambda one: np.where(np.isfinite(one.shape[0]), one.reduced_chi2, np.nan))
    assert_holds(block.shape.object_id, block.shape.arrays[6], chi2, stars)


@settings(deadline=None)
@given(exposures())
def test_means_are_those_of_the_exposures_that_have_a_value(measured):
    stars = catalog(np.linspace(10, 90, N_STAR))
    block = assemble_block(stars, measured)
    for mean, name in (
        (block.mean_reduced_chi2, "reduced_chi2"),
        (block.mean_crowding, "crowding"),
        (block.mean_background, "background"),
    ):
        for one, found in zip(block.object_id, mean, strict=True):
            (star,) = np.flatnonzero(stars.object_id == one)
            values = [getattr(m, name)[m.star == star] for m in measured]
            values = [float(value[0]) for value in values if value.size and np.isfinite(value[0])]
            expected = np.mean(values) if values else np.nan
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
