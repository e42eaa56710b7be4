"""DataLink as pyvo follows it."""

from __future__ import annotations

import io
from urllib.parse import parse_qs, urlsplit

import pytest
import pyvo
import requests
from astropy.io.votable import parse
from astropy.table import Table
from pyvo.dal.adhoc import DatalinkResults

from roman_db.tap.adql import schema_catalog, translate
from roman_db.vo.data_link import links_of
from roman_db.vo.identifier import identifier, read_identifier
from roman_db.vo.link_document import link_descriptor

#: The IVOA's core vocabulary of DataLink.
SEMANTICS = {
    "#this", "#progenitor", "#derivation", "#auxiliary", "#bias", "#calibration", "#coderived", "#cutout",
    "#dark", "#detached-header", "#documentation", "#error", "#flat", "#noise", "#package", "#preview",
    "#preview-image", "#preview-plot", "#proc", "#thumbnail", "#weight",
}  # fmt: skip
COLUMNS = [
    "ID", "access_url", "service_def", "error_message", "semantics", "local_semantics", "description",
    "content_type", "content_length", "content_qualifier",
]  # fmt: skip


@pytest.fixture(scope="module")
def document(address, truth):
    """Links of an object, an image, and what there is not."""
    given = [str(truth.object_id[7]), identifier("reference_image", 1), "nothing", "exposure/7"]
    query = "&".join(f"ID={requests.utils.quote(one)}" for one in given)
    return DatalinkResults.from_result_url(f"{address}/datalink?{query}")


def test_rows_are_those_of_the_standard(document):
    assert document.fieldnames == tuple(COLUMNS)
    assert set(document["semantics"]) <= SEMANTICS
    for row in document:
        given = [bool(row[name]) for name in ("access_url", "service_def", "error_message")]
        assert sum(given) == 1


def test_the_document_is_valid(get, truth, valid):
    answer = get("datalink", ID=[str(truth.object_id[7]), "reference_image/1", "x"])
    valid(answer.content)
    assert answer.headers["content-type"] == "application/x-votable+xml;content=datalink"


def test_what_there_is_not_has_a_row_that_says_so(document):
    errors = {row["ID"]: row["error_message"] for row in document if row["error_message"]}
    assert set(errors) == {"nothing", "exposure/7"}
    assert all(message.startswith("NotFoundFault: ") for message in errors.values())


def test_light_curves_of_an_object_can_be_had(document, truth):
    rows = [row for row in document if row["local_semantics"] == "light-curve"]
    assert [row["semantics"] for row in rows] == ["#derivation"] * 4 + ["#cutout"]
    tables = [
        Table.read(io.BytesIO(requests.get(row["access_url"], timeout=60).content))
        for row in rows[:4]
        if "parquet" not in row["content_type"]
    ]
    assert [(set(table["optical_element"]), len(table)) for table in tables] == [
        ({"F087"}, 12),
        ({"F146"}, 96),
    ]
    assert {int(table["object_id"][0]) for table in tables} == {truth.object_id[7]}


def test_every_query_in_it_runs(document):
    addresses = [row["access_url"] for row in document if "/tap/sync" in row["access_url"]]
    assert len(addresses) >= 4
    for one in addresses:
        assert requests.get(one, timeout=60).status_code == 200, one


#: UCDs and units of SODA 1.0, table 1.
_SODA = {
    "ID": ("meta.ref.url;meta.curation", ""), "CIRCLE": ("pos.outline;obs", "deg"),
    "POLYGON": ("pos.outline;obs", "deg"), "POS": ("pos.outline;obs", ""),
    "BAND": ("em.wl;stat.interval", "m"), "TIME": ("time.interval;obs.exposure", "d"),
}  # fmt: skip


def test_the_cutout_service_takes_the_identifier_of_its_row(document):
    services = {one.ID: one for one in document.iter_adhocservices()}
    assert {row["service_def"] for row in document if row["service_def"]} == set(services)
    for service in services.values():
        (group,) = [group for group in service.groups if group.name == "inputParams"]
        factors = {one.name: (one.ucd, str(one.unit or "")) for one in group.entries}
        common = {"ID", "BAND", "TIME"}
        assert set(factors) == common | ({"CIRCLE", "POLYGON", "POS"} if service.ID == "cutout" else set())
        assert factors.items() <= _SODA.items()


def test_rows_of_obscore_lead_to_links(address):
    service = pyvo.dal.TAPService(f"{address}/tap")
    query = "SELECT TOP 2 * FROM ivoa.obscore WHERE dataproduct_subtype = '{}'"
    for subtype in ("exposure", "reference_image", "light_curve"):
        for row in service.search(query.format(subtype)):
            assert row["access_format"] == "application/x-votable+xml;content=datalink"
            url = row["access_url"].replace("http://127.0.0.1:8080", address)
            found = DatalinkResults.from_result_url(url)
            assert set(found["ID"]) == {row["obs_publisher_did"]}
            assert set(found["error_message"]) == {""}


