"""Where cells are, and how far the bar is."""

import itertools

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from mocpy import MOC

from loaders.extinction.configuration import DistanceValues, RegionValues
from loaders.extinction.geometry import Cell, distance_modulus, galactic_centres, is_inside
from tests.loaders.extinction.sky import ROOT

BAR = DistanceValues("", 8.275, 40.0, 0.03)


def test_at_the_centre_the_modulus_is_that_of_the_distance():
    modulus = distance_modulus(np.zeros(1), np.zeros(1), BAR)
    assert modulus[0] == pytest.approx(5 * np.log10(8275 / 10))


@pytest.mark.parametrize("longitude", [-8.0, -2.0, 1.0, 6.0])
def test_the_line_of_sight_meets_the_bar_there(longitude):
    """Two lines in the plane, intersected by linear algebra; the near end is at positive longitude."""
    angle, way = np.radians(BAR.bar_angle), np.radians(longitude)
    sight = np.array([np.cos(way), np.sin(way)])
    along = np.array([-np.cos(angle), np.sin(angle)])
    distance, _ = np.linalg.solve(np.stack([sight, -along], axis=1), [BAR.galactic_centre, 0.0])
    modulus = distance_modulus(np.array([longitude]), np.zeros(1), BAR)[0]
    assert modulus == pytest.approx(5 * np.log10(distance * 100))
    above = distance_modulus(np.array([longitude]), np.array([-4.0]), BAR)[0]
    assert above == pytest.approx(5 * np.log10(distance * 100 / np.cos(np.radians(4.0))))


def test_the_modulus_falls_as_nataf_et_al_have_it():
    """Their table 1 has the clump 0.047 mag brighter a degree towards the near end."""
    modulus = distance_modulus(np.array([0.0, 1.0]), np.zeros(2), BAR)
    assert modulus[0] - modulus[1] == pytest.approx(0.047, abs=0.005)


def test_children_tile_their_cell():
    cell = Cell(9, 123456)
    ends = [(one.first, one.end) for one in cell.children]
    assert ends[0][0] == cell.first
    assert ends[-1][1] == cell.end
    assert all(a[1] == b[0] for a, b in itertools.pairwise(ends))
    whole = MOC.from_healpix_cells(np.array([cell.index], np.uint64), np.array([9], np.uint8), 10)
    index = np.array([one.index for one in cell.children], np.uint64)
    assert MOC.from_healpix_cells(index, np.full(4, 10, np.uint8), 10) == whole


def test_centres_lie_in_their_cells():
    longitude, latitude = galactic_centres(np.array([ROOT.order]), np.array([ROOT.index]))
    moc = MOC.from_healpix_cells(np.array([ROOT.index], np.uint64), np.array([8], np.uint8), 8)
    place = SkyCoord(l=longitude * u.deg, b=latitude * u.deg, frame="galactic").icrs
    assert moc.contains_skycoords(place).all()
    assert ROOT.centre() == pytest.approx((longitude[0], latitude[0]))


def test_only_the_bulge_is_mapped():
    region = RegionValues((-12.0, 12.0), (-10.0, 10.0))
    pole = MOC.from_string("3/0").flatten()
    index = np.array([ROOT.index, int(pole[0]) << 10], np.int64)
    assert is_inside(np.full(2, 8), index, region).tolist() == [True, False]
    assert is_inside(np.zeros(0, int), np.zeros(0, int), region).size == 0
