"""Files of the map are read by what others have written."""

import warnings

import asdf
import cdshealpix
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from mocpy import MOC

from loaders.extinction.configuration import ELEMENTS
from loaders.extinction.picture import draw_map
from loaders.extinction.product import ExtinctionMap, Provenance, write_asdf, write_fits
from tests.loaders.extinction.sky import ROOT

MADE = Provenance(7, "abc", "0018", {"distance": {"galactic_centre": 8.0}})
#: A root of which one quarter is cut again.
CELLS = [*ROOT.children[:2], *ROOT.children[2].children, ROOT.children[3]]
LOST = 3


def rows():
    """Rows of the table, in the order of the database."""
    out = []
    for number, cell in enumerate(CELLS):
        for k, element in enumerate(ELEMENTS):
            known = number != LOST
            value = 0.5 + 0.1 * number + k
            out.append(
                {
                    "healpix_order": cell.order,
                    "healpix_index": cell.index,
                    "optical_element": element,
                    "extinction": value if known else None,
                    "extinction_err": 0.06 if known else None,
                    "extinction_covariance_f146": 0.0036 if element == "F146" else 0.003,
                    "clump_mag": value + 14.6 if known else None,
                    "clump_mag_err": 0.02 if known else None,
                    "clump_mag_intrinsic": 14.6,
                    "n_star": 100 + number,
                    "status": "fitted" if known else "no_clump",
                }
            )
    return out


@pytest.fixture
def current():
    some = rows()
    return ExtinctionMap.from_columns({name: [row[name] for row in some] for name in some[0]}, MADE)


def test_reddening_is_better_known_than_extinction(current):
    excess, error = current.reddening(("F087", "F146"))
    known = np.arange(len(CELLS)) != LOST
    np.testing.assert_allclose(excess[known], -1.0)
    np.testing.assert_allclose(error[known], np.sqrt(2 * 0.06**2 - 2 * 0.003))
    assert np.isnan(excess[LOST])


def test_cells_that_differ_between_elements_are_refused():
    some = rows()
    some[0]["healpix_index"] += 1
    with pytest.raises(ValueError, match="cells of F087 are not those of F146"):
        ExtinctionMap.from_columns({name: [row[name] for row in some] for name in some[0]}, MADE)


def test_the_multi_order_map_is_one_to_mocpy(current, tmp_path):
    path = tmp_path / "map.fits"
    write_fits(current, path)
    table = QTable.read(path, hdu="MULTIORDER")
    header = fits.getheader(path, "MULTIORDER")
    assert (header["PIXTYPE"], header["ORDERING"], header["COORDSYS"]) == ("HEALPIX", "NUNIQ", "C")
    assert header["MOCORDER"] == 10
    assert (np.diff(table["UNIQ"]) > 0).all()
    order = (np.log2(np.asarray(table["UNIQ"]) // 4) // 2).astype(np.uint8)
    index = np.asarray(table["UNIQ"]) - (4 << 2 * order.astype(np.int64))
    moc = MOC.from_healpix_cells(index.astype(np.uint64), order, 10)
    assert moc == MOC.from_healpix_cells(np.array([ROOT.index], np.uint64), np.array([8], np.uint8), 10)
    assert table["A_F146"].unit == u.mag
    # mocpy's own sums over a region that is one of the cells.
    region = MOC.from_healpix_cells(np.array([CELLS[0].index], np.uint64), np.array([9], np.uint8), 9)
    values, weights = region.values_and_weights_in_multiordermap(table, "A_F146")
    np.testing.assert_allclose(np.average(values, weights=weights), 1.5)
    assert str(table["STATUS_F146"][np.asarray(table["UNIQ"]) == uniq(CELLS[LOST])][0]).strip() == "no_clump"


def uniq(cell):
    return 4 * 4**cell.order + cell.index


def test_the_map_of_one_order_has_all_places(current, tmp_path):
    path = tmp_path / "map.fits"
    write_fits(current, path)
    header, table = fits.getheader(path, "HEALPIX"), QTable.read(path, hdu="HEALPIX")
    assert (header["ORDERING"], header["NSIDE"], header["INDXSCHM"]) == ("NESTED", 1024, "EXPLICIT")
    assert (header["OBJECT"], header["TTYPE1"]) == ("PARTIAL", "PIXEL")
    np.testing.assert_array_equal(table["PIXEL"], np.arange(16) + (ROOT.index << 4))
    of_cell = {
        cell.index: value for cell, value in zip(CELLS, current.values["F213"]["extinction"], strict=True)
    }
    expected = [of_cell.get(p, of_cell.get(p >> 2)) for p in np.asarray(table["PIXEL"]).tolist()]
    np.testing.assert_allclose(table["A_F213"].value, expected, rtol=1e-6)


def test_a_file_says_what_was_assumed_and_by_what_it_was_made(current, tmp_path):
    path = tmp_path / "map.fits"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_fits(current, path)
        with fits.open(path) as hdus:
            hdus.verify("exception")
            header = hdus[0].header
    assert (header["TELESCOP"], header["RUN"], header["COMMIT"]) == ("ROMAN", 7, "abc")
    said = "\n".join(header["COMMENT"])
    assert "galactic_centre: 8.0" in said
    assert "Hawkins" in said


def test_asdf_has_the_same_table(current, tmp_path):
    path, other = tmp_path / "map.asdf", tmp_path / "map.fits"
    write_asdf(current, path)
    write_fits(current, other)
    with asdf.open(path) as file:
        roman = file["roman"]
        table = roman["extinction"]
        assert roman["meta"]["configuration"]["distance"]["galactic_centre"] == 8.0
        place = zip(table["healpix_order"].tolist(), table["healpix_index"].tolist(), strict=True)
        assert list(place) == [(cell.order, cell.index) for cell in CELLS]
        assert table["A_F087"].unit == u.mag
        same = QTable.read(other, hdu="MULTIORDER")
        ascending = np.argsort([uniq(cell) for cell in CELLS])
        np.testing.assert_allclose(same["E_F087_F146"].value, np.asarray(table["E_F087_F146"])[ascending])


@pytest.mark.heavy
def test_a_picture_is_drawn_even_if_nothing_is_known(current, tmp_path):
    path = tmp_path / "map.png"
    draw_map(current, path)
    assert path.read_bytes()[:4] == b"\x89PNG"
    some = [row | {"extinction": None, "extinction_err": None, "clump_mag_err": None} for row in rows()]
    columns = {name: [row[name] for row in some] for name in some[0]}
    draw_map(ExtinctionMap.from_columns(columns, MADE), path)


def test_positions_find_their_cells(current, tmp_path):
    """By the recipe of the page: astropy and cdshealpix alone."""
    write_fits(current, tmp_path / "map.fits")
    table = QTable.read(tmp_path / "map.fits", hdu="HEALPIX")
    lon, lat = cdshealpix.healpix_to_lonlat(np.array([CELLS[0].index], np.uint64), 9)
    star = SkyCoord(lon, lat)
    pixel = cdshealpix.skycoord_to_healpix(star, 10)
    row = np.searchsorted(table["PIXEL"], pixel.astype(np.int64))
    np.testing.assert_allclose(table["A_F146"][row].value, 1.5)
