"""RAD's schemas as they are installed, read by a YAML reader that knows nothing of ours."""

from __future__ import annotations

import importlib.resources

import pytest
import yaml

from roman_db.archive import rad_schema
from roman_db.archive.datatype import fault
from roman_db.archive.product import PRODUCTS
from roman_db.schema import rad

SCHEMAS = importlib.resources.files("rad") / "resources" / "schemas"


def properties(reference: str) -> dict:
    """Properties of a schema and of those that it refers to, straight from the files."""
    name = reference.removeprefix("asdf://stsci.edu/datamodels/roman/schemas/")
    read = yaml.safe_load((SCHEMAS / f"{name}.yaml").read_text())
    found = {key: value for part in read.get("allOf", ()) for key, value in properties(part["$ref"]).items()}
    return found | {k: v for k, v in read.get("properties", {}).items() if "archive_catalog" in v}


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=lambda product: product.name)
def test_all_archived_keywords_are_known(product):
    expected = properties(product.schema)
    found = {keyword.name: keyword for keyword in rad.keywords(product.schema)}
    assert set(found) == set(expected)
    for name, described in expected.items():
        archived = described["archive_catalog"]
        assert found[name].datatype == archived["datatype"]
        assert list(found[name].destination) == archived["destination"]


def test_the_light_curve_catalog_has_thirty():
    assert len(rad.keywords(PRODUCTS["light_curve_catalog"].schema)) == 30


def test_every_type_of_the_archive_is_known():
    """Of all schemas of the Science Support Center, not of those alone that are exported."""
    types = set()
    for path in (SCHEMAS / "SSC").rglob("*.yaml"):
        described = yaml.safe_load(path.read_text()).get("properties", {})
        types |= {v["archive_catalog"]["datatype"] for v in described.values() if "archive_catalog" in v}
    assert len(types) > 5
    for datatype in types:
        fault(None, datatype)


def test_every_fault_is_told_at_once():
    schema = PRODUCTS["event_catalog"].schema
    faults = rad_schema.faults(schema, {"filename": 3, "season": "s0001", "mood": "good", "program": 2**40})
    words = "\n".join(faults)
    for piece in (
        "filename: 3 is not of type 'string'",
        "season: 's0001' is too long",
        "mood: ",
        "'flip' is a required",
        "program: 1099511627776 does not fit int (WFIMSOSReferenceFrame.program, ",
    ):
        assert piece in words
