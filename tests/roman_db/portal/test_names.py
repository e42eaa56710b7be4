"""Names that the editor completes, beside those that queries may use."""

import csv
import io

import requests

from roman_db.portal.names import known_names
from roman_db.tap.adql import AdqlError, schema_catalog, translate


def names_of(found: dict) -> dict[str, set[str]]:
    """Columns by full names of tables."""
    return {
        f"{one['schema']}.{one['name']}": {column["name"] for column in one["columns"]}
        for one in found["tables"]
    }


def test_tables_and_columns_are_those_of_tap_schema(portal):
    query = "SELECT table_name, column_name, unit FROM tap_schema.columns"
    given = {"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "csv"}
    answer = requests.get(f"{portal}/tap/sync", params=given, timeout=60)
    stored: dict[str, set[str]] = {}
    for row in csv.DictReader(io.StringIO(answer.text)):
        stored.setdefault(row["table_name"], set()).add(row["column_name"])
    found = requests.get(f"{portal}/portal/data/names", timeout=60).json()
    assert names_of(found) == stored
    assert {"roman.object", "roman.light_curve", "ivoa.obscore", "tap_schema.tables"} <= set(stored)
    assert not any(one.startswith(("ops.", "uws.", "mydb_")) for one in stored)
    light_curve = next(one for one in found["tables"] if one["name"] == "light_curve")
    assert {one["name"]: one["unit"] for one in light_curve["columns"]}["flux"] == "nJy"


def test_every_function_is_one_of_the_translator(survey):
    functions = {one["name"] for one in known_names()["functions"]}
    assert {"CONTAINS", "COUNT", "COALESCE", "ivo_healpix_index"} <= functions
    assert "REGION" not in functions
    assert not [name for name in functions if "no function" in said_of(name)]
    assert "no function" in said_of("nonsense")


def said_of(function: str) -> str:
    """What the translator says of a call with an argument."""
    try:
        translate(f"SELECT {function}(0) FROM roman.object", schema_catalog())
    except AdqlError as error:
        return str(error)
    return ""


def test_scratch_tables_are_completed_for_their_owner(portal, people):
    ada, bob = people
    wish = {"name": "bright", "query": "SELECT TOP 5 object_id, ra AS place FROM roman.object"}
    made = ada.ask("/account/scratch", "POST", json=wish)
    assert made.status_code == 201, made.text
    table = f"mydb_{ada.account.name}.bright"
    assert names_of(ada.ask("/portal/data/names").json())[table] == {"object_id", "place"}
    assert table in ada.ask("/me").text
    assert table not in names_of(bob.ask("/portal/data/names").json())
    assert table not in names_of(requests.get(f"{portal}/portal/data/names", timeout=60).json())
    assert (
        ada.ask("/account/scratch/bright", "DELETE", headers={"Origin": "http://evil.example"}).status_code
        == 401
    )
    assert ada.ask("/account/scratch/bright", "DELETE").status_code == 204
    assert table not in names_of(ada.ask("/portal/data/names").json())
