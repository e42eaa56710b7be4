"""Polygons around regions, held against HEALPix and spherical trigonometry of other hands."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, Latitude, Longitude, SkyCoord
from cdshealpix.nested import vertices
from mocpy import MOC

from roman_db.archive.outline import polygon_around


def corners_of(words: str) -> SkyCoord:
    shape, frame, *numbers = words.split()
    assert (shape, frame) == ("POLYGON", "ICRS")
    values = np.array(numbers, float).reshape(-1, 2)
    return SkyCoord(values[:, 0] * u.deg, values[:, 1] * u.deg)


def contains(corners: SkyCoord, points: SkyCoord) -> np.ndarray:
    """Whether points lie on the inner side of every great circle of a polygon whose corners run clockwise as
    seen from outside of the sphere."""
    a = corners.cartesian.xyz.value.T
    normal = np.cross(a, np.roll(a, -1, axis=0))
    return np.all(normal @ points.cartesian.xyz.value < 1e-12, axis=0)


@pytest.mark.parametrize(("ra", "dec"), [(267.5, -30.0), (0.001, 5.0), (100.0, 89.9)])
def test_the_polygon_holds_the_region_and_little_more(ra, dec):
    centre = SkyCoord(ra * u.deg, dec * u.deg)
    moc = MOC.from_cone(Longitude(centre.ra), Latitude(centre.dec), radius=Angle(0.3, u.deg), max_depth=16)
    corners = corners_of(polygon_around(moc.to_depth29_ranges.astype(np.int64)))
    angles = np.linspace(0, 360, 361) * u.deg
    assert contains(corners, centre.directional_offset_by(angles, 0.299 * u.deg)).all()
    assert not contains(corners, centre.directional_offset_by(angles, 0.31 * u.deg)).any()
    position = centre.position_angle(corners).deg
    turn = (np.diff(np.append(position, position[0])) + 180) % 360 - 180
    assert np.all(turn > 0)  # from north to east, which is counterclockwise as seen from inside


def test_a_region_of_a_single_pixel_has_its_four_corners():
    lon, lat = vertices(np.array([1234]), 9)
    expected = SkyCoord(lon.ravel(), lat.ravel())
    corners = corners_of(polygon_around(np.array([[1234 << 40, 1235 << 40]])))
    separation = corners[:, None].separation(expected[None, :]).arcsec
    # Finer pixels leave steps along the sides, no wider than one of them is.
    assert separation.min(axis=0).max() < 0.01
    assert separation.min(axis=1).max() < 300


def test_nothing_has_no_outline():
    with pytest.raises(ValueError, match="no outline"):
        polygon_around(np.empty((0, 2), np.int64))


def test_half_a_sky_has_none():
    with pytest.raises(ValueError, match="60 deg"):
        polygon_around(np.array([[0, 6 << 58]]))
