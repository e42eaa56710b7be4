"""Objects as a HATS collection, opened by hats and LSDB as they come from PyPI, held against arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from cdshealpix.nested import vertices
from hats.io import pixel_catalog_file
from hats.io.validation import is_valid_collection
from pyarrow import parquet
from scipy.spatial import KDTree

from ....queries.filling import nested_pixel
from .conftest import DEC, ELEMENTS, RA
from .peer import QUIET, lsdb

pytestmark = [QUIET, pytest.mark.heavy]
LIMIT = ("--limit", 300)


@pytest.fixture
def collection(hats, sky, tmp_path):
    """A collection with tiles of several orders."""
    assert hats("objects", *LIMIT).exit_code == 0
    return tmp_path / "objects"


def test_hats_finds_nothing_wrong(collection, sky):
    assert is_valid_collection(collection, strict=True)
    opened = lsdb.open_catalog(collection)
    assert len(opened) == sky.object_id.size
    assert len({pixel.order for pixel in opened.get_healpix_pixels()}) > 1
    sizes = [parquet.read_metadata(path).num_rows for path in collection.glob("objects_0001/*/*/*/Npix*")]
    assert sum(sizes) == sky.object_id.size
    assert max(sizes) <= 300
    assert opened.hc_structure.catalog_info.hats_max_rows == max(sizes)


def test_rows_are_in_the_tile_of_their_place_and_in_order(collection):
    for path in collection.glob("objects_0001/dataset/*/*/Npix*"):
        order, pixel = (int(path.parts[at].split("=")[1].removesuffix(".parquet")) for at in (-3, -1))
        frame = parquet.read_table(path).to_pandas()
        index = nested_pixel(frame["ra"].to_numpy(), frame["dec"].to_numpy())
        assert np.array_equal(frame["_healpix_29"], index)
        assert np.all(np.diff(index) >= 0)
        assert np.all(index >> 2 * (29 - order) == pixel)


def test_every_row_is_as_it_is_stored(collection, sky):
    found = lsdb.open_catalog(collection).compute().sort_values("object_id")
    assert found["object_id"].to_numpy().tolist() == sky.object_id.tolist()
    for name in ("ra", "dec"):
        assert np.array_equal(found[name].to_numpy(float), getattr(sky, name))
    for number, element in enumerate(ELEMENTS, 1):
        flux = found[f"psf_flux_{element.lower()}"].to_numpy(float, na_value=np.nan)
        stored = np.where(np.arange(flux.size) % number == 0, number * 100.0 + np.arange(flux.size), np.nan)
        assert np.array_equal(flux, stored, equal_nan=True)


def test_a_cone_has_the_objects_that_are_in_it(collection, sky):
    middle = SkyCoord(RA, DEC, unit="deg")
    wanted = SkyCoord(sky.ra, sky.dec, unit="deg").separation(middle).arcsec < 300
    opened = lsdb.open_catalog(collection, search_filter=lsdb.ConeSearch(RA, DEC, 300))
    assert sorted(opened.compute()["object_id"]) == sorted(sky.object_id[wanted])
    # The object that has moved by three arcminutes is where it is now.
    moved = lsdb.open_catalog(collection).cone_search(sky.ra[1], sky.dec[1], 0.01).compute()
    assert moved["object_id"].tolist() == [sky.object_id[1]]


def test_margins_hold_all_that_is_near_a_tile(collection, sky):
    """Against the distance of each object to points along the edges of the tile."""
    opened = lsdb.open_catalog(collection)
    margin = opened.margin.hc_structure.catalog_base_dir
    assert opened.margin.hc_structure.catalog_info.margin_threshold == 5
    index = nested_pixel(sky.ra, sky.dec)
    n_near = 0
    for pixel in opened.get_healpix_pixels():
        inside = index >> 2 * (29 - pixel.order) == pixel.pixel
        near = set(sky.object_id[~inside & (distance_from(pixel, sky) <= 5)])
        path = pixel_catalog_file(margin, pixel)
        held = set(parquet.read_table(path)["object_id"].to_pylist()) if path.exists() else set()
        assert near <= held
        assert not held & set(sky.object_id[inside])
        n_near += len(near)
    assert n_near > 20


def test_a_crossmatch_misses_nothing_at_edges(hats, collection, sky, tmp_path):
    """Against astropy, with a catalog of the same objects on other tiles, shifted by half an arcsecond."""
    shifted = pd.DataFrame({"ra": sky.ra, "dec": sky.dec + 0.5 / 3600, "star": sky.object_id})
    theirs = lsdb.from_dataframe(shifted, ra_column="ra", dec_column="dec", lowest_order=9, highest_order=9)
    ours = lsdb.open_catalog(collection)
    found = theirs.crossmatch(
        ours, radius_arcsec=1, suffixes=("_a", "_b"), suffix_method="all_columns"
    ).compute()
    nearest, distance, _ = SkyCoord(shifted["ra"], shifted["dec"], unit="deg").match_to_catalog_sky(
        SkyCoord(sky.ra, sky.dec, unit="deg")
    )
    matched = distance.arcsec <= 1
    wanted = dict(zip(sky.object_id[matched], sky.object_id[nearest[matched]], strict=True))
    assert dict(zip(found["star_a"], found["object_id_b"], strict=True)) == wanted
    assert len(wanted) == sky.object_id.size


def distance_from(pixel, sky) -> np.ndarray:
    """Distance of each object from the edges of a pixel, arcsec, to a hundredth near it."""
    lon, lat = vertices(np.array([pixel.pixel]), pixel.order, step=20_000)
    edge = KDTree(directions(lon.rad.ravel(), lat.rad.ravel()))
    return np.degrees(edge.query(directions(np.radians(sky.ra), np.radians(sky.dec)))[0]) * 3600


def directions(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
