"""Frames against the geometry of the sphere."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.reference.frame import (
    BORDER,
    ReferenceFrame,
    choose_frame,
    choose_oversampling,
    on_pixels_of,
    phases_of,
)
from loaders.wfi.projection_fit import fit_projection
from tests.loaders.reference.scenes import PIXEL, SIDE, Pointing, dithers

DECLINATIONS = st.one_of(
    st.floats(-80, 80), st.sampled_from([-89.9999, -89.99, 89.999, 89.9999, 90.0, -90.0])
)
RIGHT_ASCENSIONS = st.one_of(st.floats(0, 359.999), st.sampled_from([0.0, 0.0005, 359.9999, 359.9995]))


def projections(ra, dec, pointings):
    plane = ReferenceFrame(ra, dec, PIXEL * np.diag([-1.0, 1.0]), (SIDE, SIDE), 1)
    return [
        fit_projection(lambda x, y, one=one: plane.to_sky(*one.to_plane(x, y)), (SIDE, SIDE))
        for one in pointings
    ]


@settings(max_examples=30, deadline=None)
@given(ra=RIGHT_ASCENSIONS, dec=DECLINATIONS, angle=st.floats(0, 180), oversampling=st.integers(1, 4))
def test_a_frame_holds_all_exposures_with_a_border_and_is_its_own_inverse(ra, dec, angle, oversampling):
    several = projections(ra, dec, dithers(4, angle=angle))
    frame = choose_frame(several, oversampling)
    ny, nx = frame.shape
    border = BORDER * oversampling - 1
    reach = []
    for projection in several:
        edge = np.linspace(-0.5, SIDE - 0.5, 5)
        x, y = (grid.ravel() for grid in np.meshgrid(edge, edge))
        u, v = frame.projection.to_pixel(*projection.to_sky(x, y))
        assert (u >= border).all()
        assert (v >= border).all()
        assert (u <= nx - 1 - border).all()
        assert (v <= ny - 1 - border).all()
        reach.append((u.min(), u.max(), v.min(), v.max()))
    # And it is no larger than it needs to be.
    reach = np.array(reach)
    assert reach[:, 0].min() < border + 2 + 2
    assert reach[:, 1].max() > nx - 1 - border - 4
    u, v = np.random.default_rng(1).uniform(0, [nx - 1, ny - 1], (50, 2)).T
    back = frame.projection.to_pixel(*frame.to_sky(u, v))
    np.testing.assert_allclose(back, [u, v], atol=1e-5)


def test_pixels_are_those_of_the_first_exposure_divided():
    (first,) = projections(268.0, -29.2, dithers(1, angle=30))
    for oversampling in (1, 2, 3):
        frame = choose_frame([first], oversampling)
        assert frame.pixel_scale == pytest.approx(PIXEL / oversampling, rel=1e-6)
        middle = np.array([(SIDE - 1) / 2]), np.array([(SIDE - 1) / 2])
        u, v = (
            frame.projection.to_pixel(*first.to_sky(middle[0] + dx, middle[1] + dy))
            for dx, dy in ((1, 0), (0, 0))
        )
        step = np.subtract(u, v).ravel()
        np.testing.assert_allclose(step, [oversampling, 0], atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(
    shift=st.floats(-1, 1), angle=st.floats(0, 180), extent=st.integers(0, 3), oversampling=st.integers(1, 3)
)
def test_without_dithers_fine_pixels_lie_on_those_of_the_exposures(shift, angle, extent, oversampling):
    # Moved by whole pixels along the rows of the detector, and so the frame is odd or even.
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turned = [Pointing(shift + c * k, shift + s * k, angle) for k in (0, extent)]
    several = projections(268.0, -29.2, turned)
    frame = choose_frame(several, oversampling)
    # The middle of the first fine pixel of pixel (20, 11).
    first = np.array([20.0, 11.0]) - (1 - 1 / oversampling) / 2
    u = np.concatenate(frame.projection.to_pixel(*several[0].to_sky(*first[:, None])))
    np.testing.assert_allclose(u, np.rint(u), atol=1e-3)
    assert oversampling > 1 or on_pixels_of(frame, several[0])


def test_a_frame_half_a_pixel_off_is_not_on_the_pixels():
    (first,) = projections(268.0, -29.2, dithers(1))
    frame = choose_frame([first], 1)
    assert not on_pixels_of(replace(frame, shape=(frame.shape[0] + 1, frame.shape[1])), first)
    assert not on_pixels_of(replace(frame, shape=(frame.shape[0], frame.shape[1] + 1)), first)


def test_separations_on_the_sky_are_those_of_the_tangent_plane():
    frame = ReferenceFrame(10.0, 45.0, np.diag([-36.0, 36.0]), (201, 201), 1)
    ra, dec = frame.to_sky(np.array([100.0, 200.0, 100.0]), np.array([100.0, 100.0, 200.0]))
    assert (ra[0], dec[0]) == pytest.approx((10.0, 45.0))
    # 100 pixels of 0.01 degree in the plane are arctan(1 degree) on the sphere: Calabretta & Greisen (2002).
    vector = np.stack(
        [
            np.cos(np.radians(dec)) * np.cos(np.radians(ra)),
            np.cos(np.radians(dec)) * np.sin(np.radians(ra)),
            np.sin(np.radians(dec)),
        ]
    )
    for k in (1, 2):
        separation = np.arccos(vector[:, 0] @ vector[:, k])
        assert separation == pytest.approx(np.arctan(np.radians(1.0)), rel=1e-9)
    assert ra[1] < 10.0
    assert dec[2] > 45.0


def test_oversampling_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        choose_frame(projections(0.0, 0.0, dithers(1)), 0)


NINE = (np.stack(np.meshgrid(np.arange(3), np.arange(3)), axis=-1).reshape(-1, 2) + 0.5) / 3


@pytest.mark.parametrize(("wavelength", "expected"), [(0.62, 3), (0.87, 3), (1.06, 3), (1.43, 2), (2.13, 2)])
def test_the_grid_is_as_fine_as_the_sharpest_detail_that_the_telescope_passes(wavelength, expected):
    # A telescope of 2.36 m passes D / λ waves a radian; a square pixel passes none at one wave a pixel.
    waves_a_pixel = 2.36 / (wavelength * 1e-6) * np.radians(0.11 / 3600)
    assert (waves_a_pixel > 1) == (expected == 3)
    assert choose_oversampling(wavelength, np.concatenate([NINE, NINE])) == expected


def test_the_finest_grid_needs_pixels_in_all_nine_places():
    assert choose_oversampling(0.87, NINE) == 2
    assert choose_oversampling(0.87, np.concatenate([NINE, NINE[:8]])) == 2
    assert choose_oversampling(0.87, np.concatenate([NINE[:8]] * 20)) == 2


def test_phases_are_those_of_the_dithers():
    plane = ReferenceFrame(268.0, -29.0, PIXEL * np.diag([-1.0, 1.0]), (SIDE, SIDE), 1)
    made = np.array([[0.0, 0.0], [0.25, 3.5], [-1.75, 0.125]])
    several = [
        fit_projection(lambda x, y, d=dither: plane.to_sky(x + d[0], y + d[1]), (SIDE, SIDE))
        for dither in made
    ]
    found = phases_of(several)
    assert np.exp(2j * np.pi * (found - found[0] + made)) == pytest.approx(1, abs=1e-4)


def test_an_exposure_that_overlaps_no_other_does_not_make_the_frame_large():
    """Its WCS may be off by minutes of arc: the frame is that of the others."""
    others = projections(268.0, -29.2, dithers(6))
    for place in (0, 3):
        (lost,) = projections(268.05, -29.15, dithers(1))
        frame = choose_frame([*others[:place], lost, *others[place:]], 2)
        assert frame.shape == pytest.approx(choose_frame(others, 2).shape, abs=1)
        assert all(frame.projection.inside(*frame.projection.to_pixel(*one.center)) for one in others)


def test_a_frame_of_exposures_apart_from_one_another_holds_all():
    apart = [replace(one, dx=100.0 * k) for k, one in enumerate(dithers(3))]
    assert choose_frame(projections(268.0, -29.2, apart), 2).shape[1] > 2 * (200 + SIDE)
