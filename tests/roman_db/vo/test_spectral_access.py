"""Simple Spectral Access as pyvo asks it, against what was stored."""

from __future__ import annotations

import io

import numpy as np
import pytest
import pyvo
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse
from astropy.table import Table
from astropy.time import Time
from pyvo.dal.adhoc import DatalinkResults

from roman_db.vo.spectral_ranges import date_in, read_ranges
from tests.roman_db import spectra as filling


@pytest.fixture
def search(address, spectra):
    """Function that gives the identifiers of the spectra that a search finds."""
    service = pyvo.dal.SSAService(f"{address}/ssa")

    def found(**parameters) -> set[int]:
        return set(map(int, service.search(**parameters)["spectrum_id"]))

    return found


@pytest.fixture
def everything(spectra) -> set[int]:
    """What is current."""
    return {spectra.galaxy, spectra.star, spectra.unfitted}


def test_spectra_around_a_place_are_found_with_what_pyvo_knows_of_them(address, truth, spectra):
    place = SkyCoord(truth.ra[3], truth.dec[3], unit="deg")
    (row,) = pyvo.dal.SSAService(f"{address}/ssa").search(place, diameter=2 * u.arcsec)
    assert row["spectrum_id"] == spectra.galaxy
    assert (row.ra, row.dec) == pytest.approx((truth.ra[3], truth.dec[3]))
    assert (row.title, row.instr) == (f"Spectrum {spectra.galaxy} of {filling.GALAXY}", "WFI")
    assert row["object_id"] == truth.object_id[3]
    assert row["score"] == pytest.approx(1)
    assert row["t_mid"] == pytest.approx(filling.START + 0.05)
    assert (row["em_min"], row["em_max"]) == pytest.approx((1e-6, 1.93e-6))
    assert row["em_mid"] == pytest.approx(1.465e-6)
    assert row["em_res_power"] == pytest.approx(461 * 1.465, rel=1e-3)
    assert (row["z"], row["reliability"]) == (filling.Z, 0.97)
    assert row.format == "application/x-votable+xml"


def test_places_and_sizes_choose(search, truth, spectra, everything):
    ra, dec = truth.ra[3], truth.dec[3]
    assert search() == everything
    assert search(pos=(ra, dec + 0.5), diameter=0.98) == set()
    assert search(pos=(ra, dec + 0.5), diameter=1.02) == {spectra.galaxy, spectra.star}
    assert search(pos=(ra + 4 / 3600, dec)) == {spectra.galaxy}
    assert search(pos=(ra + 8 / 3600, dec)) == set()
    assert search(pos=(ra, dec + 0.4), diameter=3, TOP=1) == {spectra.galaxy}
    assert search(pos=(ra, dec + 0.6), diameter=3, TOP=1) == {spectra.star}


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"band": (0.5e-6, 0.6e-6)}, {"star"}),
        ({"band": (0.9e-6, 1.0e-6)}, {"galaxy", "unfitted"}),
        ({"BAND": "1.5e-6"}, {"galaxy", "unfitted"}),
        ({"BAND": "/0.5e-6,1.9e-6/"}, {"star", "galaxy", "unfitted"}),
        ({"BAND": "2e-6/3e-6"}, set()),
        ({"time": Time([61500.0, 61500.3], format="mjd")}, {"galaxy"}),
        ({"TIME": Time(filling.START, format="mjd").isot[:10]}, {"galaxy"}),
        ({"TIME": "/2026"}, {"star"}),
        ({"TIME": "/"}, {"star", "galaxy"}),
        ({"REDSHIFT": "1.2/1.4"}, {"galaxy"}),
        ({"REDSHIFT": "-1/0.1,5/"}, {"star"}),
        ({"BAND": "1.5e-6;observer"}, {"galaxy", "unfitted"}),
        ({"BAND": "0.5e-6/0.7e-6;source"}, {"star", "galaxy"}),
        ({"BAND": "1.5e-6;source"}, set()),
        ({"SPECRP": "600/"}, {"galaxy"}),
        ({"SPECRP": "600"}, {"galaxy"}),
        ({"SPECRP": "700"}, set()),
        ({"WAVECALIB": "relative,Absolute"}, {"star", "galaxy", "unfitted"}),
        ({"WAVECALIB": "relative"}, set()),
        ({"TARGETNAME": "GALAXY 'a'"}, {"galaxy"}),
        ({"TARGETNAME": "nobody,STAR-1"}, {"star"}),
        ({"TARGETNAME": "' OR 1=1 --"}, set()),
        ({"TARGETCLASS": "galaxy,qso"}, {"galaxy"}),
        ({"FLUXCALIB": "uncalibrated"}, {"star"}),
        ({"COLLECTION": "roman_wfi"}, {"galaxy"}),
        ({"format": "graphic"}, set()),
        ({"format": ["fits"]}, {"star", "galaxy", "unfitted"}),
        ({"VERSION": "1.1", "COMPRESS": "true", "SNR": "5/"}, {"star", "galaxy", "unfitted"}),
    ],
)
def test_parameters_choose(search, spectra, parameters, names):
    assert search(**parameters) == {getattr(spectra, name) for name in names}


