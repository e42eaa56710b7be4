"""Finders: north up, east left, at the right scale."""

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from loaders.object_page.finder import SIDE, cut_out_north_up, grey_levels, small_levels
from loaders.reference.frame import ReferenceFrame

RA, DEC, SCALE, SHAPE, HALF = 268.0, -29.2, 0.055, (300, 400), 4.0
#: Position angles of the y axis, and whether the axes are those of a mirror.
TURNS = [(0.0, 1), (37.0, 1), (-120.0, -1)]


def frame(angle, parity):
    """A frame with its y axis at a position angle (east of north)."""
    turn = np.radians(angle)
    x_axis = parity * np.array([-np.cos(turn), np.sin(turn)])
    y_axis = np.array([np.sin(turn), np.cos(turn)])
    return ReferenceFrame(RA, DEC, SCALE * np.column_stack([x_axis, y_axis]), SHAPE, 2)


def wcs_of(one):
    """The same as astropy has it."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [RA, DEC]
    wcs.wcs.crpix = [one.middle[0] + 1, one.middle[1] + 1]
    wcs.wcs.cd = one.matrix / 3600
    return wcs


@pytest.mark.parametrize(("angle", "parity"), TURNS)
def test_stars_are_where_they_belong(angle, parity):
    one = frame(angle, parity)
    centre = SkyCoord(RA, DEC, unit="deg").directional_offset_by(20 * units.deg, 1 * units.arcsec)
    # Arcsec east and north of the middle of the finder.
    for east, north in ((0.0, 0.0), (2.0, 0.0), (0.0, 2.5)):
        star = centre.spherical_offsets_by(east * units.arcsec, north * units.arcsec)
        x, y = wcs_of(one).world_to_pixel(star)
        grid_y, grid_x = np.mgrid[: SHAPE[0], : SHAPE[1]]
        found = cut_out_north_up(
            np.exp(-((grid_x - x) ** 2 + (grid_y - y) ** 2) / (2 * 2.0**2)),
            one,
            (centre.ra.deg, centre.dec.deg),
            HALF,
        )
        row, column = np.unravel_index(np.nanargmax(found), found.shape)
        scale = 2 * HALF / (SIDE - 1)
        assert column == pytest.approx(SIDE // 2 - east / scale, abs=2)
        assert row == pytest.approx(SIDE // 2 - north / scale, abs=2)


def test_what_is_beyond_the_image_is_blank():
    one = frame(0.0, 1)
    data = np.ones(SHAPE)
    ra, dec = one.to_sky(np.array([2.0]), np.array([150.0]))
    found = cut_out_north_up(data, one, (float(ra[0]), float(dec[0])), HALF)
    share = np.isfinite(found).mean()
    assert 0.4 < share < 0.6
    assert found[np.isfinite(found)] == pytest.approx(1.0)
    assert cut_out_north_up(data, one, (RA + 1, DEC), HALF) is None


def test_bright_stars_are_white_and_blanks_grey():
    rng = np.random.default_rng(1)
    values = rng.normal(100, 1, (50, 50))
    values[10:12, 10:12], values[0, 0] = 10_000, np.nan
    levels = grey_levels(values)
    assert levels.dtype == np.uint8
    assert levels[10, 10] == 255
    assert levels[0, 0] == 128
    assert np.median(levels) < 100


def test_a_large_image_is_made_smaller():
    levels, step = small_levels(np.random.default_rng(2).normal(size=(300, 200)), 100)
    assert step == 3
    assert levels.shape == (100, 66)
