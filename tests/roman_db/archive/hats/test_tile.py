"""Tiles and what is around them, against healpy-free geometry: centres and edges of pixels by cdshealpix."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import Latitude, Longitude
from cdshealpix.nested import lonlat_to_healpix, vertices
from hypothesis import given
from hypothesis import strategies as st

from roman_db.archive.hats.tile import (
    DRIFT,
    FINEST,
    WITHIN,
    Tile,
    contains,
    divide,
    surroundings,
    with_neighbours,
)


@given(st.lists(st.tuples(st.integers(0, 12 * 4**6 - 1), st.integers(1, 50)), min_size=1, max_size=60))
def test_tiles_hold_each_cell_once_and_no_more_than_they_should(held):
    cells = dict(held)
    cell = np.array(sorted(cells), np.int64)
    weight = np.array([cells[one] for one in cell.tolist()])
    tiles = divide(6, cell, weight, 60)
    owners = np.array(
        [[tile.pixel == one >> 2 * (6 - tile.order) for tile in tiles] for one in cell.tolist()]
    )
    assert np.all(owners.sum(axis=1) == 1)
    assert np.all(weight @ owners <= np.where([tile.order == 6 for tile in tiles], np.inf, 60))
    for tile, mine in zip(tiles, owners.T, strict=True):
        # One as large as its parent would hold too much.
        if tile.order:
            parent = cell >> 2 * (6 - tile.order + 1) == tile.pixel >> 2
            assert weight[parent].sum() > 60
        assert mine.any()
    assert [tile.ids for tile in tiles] == sorted(tile.ids for tile in tiles)


@pytest.mark.parametrize(
    "tile", [Tile(5, 100), Tile(9, 1844713), Tile(10, 3), Tile(12, 12 * 4**12 - 1), Tile(17, 8)]
)
@pytest.mark.parametrize("reach", [0.5, 5.0, 30.0])
def test_surroundings_hold_all_that_is_near(tile, reach):
    """Points that far from the edges, in all directions."""
    lon, lat = (angle.rad.ravel() for angle in vertices(np.array([tile.pixel]), tile.order, step=50))
    bearing = np.linspace(0, 2 * np.pi, 24, endpoint=False)[:, None]
    angle = np.radians(reach / 3600) * 0.999
    sin_lat = np.sin(lat) * np.cos(angle) + np.cos(lat) * np.sin(angle) * np.cos(bearing)
    east = np.sin(bearing) * np.sin(angle) * np.cos(lat)
    there = lon + np.arctan2(east, np.cos(angle) - np.sin(lat) * sin_lat)
    where = Longitude(there.ravel(), "rad"), Latitude(np.arcsin(np.clip(sin_lat, -1, 1)).ravel(), "rad")
    near = lonlat_to_healpix(*where, 29).astype(np.int64)
    assert contains(surroundings(tile, reach), near).all()


def test_surroundings_are_no_wider_than_they_need_be():
    """Around a tile of 3.4 arcmin in the bulge those of ten arcsec add less than 30 percent."""
    tile = Tile(10, 7378857)
    first, end = surroundings(tile, 10).T
    assert (end - first).sum() < 1.3 * (tile.ids[1] - tile.ids[0])


def test_pixels_that_are_taken_to_be_near_are_less_across_than_objects_drift():
    """Corners of pixels all over the sky, the polar caps and their edges among them."""
    step = 4**WITHIN // 997
    pixels = np.concatenate([np.arange(0, 12 * 4**WITHIN, step), [0, 4**WITHIN - 1, 12 * 4**WITHIN - 1]])
    lon, lat = (angle.rad for angle in vertices(pixels, WITHIN))
    corners = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    across = np.linalg.norm(corners[:, :, None] - corners[:, None, :], axis=-1).max()
    assert np.degrees(across) * 3600 < DRIFT / 2
    assert WITHIN < FINEST


def test_neighbours_weigh_nothing():
    around, weight = with_neighbours(10, np.array([7378857]), np.array([5]), 5.0)
    assert around.size == 9
    assert weight.sum() == 5


def test_paths_are_those_of_hats():
    assert Tile(9, 1844713).path == "Norder=9/Dir=1840000/Npix=1844713.parquet"