def test_spectra_are_found_by_their_object_and_their_identifier(search, truth, spectra):
    assert search(TARGETNAME=str(truth.object_id[3])) == {spectra.galaxy}
    assert search(PUBDID=f"ivo://roman.ssc/msos?spectrum/{spectra.star}") == {spectra.star}
    assert search(PUBDID=f"ivo://roman.ssc/msos?spectrum/{spectra.earlier}") == set()


def test_an_answer_is_a_valid_document_of_the_protocol(get, valid, truth, spectra):
    answer = get("ssa", REQUEST="queryData", POS=f"{truth.ra[3]},{truth.dec[3]}", SIZE=0.1)
    valid(answer.content)
    document = parse(io.BytesIO(answer.content))
    assert [(one.name, one.value) for one in document.resources[0].infos[:2]] == [
        ("SERVICE_PROTOCOL", "1.1"), ("QUERY_STATUS", "OK"),
    ]  # fmt: skip
    table = document.get_first_table()
    utypes = {one.utype for one in (*table.fields, *table.params)}
    assert utypes >= MANDATORY
    assert "adhoc:service" in {one.utype for one in document.resources}


#: Fields that an answer must have (SSA 1.1, section 4.2.5), as others serve them, too.
MANDATORY = {
    f"ssa:{one}"
    for one in (
        "Access.Reference", "Access.Format", "Dataset.DataModel", "Dataset.Length", "DataID.Title",
        "Curation.Publisher", "Char.SpatialAxis.Coverage.Location.Value",
        "Char.SpatialAxis.Coverage.Bounds.Extent", "Char.SpectralAxis.Coverage.Location.Value",
        "Char.SpectralAxis.Coverage.Bounds.Extent", "Char.TimeAxis.Coverage.Location.Value",
        "Char.TimeAxis.Coverage.Bounds.Extent",
    )
}  # fmt: skip


def test_metadata_say_what_can_be_asked(get, valid, address):
    content = get("ssa", REQUEST="queryData", FORMAT="METADATA").content
    valid(content)
    document = parse(io.BytesIO(content))
    asked = {one.name for one in document.resources[0].params}
    assert {f"INPUT:{name}" for name in ("POS", "SIZE", "BAND", "TIME", "FORMAT")} <= asked
    assert len(document.get_first_table().array) == 0
    assert "OVERFLOW" not in content.decode()
    service = pyvo.dal.SSAService(f"{address}/ssa")
    assert {one.utype for one in service.columns} >= {"ssa:Access.Reference", "ssa:Query.Score"}


def test_rows_are_cut_at_maxrec_and_say_so(get, spectra):
    answer = get("ssa", REQUEST="queryData", MAXREC=2)
    assert len(parse(io.BytesIO(answer.content)).get_first_table().array) == 2
    assert b'value="OVERFLOW"' in answer.content
    assert b'value="OVERFLOW"' not in get("ssa", REQUEST="queryData", TOP=2).content


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"REQUEST": ""}, "REQUEST must be queryData"),
        ({"REQUEST": "getData"}, "REQUEST must be queryData, got 'getData'"),
        ({"VERSION": "2.0"}, "VERSION '2.0' is not supported: there is 1.1"),
        ({"POS": "10"}, "POS must be a right ascension and a declination"),
        ({"POS": "10,20;GALACTIC"}, "ICRS, got '10,20;GALACTIC'"),
        ({"POS": "10,95"}, "POS must be a number from -90 to 90, got '95'"),
        ({"POS": "10,20", "SIZE": "-1"}, "SIZE must be a number from 0 to 360"),
        ({"BAND": "red"}, "BAND must be numbers, or ranges such as 1/2, got 'red'"),
        ({"BAND": "1e-6;rest"}, "BAND may end in ;observer or ;source, got '1e-6;rest'"),
        ({"BAND": "2/1"}, "BAND has a range that ends before it begins: '2/1'"),
        ({"BAND": "nan/1"}, "BAND must be numbers"),
        ({"TIME": "yesterday"}, "TIME must be dates such as 2027-03-01"),
        ({"TIME": "2027-13"}, "TIME must be dates"),
        ({"FORMAT": "picture"}, "FORMAT must be among all, compliant, votable"),
        ({"TOP": "0"}, "TOP must be a whole number from 1 on"),
        ({"POS": ["1,2", "3,4"]}, "POS is given twice"),
    ],
)
def test_errors_are_said_as_the_standard_has_them(get, valid, change, words):
    answer = get("ssa", **({"REQUEST": "queryData"} | change))
    valid(answer.content)
    (info,) = [one for one in parse(io.BytesIO(answer.content)).iter_info() if one.name == "QUERY_STATUS"]
    assert (answer.status_code, info.value) == (200, "ERROR")
    assert words in info.content