def test_a_request_without_identifiers_gives_no_rows(get):
    assert len(Table.read(io.BytesIO(get("datalink").content))) == 0


@pytest.mark.parametrize(
    "text",
    ["", "object/", "object/-1", "object/9223372036854775808", "exposure/1/F146", "light_curve/1/F146';--",
     "ivo://other/msos?exposure/1", "٣", "exposure/1 OR 1"],
)  # fmt: skip
def test_what_is_no_identifier_names_nothing(text):
    assert read_identifier(text) is None


def test_identifiers_are_read_as_they_are_written():
    for kind, number, element in (("exposure", 7, None), ("light_curve", 2**63 - 1, "F146")):
        text = identifier(kind, number, element)
        found = read_identifier(text)
        assert (found.given, found.kind, found.number, found.element) == (text, kind, number, element)


def test_events_and_differences_are_linked():
    facts = {
        "optical_elements": [],
        "event_ids": [12],
        "spectrum_ids": [],
        "reference_image_ids": [3],
        "ra": 1.5,
        "dec": -2.0,
    }
    links = links_of(read_identifier("5"), facts, "https://a")
    assert [one.local_semantics for one in links] == [
        None,
        "event-model",
        None,
        "reference-image",
        "exposure",
        "difference",
    ]
    for url in (one.access_url for one in links if "/tap/sync" in one.access_url):
        translate(parse_qs(urlsplit(url).query)["QUERY"][0], schema_catalog())
    assert links[2].access_url == "https://a/datalink?ID=ivo://roman.ssc/msos%3Fevent/12"
    facts = {
        "exposure_id": 4,
        "reference_image_id": 3,
        "minuend_reference_image_id": None,
        "path": "x.parquet",
    }
    links = links_of(read_identifier("difference_image/5"), facts, "https://a")
    assert [one.semantics for one in links] == ["#this", "#this", "#progenitor", "#progenitor"]
    assert "path" not in " ".join(str(one.access_url) for one in links)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT TOP 3 ra, object_id FROM roman.object ORDER BY object_id",
        "SELECT TOP 3 o.object_id, o.dec FROM roman.current_object AS o ORDER BY object_id",
        "SELECT TOP 3 o.object_id AS star FROM roman.object AS o ORDER BY star",
        'SELECT TOP 3 object_id AS "my star" FROM roman.object ORDER BY object_id',
        "SELECT TOP 3 * FROM ivoa.obscore WHERE dataproduct_subtype = 'exposure'",
    ],
)
@pytest.mark.parametrize("name", ["votable", "votable/td"])
def test_pyvo_follows_the_links_of_results(address, query, name):
    service = pyvo.dal.TAPService(f"{address}/tap")
    found = service.search(query, responseformat=name)
    known = ("obs_publisher_did", "object_id", "star", "my star")
    key = next(one for one in found.fieldnames if one in known)
    wanted = [str(one) for one in found[key]]
    # Without the order pyvo takes the numbers of objects, which come back as text, for others.
    linked = [set(links["ID"]) for links in found.iter_datalinks(preserve_order=key != "obs_publisher_did")]
    assert sorted(map(sorted, linked)) == [[one] for one in sorted(wanted)]
    assert len(wanted) == 3
    assert found[0].getdatalink()["error_message"][0] == ""


@pytest.mark.parametrize("name", ["votable", "votable/td"])
def test_a_result_with_links_is_valid(address, valid, name):
    given = {"LANG": "ADQL", "QUERY": "SELECT TOP 3 * FROM ivoa.obscore", "RESPONSEFORMAT": name}
    content = requests.get(f"{address}/tap/sync", params=given, timeout=60).content
    valid(content)
    document = parse(io.BytesIO(content))
    assert len(document.get_first_table().array) == 3
    assert "adhoc:service" in {one.utype for one in document.resources}


def test_results_without_identifiers_have_no_service():
    for query in (
        "SELECT ra, dec FROM roman.object",
        "SELECT object_id + 1 AS object_id FROM roman.object",
        "SELECT object_id FROM roman.light_curve",
    ):
        assert link_descriptor(translate(query, schema_catalog()).columns, "https://a") is None


def test_links_are_found_after_queries_in_the_role_of_an_account(address, stored_images):
    """Connections are shared, and what a tier may read has no files of exposures."""
    service = pyvo.dal.TAPService(f"{address}/tap")
    url = f"{address}/datalink?ID={requests.utils.quote(stored_images['exposure'])}"
    for _ in range(8):
        service.search("SELECT TOP 1 object_id FROM roman.object")
        assert set(DatalinkResults.from_result_url(url)["error_message"]) == {""}
