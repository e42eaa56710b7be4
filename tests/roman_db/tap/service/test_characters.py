"""Text in VOTables: of ASCII as char, of any characters as unicodeChar, and never wrong."""

from __future__ import annotations

import base64
import io
from xml.etree import ElementTree

import pyarrow as pa
import pytest
import requests
from astropy.io.votable import parse

from roman_db.tap.adql import schema_catalog, translate
from roman_db.tap.answer_rows import Answer, as_seen
from roman_db.tap.formats.votable import write_binary2, write_tabledata

_TAG = "{http://www.ivoa.net/xml/VOTable/v1.3}"


def fields(query: str) -> list[str]:
    """Datatypes of the columns of a query."""
    return [one.datatype for one in translate(query, schema_catalog()).columns]


def answer(*texts: list[str]) -> Answer:
    """Answer with one column, declared as ASCII, that comes in batches."""
    columns = translate("SELECT visit_id FROM roman.visit", schema_catalog()).columns
    batches = [pa.record_batch({"visit_id": one}) for one in texts]
    return Answer("q", as_seen(columns, batches[0]), iter(batches))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT visit_id, UPPER(visit_id), visit_id || 'a' FROM roman.visit", ["char"] * 3),
        ("SELECT program_title, LOWER(program_title) FROM roman.program", ["unicodeChar"] * 2),
        ("SELECT 'a' || program_title, COALESCE(program_title, 'a') FROM roman.program", ["unicodeChar"] * 2),
        ("SELECT 'łódź', 'a' || 'ł', 'a' FROM roman.field", ["unicodeChar", "unicodeChar", "char"]),
        ("SELECT visit_id FROM roman.visit UNION SELECT program_title FROM roman.program", ["unicodeChar"]),
    ],
)
def test_text_is_of_any_characters_where_a_part_is(query, expected):
    assert fields(query) == expected


@pytest.mark.parametrize("write", [write_binary2, write_tabledata])
@pytest.mark.parametrize(
    ("texts", "datatype"), [(["a", "", "bc"], "char"), (["a", "Käse", "\U0001f52d"], "unicodeChar")]
)
def test_what_is_seen_in_the_first_rows_is_declared(write, texts, datatype):
    document = b"".join(write(answer(texts)))
    assert ElementTree.fromstring(document).find(f".//{_TAG}FIELD").get("datatype") == datatype
    table = parse(io.BytesIO(document)).get_first_table()
    assert [str(one) for one in table.array["visit_id"]] == texts


def test_what_comes_later_is_an_error_and_no_other_text():
    document = ElementTree.fromstring(b"".join(write_binary2(answer(["a"], ["ł"]))))
    status = [one for one in document.iter(f"{_TAG}INFO") if one.get("name") == "QUERY_STATUS"][-1]
    assert status.get("value") == "ERROR"
    assert "column visit_id has characters beyond ASCII" in status.text
    rows = base64.b64decode(document.find(f".//{_TAG}STREAM").text)
    assert rows == b"\0\0\0\0\1a"
    cells = ElementTree.fromstring(b"".join(write_tabledata(answer(["a"], ["ł"])))).iter(f"{_TAG}TD")
    assert [one.text for one in cells] == ["a", "ł"]


@pytest.mark.parametrize("text", ["\x01", "\x0b", "\x1f", "\ufffe", "\uffff", "a\x02\x03b"])
def test_what_xml_cannot_hold_is_replaced(get, address, text):
    """In a result, in an error, and in what a job says of itself."""
    replaced = "".join(c if c in "ab" else "\ufffd" for c in text)
    query = f"SELECT DISTINCT '{text}' AS t FROM roman.field"
    result = ElementTree.fromstring(get(query, RESPONSEFORMAT="votable/td").content)
    assert {one.text for one in result.iter(f"{_TAG}TD")} == {replaced}
    error = ElementTree.fromstring(get(text).content)
    assert {one.get("value") for one in error.iter(f"{_TAG}INFO")} == {"ERROR", replaced}
    form = {"LANG": "ADQL", "QUERY": query, "RUNID": text}
    job = requests.post(f"{address}/async", data=form, timeout=60).content
    described = {one.tag.rpartition("}")[2]: one.text for one in ElementTree.fromstring(job)}
    assert described["runId"] == replaced