def test_pyvo_raises_the_error(address):
    with pytest.raises(pyvo.dal.DALQueryError, match="BAND has a range that ends before it begins"):
        pyvo.dal.SSAService(f"{address}/ssa").search(BAND="2/1")


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2027", "2027-01-01", "2028-01-01"),
        ("2027-12", "2027-12-01", "2028-01-01"),
        ("2028-02", "2028-02-01", "2028-03-01"),
        ("2027-03-01", "2027-03-01", "2027-03-02"),
        ("2027-03-01T23", "2027-03-01 23:00", "2027-03-02 00:00"),
        ("2027-03-01T23:59Z", "2027-03-01 23:59", "2027-03-02 00:00"),
        ("2027-03/2027-05-02", "2027-03-01", "2027-05-03"),
        ("2027-03-01T01:02:03.5", "2027-03-01 01:02:03.5", "2027-03-01 01:02:03.5"),
    ],
)
def test_a_date_that_is_cut_names_all_of_its_time(text, first, last):
    (found,) = read_ranges("TIME", text, date_in)
    assert (found.low, found.high) == pytest.approx((Time(first).mjd, Time(last).mjd), abs=1e-9)


def test_other_formats_of_the_answer_have_the_same_rows(get, spectra):
    parameters = {"REQUEST": "queryData", "TARGETCLASS": "GALAXY"}
    answer = get("ssa", **parameters, RESPONSEFORMAT="csv")
    assert Table.read(answer.text, format="ascii.csv")["spectrum_id"].tolist() == [spectra.galaxy]
    answer = get("ssa", **parameters, RESPONSEFORMAT="votable/b2")
    assert parse(io.BytesIO(answer.content)).get_first_table().array["z"].tolist() == [filling.Z]


def test_links_lead_from_a_spectrum_and_its_object_to_all_there_is(address, truth, spectra, get):
    (row,) = pyvo.dal.SSAService(f"{address}/ssa").search(TARGETCLASS="GALAXY")
    links = row.getdatalink()
    kinds = [(one["semantics"], one["local_semantics"]) for one in links]
    assert kinds == [("#this", "spectrum")] * 3 + [
        ("#derivation", "redshift"), ("#derivation", "redshift-alternative"),
        ("#derivation", "line-measurement"), ("#progenitor", ""), ("#auxiliary", ""),
    ]  # fmt: skip
    lines = Table.read(io.BytesIO(_content(get, address, links[5])), format="votable")
    assert lines["line_name"].tolist() == ["[OIII]5008", "Halpha"]
    assert _content(get, address, links[6]) == b"as it was loaded"
    of_object = DatalinkResults.from_result_url(f"{address}/datalink?ID={truth.object_id[3]}")
    mine = [one for one in of_object if one["local_semantics"] == "spectrum"]
    assert [one["content_qualifier"] for one in mine] == ["#spectrum"] * 3
    document = next(one for one in of_object if one["description"].startswith("What there is of spectrum"))
    assert f"spectrum/{spectra.galaxy}" in document["access_url"]
    unfitted = DatalinkResults.from_result_url(f"{address}/datalink?ID=spectrum/{spectra.unfitted}")
    assert [one["semantics"] for one in unfitted] == ["#this"] * 3 + ["#derivation", "#progenitor"]


def _content(get, address, link) -> bytes:
    """What is at the address of a link."""
    answer = get(link["access_url"].removeprefix(f"{address}/"))
    assert answer.status_code == 200
    return answer.content


def test_spectra_are_products_of_obscore(address, spectra, truth):
    service = pyvo.dal.TAPService(f"{address}/tap")
    rows = service.search(
        "SELECT * FROM ivoa.obscore WHERE dataproduct_type = 'spectrum' ORDER BY em_min, obs_publisher_did"
    )
    numbers = [int(one.rpartition("/")[2]) for one in rows["obs_publisher_did"]]
    assert numbers == [spectra.star, spectra.galaxy, spectra.unfitted]
    galaxy = rows[1]
    assert (galaxy["calib_level"], galaxy["em_xel"], galaxy["facility_name"]) == (2, 861, "Roman")
    assert galaxy["t_exptime"] == filling.EXPOSURE
    assert galaxy["obs_collection"] == "roman_wfi"
    assert np.ma.is_masked(rows["s_ra"][2]) or np.isnan(rows["s_ra"][2])
    near = service.search(
        "SELECT obs_publisher_did FROM ivoa.obscore WHERE dataproduct_type = 'spectrum' "
        f"AND DISTANCE(s_ra, s_dec, {truth.ra[3]}, {truth.dec[3]}) < 0.001"
    )
    assert len(near) == 1
    assert set(galaxy.getdatalink()["error_message"]) == {""}
