"""Positions, errors and angles on the sky."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from loaders.simulation.wcs import tangent_wcs
from loaders.static_catalog.sky import nearest_neighbours, sky_axes, to_sky


def rotated(angle):
    """A FITS WCS as a function: an oracle whose axes are turned."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (359.999, 60.0), (50.5, 50.5)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = 0.055 / 3600 * np.array([[-c, s], [s, c]])
    return lambda x, y, with_bounding_box=True: wcs.pixel_to_world_values(x, y)


@pytest.mark.parametrize("angle", [0.0, 37.0, 200.0])
def test_position_angles_are_those_of_astropy(angle):
    wcs, x, y = rotated(angle), np.array([20.0, 80.0]), np.array([30.0, 60.0])
    turn = np.radians([10.0, 130.0])
    axes = sky_axes(wcs, x, y)
    here = SkyCoord(*wcs(x, y), unit="deg")
    there = SkyCoord(*wcs(x + np.cos(turn), y + np.sin(turn)), unit="deg")
    expected = here.position_angle(there).deg % 180
    difference = (axes.position_angle(turn) - expected + 90) % 180 - 90
    np.testing.assert_allclose(difference, 0, atol=0.01)


def test_errors_turn_with_the_axes():
    axes = sky_axes(rotated(90.0), np.array([50.0]), np.array([50.0]))
    east, north = axes.errors(np.array([0.1]), np.array([0.3]), np.array([0.0]))
    assert (east[0], north[0]) == pytest.approx((0.3 * 0.055, 0.1 * 0.055), rel=1e-3)
    tilted = sky_axes(rotated(45.0), np.array([50.0]), np.array([50.0]))
    east, north = tilted.errors(np.array([0.2]), np.array([0.2]), np.array([0.039]))
    assert max(east[0], north[0]) > 5 * min(east[0], north[0])


def test_right_ascensions_stay_below_360():
    ra, _ = to_sky(tangent_wcs(0.0, 0.0, 0.055, (100, 100)), np.array([0.0, 99.0]), np.array([50.0, 50.0]))
    assert ((ra >= 0) & (ra < 360)).all()
    assert to_sky(None, np.zeros(0), np.zeros(0))[0].size == 0


def test_nearest_neighbours():
    row, distance = nearest_neighbours(np.array([0.0, 3.0, 10.0, np.nan]), np.array([0.0, 4.0, 4.0, 0.0]))
    assert row.tolist() == [1, 0, 1, -1]
    np.testing.assert_allclose(distance, [5, 5, 7, np.nan])
    assert nearest_neighbours(np.array([1.0]), np.array([1.0]))[0].tolist() == [-1]
