"""The fast projection against wcslib (astropy.wcs), wherever on the sky."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS, Sip
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.wfi.projection import SkyProjection
from loaders.wfi.projection_fit import fit_projection

SHAPE = (4088, 4088)
CENTERS = [(268.0, -29.2), (0.0, 0.0), (359.99, 45.0), (120.0, 89.97), (30.0, -90.0), (180.0, 90.0)]


def distorted(ra: float, dec: float, turn: float = 40.0) -> WCS:
    """A rotated gnomonic WCS with distortion of a few pixels up to fourth order, like the instrument's."""
    wcs = WCS(naxis=2)
    a, b = np.zeros((5, 5)), np.zeros((5, 5))
    a[2, 0], a[1, 1], a[0, 3], a[4, 0] = 8e-7, -4e-7, 3e-11, 1e-14
    b[0, 2], b[1, 1], b[3, 0], b[2, 2] = -6e-7, 5e-7, -2e-11, 2e-14
    wcs.sip = Sip(a, b, None, None, [2044.5, 2044.5])
    wcs.wcs.crpix = [2044.5, 2044.5]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    wcs.wcs.cd = 0.11 / 3600 * np.array([[-c, s], [s, c]])
    return wcs


def projection_of(wcs: WCS, shape: tuple[int, int] = SHAPE) -> SkyProjection:
    return fit_projection(lambda x, y: tuple(wcs.all_pix2world(x, y, 0)), shape)


def pixels(n: int, beyond: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return tuple(rng.uniform(-0.5 - beyond, 4087.5 + beyond, (2, n)))


@pytest.mark.parametrize("center", CENTERS)
def test_forward_agrees_with_wcslib(center):
    wcs = distorted(*center)
    x, y = pixels(2000, beyond=90)
    ra, dec = projection_of(wcs).to_sky(x, y)
    wanted = SkyCoord(*wcs.all_pix2world(x, y, 0), unit="deg")
    assert (SkyCoord(ra, dec, unit="deg").separation(wanted) < 1e-9 * u.arcsec).all()
    assert ((ra >= 0) & (ra < 360)).all()


@pytest.mark.parametrize("center", CENTERS)
def test_inverse_agrees_with_wcslib(center):
    wcs = distorted(*center)
    x, y = pixels(2000, beyond=90)
    ra, dec = wcs.all_pix2world(x, y, 0)
    for turns in (0, 360, -360):
        got = projection_of(wcs).to_pixel(ra + turns, dec)
        assert np.abs(np.stack(got) - [x, y]).max() < 3e-8


def test_inverse_reaches_the_precision_of_a_right_ascension():
    projection = projection_of(distorted(268.0, -29.2))
    x, y = pixels(100_000)
    back = projection.to_pixel(*projection.to_sky(x, y))
    assert np.abs(np.stack(back) - [x, y]).max() < 3e-9
    assert projection.error < 5e-9


@settings(max_examples=30, deadline=None)
@given(
    ra=st.floats(0, 360, exclude_max=True),
    dec=st.floats(-90, 90),
    turn=st.floats(0, 360),
    ny=st.integers(1, 5000),
    nx=st.integers(1, 5000),
)
def test_round_trip_anywhere(ra, dec, turn, ny, nx):
    projection = projection_of(distorted(ra, dec, turn), (ny, nx))
    x, y = np.linspace(-0.5, nx - 0.5, 50), np.linspace(ny - 0.5, -0.5, 50)
    back = projection.to_pixel(*projection.to_sky(x, y))
    assert np.abs(np.stack(back) - [x, y]).max() < 1e-7


def test_far_positions_are_nan():
    projection = projection_of(distorted(268.0, -29.2))
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, 20_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))
    near = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(268.0, -29.2, unit="deg")) < 0.15 * u.deg
    x, y = projection.to_pixel(ra[~near], dec[~near])
    assert np.isnan(x).all()
    assert np.isnan(y).all()


def test_margin():
    projection = projection_of(distorted(10.0, 10.0))
    x = np.array([-100.5, -100.4, 0.0, 4187.4, 4187.6, np.nan, np.inf])
    y = np.full(x.size, 2000.0)
    ra, dec = projection.to_sky(x, y)
    assert np.isfinite(ra).tolist() == [True, True, True, True, False, False, False]
    assert np.array_equal(np.isfinite(ra), np.isfinite(dec))
    beyond = distorted(10.0, 10.0).all_pix2world([-150.0, -101.0, -100.0], [2000.0] * 3, 0)
    assert np.isfinite(projection.to_pixel(*beyond)[0]).tolist() == [False, False, True]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_invalid_positions_are_nan(value):
    projection = projection_of(distorted(10.0, 10.0))
    assert np.isnan(projection.to_pixel([value, 10.0], [10.0, value])).all()


@pytest.mark.parametrize("center", CENTERS[:4])
def test_jacobian_is_the_slope(center):
    projection = projection_of(distorted(*center))
    x, y = pixels(100)
    matrix = projection.jacobian(x, y)
    here = SkyCoord(*projection.to_sky(x, y), unit="deg")
    for column, (dx, dy) in enumerate(((1.0, 0.0), (0.0, 1.0))):
        there = SkyCoord(*projection.to_sky(x + dx, y + dy), unit="deg")
        east, north = (angle.to_value("arcsec") for angle in here.spherical_offsets_to(there))
        assert np.allclose(matrix[:, 0, column], east, atol=3e-7)
        assert np.allclose(matrix[:, 1, column], north, atol=3e-7)


def test_pixel_area_is_that_of_wcslib():
    wcs = distorted(268.0, -29.2)
    wcs.sip = None
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    area = np.radians(0.11 / 3600) ** 2
    assert projection_of(wcs).pixel_area == pytest.approx(area, rel=1e-9)


def test_inside():
    projection = projection_of(distorted(10.0, 10.0), (10, 20))
    x = np.array([-0.5, -0.51, 19.49, 19.5, 5.0, np.nan])
    y = np.array([0.0, 0.0, 9.49, 0.0, 9.5, 0.0])
    assert projection.inside(x, y).tolist() == [True, False, True, False, False, False]


@pytest.mark.parametrize(
    ("transform", "word"),
    [
        (lambda x, y: (x * np.nan, y), "not finite"),
        (lambda x, y: (x * 0 + 1, y * 0 + 1), "not invertible"),
        (lambda x, y: (x * 1e-5, x * 1e-5), "not invertible"),
        (lambda x, y: (x * 0.05, y * 0.04), "hemisphere"),
        (lambda x, y: (x * 3e-5 + 0.01 * (x > 2000), y * 3e-5), "not smooth"),
    ],
)
def test_transforms_that_cannot_be_used(transform, word):
    with pytest.raises(ValueError, match=word):
        fit_projection(transform, SHAPE)


def test_shapes_must_agree():
    projection = projection_of(distorted(10.0, 10.0))
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        projection.to_sky([1, 2], [1, 2, 3])
