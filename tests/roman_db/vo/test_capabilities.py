"""What the services say of themselves, as pyvo and STILTS read it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import warnings
from xml.etree import ElementTree

import pytest
import pyvo
import requests
from astropy.io.votable import parse
from pyvo.io.vosi import parse_availability, parse_capabilities, parse_tables

STANDARDS = {
    "scs": "ivo://ivoa.net/std/ConeSearch",
    "ssa": "ivo://ivoa.net/std/SSA",
    "datalink": "ivo://ivoa.net/std/DataLink#links-1.1",
    "soda": "ivo://ivoa.net/std/SODA#sync-1.0",
}
VOSI = {"ivo://ivoa.net/std/VOSI#capabilities", "ivo://ivoa.net/std/VOSI#availability"}


def capabilities(get, path: str) -> dict:
    """Capabilities of a document by their standard; of parameters pyvo says that it knows none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {one.standardid: one for one in parse_capabilities(io.BytesIO(get(path).content))}


def test_the_root_has_all_services(get):
    tap = {"ivo://ivoa.net/std/TAP", "ivo://ivoa.net/std/VOSI#tables-1.1"}
    assert {*STANDARDS.values(), *VOSI, *tap} <= set(capabilities(get, "capabilities"))


@pytest.mark.parametrize(("name", "standard"), STANDARDS.items())
def test_each_service_has_a_document_of_its_own(get, name, standard):
    assert {standard, *VOSI} <= set(capabilities(get, f"{name}/capabilities"))
    assert parse_availability(io.BytesIO(get(f"{name}/availability").content)).available


@pytest.mark.parametrize("path", ["", "tap/", *(f"{one}/" for one in STANDARDS)])
def test_addresses_answer_and_people_may_sign_in_or_not(get, path):
    for capability in capabilities(get, f"{path}capabilities").values():
        for interface in capability.interfaces:
            methods = {one.standardid for one in interface.securitymethods}
            assert methods == {None, "ivo://ivoa.net/sso#BasicAA"}
            (access,) = interface.accessurls
            if access.use == "full":
                assert requests.get(access.content, timeout=60).status_code == 200


@pytest.mark.parametrize("path", ["scs", "datalink", "timeseries", "soda/sync", "data", "coverage", "ssa"])
def test_all_services_take_the_same_accounts(address, path):
    answer = requests.get(f"{address}/{path}", timeout=60)
    assert "Basic" in answer.headers["WWW-Authenticate"]
    assert requests.get(f"{address}/{path}", auth=("nobody", "wrong"), timeout=60).status_code == 401


def test_the_query_for_trying_the_cone_search_can_be_made(get, address):
    (interface,) = capabilities(get, "scs/capabilities")[STANDARDS["scs"]].interfaces
    (access,) = interface.accessurls
    assert access.content.startswith(address)
    assert len(pyvo.dal.SCSService(access.content).search((267.533564, -30.01758), 0.001)) > 0


def test_the_table_of_the_cone_search_has_its_columns(get):
    (table,) = parse_tables(io.BytesIO(get("scs/tables").content)).iter_tables()
    assert table.name == "roman.current_object"
    answer = parse(io.BytesIO(get("scs", RA=0, DEC=0, SR=0, VERB=3).content)).get_first_table()
    names = {field.name for field in answer.fields} - {"angular_distance"}
    assert names == {one.name for one in table.columns}


def test_the_service_of_spectra_has_what_its_schema_asks_for(get, address, spectra):
    """In the order of SimpleDALRegExt 1.2, and the query for trying it finds spectra."""
    root = ElementTree.fromstring(get("ssa/capabilities").content)
    (capability,) = [one for one in root if one.get("standardID") == STANDARDS["ssa"]]
    assert capability.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "ssap:SimpleSpectralAccess"
    assert [one.tag for one in capability] == [
        "interface", "complianceLevel", "dataSource", "creationType", "supportedFrame", "maxRecords",
        "defaultMaxRecords", "testQuery",
    ]  # fmt: skip
    query = capability.find("testQuery")
    place = ",".join(query.findtext(f"pos/{one}") for one in ("long", "lat"))
    url = f"{address}/ssa?{query.findtext('queryDataCmd')}&POS={place}&SIZE={query.findtext('size')}"
    assert len(parse(io.BytesIO(requests.get(url, timeout=60).content)).get_first_table().array) > 0


def test_the_table_of_spectra_has_the_columns_of_the_answer(get):
    (table,) = parse_tables(io.BytesIO(get("ssa/tables").content)).iter_tables()
    assert table.name == "ivoa.ssa"
    answer = parse(io.BytesIO(get("ssa", REQUEST="queryData", MAXREC=0).content)).get_first_table()
    assert {field.name for field in answer.fields} - {"score"} == {one.name for one in table.columns}


@pytest.mark.skipif(shutil.which("stilts") is None, reason="STILTS is not installed")
@pytest.mark.parametrize("name", ["datalink", "soda"])
def test_documents_are_those_of_the_schemas(address, name):
    """Those that taplint has: that of the cone search is not among them."""
    given = [f"tapurl={address}/tap", f"capabilitiesurl={address}/{name}/capabilities", "stages=CPV"]
    done = subprocess.run(
        ["stilts", "taplint", *given], capture_output=True, text=True, timeout=120, check=False
    )
    assert re.findall(r"^[EFW]-.*", done.stdout, re.MULTILINE) == []
    assert re.search(r"^Totals: Errors: 0;", done.stdout, re.MULTILINE)
