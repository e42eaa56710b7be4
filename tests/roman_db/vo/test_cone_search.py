"""Cone search as pyvo asks it, against separations that astropy computes."""

from __future__ import annotations

import io

import pytest
import pyvo
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse

from tests.queries.filling import DEC, RA


@pytest.mark.parametrize("radius", [0.0005, 0.003, 0.02, 180])
def test_objects_are_those_within_the_radius(address, truth, radius):
    place = SkyCoord(RA + 0.002, DEC, unit="deg")
    found = pyvo.dal.SCSService(f"{address}/scs").search(place, radius)
    separation = place.separation(SkyCoord(truth.ra, truth.dec, unit="deg"))
    within = separation <= radius * u.deg
    expected = dict(zip(truth.object_id[within].tolist(), separation.deg[within], strict=True))
    distances = {int(one.id): one["angular_distance"] for one in found}
    assert distances == pytest.approx(expected, abs=1e-9)


def test_pyvo_finds_place_and_identifier(address, truth):
    row = pyvo.dal.SCSService(f"{address}/scs").search((truth.ra[3], truth.dec[3]), 1e-6)[0]
    assert int(row.id) == truth.object_id[3]
    assert row.pos.separation(SkyCoord(truth.ra[3], truth.dec[3], unit="deg")) < 1e-9 * u.deg


def test_verbosity_adds_columns(get):
    columns = [
        {field.name for field in parse(io.BytesIO(answer.content)).get_first_table().fields}
        for answer in (get("scs", RA=RA, DEC=DEC, SR=0.01, VERB=verbosity) for verbosity in (1, 2, 3))
    ]
    assert columns[0] == {"object_id", "ra", "dec"}
    assert columns[0] < columns[1] < columns[2]
    assert "pm_ra" in columns[2]


def test_a_radius_of_zero_gives_columns_without_rows(get, valid):
    answer = get("scs", RA=RA, DEC=DEC, SR=0)
    valid(answer.content, has_ucd1=True)
    table = parse(io.BytesIO(answer.content)).get_first_table()
    assert len(table.array) == 0
    ucds = {field.name: field.ucd for field in table.fields}
    assert (ucds["object_id"], ucds["ra"], ucds["dec"]) == ("ID_MAIN", "POS_EQ_RA_MAIN", "POS_EQ_DEC_MAIN")


def test_rows_are_cut_at_maxrec(get):
    answer = get("scs", RA=RA, DEC=DEC, SR=1, MAXREC=5)
    assert len(parse(io.BytesIO(answer.content)).get_first_table().array) == 5
    assert b'value="OVERFLOW"' in answer.content


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"RA": "12h"}, "RA must be a number from 0 to 360, got '12h'"),
        ({"RA": "nan"}, "RA must be a number"),
        ({"DEC": -91}, "DEC must be a number from -90 to 90, got '-91'"),
        ({"SR": ""}, "SR is missing"),
        ({"SR": -1}, "SR must be a number from 0 to 180"),
        ({"VERB": 4}, "VERB must be one of 1, 2, 3, got '4'"),
        ({"MAXREC": "x"}, "MAXREC must be a whole number"),
        ({"RA": ["1", "2"]}, "RA is given twice"),
    ],
)
def test_errors_are_said_as_the_standard_has_them(get, change, words):
    answer = get("scs", **({"RA": RA, "DEC": DEC, "SR": 0.01} | change))
    (info,) = [one for one in parse(io.BytesIO(answer.content)).infos if one.name == "Error"]
    assert words in info.value
    assert answer.status_code == 200


def test_an_error_is_a_valid_document(get, valid):
    content = get("scs", RA="<&>", DEC=DEC, SR=0.01).content
    valid(content)
    said = [one.content or one.value for one in parse(io.BytesIO(content)).iter_info()]
    assert any("<&>" in one for one in said)


def test_pyvo_raises_the_error(address):
    with pytest.raises(pyvo.dal.DALQueryError, match="SR must be a number from 0 to 180"):
        pyvo.dal.SCSService(f"{address}/scs").search((RA, DEC), 300)
