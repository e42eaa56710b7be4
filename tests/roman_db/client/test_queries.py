"""Queries, places and values against what was stored, and against plain pyvo."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import pyvo
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table

from roman_db.client import BadQuery, RowsWereCut, ServiceFailed
from tests.queries.filling import DEC, RA

CENTRE = SkyCoord(RA, DEC, unit="deg")


def places_of(truth) -> SkyCoord:
    return SkyCoord(truth.ra, truth.dec, unit="deg")


def test_rows_come_with_units_and_values_that_were_given(roman, truth):
    chosen = truth.object_id[[3, 8, 20]]
    found = roman.query(
        "SELECT object_id, optical_element, psf_flux FROM roman.object_flux "
        "WHERE object_id IN ({chosen}) AND optical_element = {element} ORDER BY psf_flux DESC",
        {"chosen": chosen, "element": "F146"},
    )
    assert found["object_id"].tolist() == chosen.tolist()
    assert found["psf_flux"].unit == u.nJy
    assert found["psf_flux"].meta["ucd"].startswith("phot.flux")
    assert np.asarray(found["psf_flux"]) == pytest.approx(truth.flux["F146"][[3, 8, 20]], rel=1e-6)
    frame = found.to_pandas()
    assert frame["object_id"].tolist() == chosen.tolist()
    assert frame["psf_flux"].to_numpy() == pytest.approx(np.asarray(found["psf_flux"]))


def test_missing_numbers_are_nan_and_missing_integers_masked(roman):
    found = roman.query("SELECT pm_ra, astrometric_solution_id FROM roman.object")
    assert np.isnan(np.asarray(found["pm_ra"])).all()
    assert np.all(found["astrometric_solution_id"].mask)


def test_a_job_gives_the_same_rows_and_is_removed(roman, address):
    query = "SELECT object_id, ra FROM roman.object ORDER BY object_id"
    assert np.array_equal(roman.query(query, as_job=True).as_array(), roman.query(query).as_array())
    assert list(pyvo.dal.TAPService(address).get_job_list()) == []


def test_a_job_that_takes_too_long_is_given_up_and_removed(roman, address):
    endless = "SELECT COUNT(*) AS n FROM " + ", ".join(f"roman.detector AS d{n}" for n in range(8))
    with pytest.raises(ServiceFailed, match=r"tap/async/.* did not end within 0\.2 s and was removed"):
        roman.query(endless, as_job=True, timeout=0.2)
    assert list(pyvo.dal.TAPService(address).get_job_list()) == []


def test_a_cone_holds_what_astropy_finds_and_what_the_cone_search_gives(roman, truth, address):
    found = roman.cone(CENTRE, 8 * u.arcsec)
    inside = places_of(truth).separation(CENTRE) <= 8 * u.arcsec
    assert 3 < inside.sum() < 55
    assert sorted(found["object_id"].tolist()) == sorted(truth.object_id[inside].tolist())
    plain = pyvo.dal.SCSService(address.removesuffix("tap") + "scs").search((RA, DEC), 8 / 3600).to_table()
    assert sorted(map(int, plain["object_id"])) == sorted(found["object_id"].tolist())
    few = roman.cone(f"{RA} {DEC}", "8 arcsec", columns=["object_id", "ra"])
    assert few.colnames == ["object_id", "ra"]
    assert len(few) == len(found)


def test_a_polygon_holds_what_lies_between_its_sides(roman, truth):
    west, east, south, north = RA - 5 / 3600, RA + 8 / 3600, DEC - 6 / 3600, DEC + 7 / 3600
    corners = SkyCoord([west, east, east, west], [south, south, north, north], unit="deg")
    # Sides of so few arcseconds are straight in right ascension and declination to a nanoarcsecond.
    inside = (truth.ra > west) & (truth.ra < east) & (truth.dec > south) & (truth.dec < north)
    assert inside.sum() > 3
    assert sorted(roman.region(corners)["object_id"].tolist()) == truth.object_id[inside].tolist()


def test_places_are_matched_by_upload(roman, truth):
    chosen = [4, 30, 4, 59]
    near = places_of(truth)[chosen].directional_offset_by(30 * u.deg, 0.2 * u.arcsec)
    nowhere = SkyCoord([10.0], [10.0], unit="deg")
    found = roman.match(SkyCoord([*near.ra, *nowhere.ra], [*near.dec, *nowhere.dec]), 0.5 * u.arcsec)
    nearest = {place: found[found["place"] == place][0] for place in range(4)}
    assert [int(nearest[place]["object_id"]) for place in range(4)] == truth.object_id[chosen].tolist()
    assert [nearest[place]["separation"] for place in range(4)] == pytest.approx([0.2] * 4, abs=1e-5)
    assert found["separation"].unit == u.arcsec
    assert 4 not in set(found["place"])


def test_tables_of_astropy_and_pandas_are_uploaded(roman, truth):
    mine = Table({"number": truth.object_id[[1, 2]], "label": ["one", "two"]})
    for table in (mine, mine.to_pandas()):
        found = roman.query(
            "SELECT m.label, o.ra FROM {mine} AS m JOIN roman.object AS o ON o.object_id = m.number "
            "ORDER BY 1",
            {"mine": table},
        )
        assert list(found["label"]) == ["one", "two"]
        assert np.asarray(found["ra"]) == pytest.approx(truth.ra[[1, 2]], abs=1e-12)


@pytest.mark.parametrize(
    "text", ["it's", "''", "' OR 1=1 --", "a\\'b", "{element}", "µ-lens ☆", "-- no comment", "two\nlines"]
)
def test_texts_arrive_as_they_are(roman, text):
    found = roman.query("SELECT {text} AS said FROM roman.detector WHERE {text} = {text}", {"text": text})
    assert set(found["said"]) == {text}


@pytest.mark.parametrize(
    "value", [-5, 0, 2**63 - 1, 1 - 2**63, 0.1, -1e-300, 1.7976931348623157e308, np.float32(0.1)]
)
def test_numbers_arrive_to_the_last_bit(roman, value):
    found = roman.query("SELECT TOP 1 0 -{value} AS said FROM roman.detector", {"value": value})
    assert found["said"][0] == -value


def test_cut_rows_are_warned_of(roman):
    with pytest.warns(RowsWereCut, match="more than these 5 rows.*maxrec"):
        found = roman.query("SELECT object_id FROM roman.object", maxrec=5)
    assert (len(found), found.meta["query_status"]) == (5, "OVERFLOW")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert roman.query("SELECT object_id FROM roman.object").meta["query_status"] == "OK"


def test_an_error_in_a_query_names_its_place(roman):
    with pytest.raises(BadQuery, match=r"line 1, column 8: there is no column objct_id.*400 from"):
        roman.query("SELECT objct_id FROM roman.object")
    with pytest.raises(BadQuery, match="objct_id"):
        roman.query("SELECT objct_id FROM roman.object", as_job=True)


def test_what_cannot_be_is_refused_before_it_is_sent(roman):
    with pytest.raises(BadQuery, match="columns must be names"):
        roman.cone(CENTRE, 1 * u.arcsec, columns=["ra FROM roman.object --"])
    with pytest.raises(BadQuery, match="no angle"):
        roman.cone(CENTRE, 1 * u.nJy)
    with pytest.raises(BadQuery, match=r"many go to match\(\)"):
        roman.cone(SkyCoord([1, 2], [3, 4], unit="deg"), 1 * u.arcsec)
