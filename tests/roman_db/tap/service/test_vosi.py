"""What the service says of itself, as pyvo and astropy read it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import requests

from roman_db.tap.adql import USER_FUNCTIONS, schema_catalog
from roman_db.tap.formats.choice import FORMATS
from tests.docs.pages import ROOT

EXAMPLES = sorted(path.stem for path in (ROOT / "queries" / "examples").glob("*.adql"))


def test_capabilities_name_language_functions_formats_and_limits(service):
    (tap,) = [one for one in service.capabilities if one.standardid == "ivo://ivoa.net/std/TAP"]
    (language,) = tap.languages
    assert [version.content for version in language.versions] == ["2.1", "2.0"]
    (functions,) = [one for one in language.languagefeaturelists if one.type.endswith("#features-udf")]
    declared = {feature.form for feature in functions}
    assert declared == {form for one in USER_FUNCTIONS.values() for form in one.signatures}
    assert [one.mime for one in tap.outputformats] == [one.media_type for one in FORMATS]
    assert service.maxrec == 1_000_000
    assert service.hardlimit == 100_000_000


def test_tables_are_those_of_the_catalog(service):
    assert {table.full_name: len(table.columns) for table in schema_catalog()} == {
        name: len(table.columns) for name, table in service.tables.items()
    }


def test_a_table_has_units_ucds_and_types(service):
    column = next(one for one in service.tables["roman.object"].columns if one.name == "pm_ra")
    known = next(
        one for table in schema_catalog().named("object") for one in table.columns if one.name == "pm_ra"
    )
    assert (column.unit, column.ucd, column.description) == (known.unit, known.ucd, known.description)
    assert column.datatype.content == known.type.datatype


@pytest.mark.parametrize("detail", ["min", "max"])
def test_tables_may_come_without_columns(address, detail):
    document = ElementTree.fromstring(requests.get(f"{address}/tables?detail={detail}", timeout=60).content)
    assert (next(document.iter("column"), None) is None) == (detail == "min")


def test_one_table_can_be_asked_for(address):
    document = ElementTree.fromstring(requests.get(f"{address}/tables/roman.object", timeout=60).content)
    assert document.findtext("name") == "roman.object"
    assert requests.get(f"{address}/tables/roman.nothing", timeout=60).status_code == 404


def test_examples_are_those_that_pyvo_finds(service):
    assert len(service.examples) == len(EXAMPLES)


def test_examples_find_something(service):
    for example in service.examples:
        assert len(example.execute()) > 0, example.queryparams


def test_the_front_page_names_the_service(address):
    assert address.removeprefix("http://") in requests.get(address.removesuffix("/tap"), timeout=60).text
