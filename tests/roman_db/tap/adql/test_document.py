"""The page about ADQL: its queries run, and it names every function."""

from __future__ import annotations

import pytest

from roman_db import session
from roman_db.tap.adql import USER_FUNCTIONS, AdqlError, schema_catalog, translate
from roman_db.tap.adql.functions import AGGREGATES, FUNCTIONS
from tests.docs.pages import ROOT, blocks
from tests.queries.conftest import filled_template, survey  # noqa: F401  # fixtures

PAGE = ROOT / "docs" / "scientist" / "adql.md"
EXAMPLES = [block for block in blocks(PAGE) if block.language == "adql"]


@pytest.mark.parametrize("block", EXAMPLES, ids=[f"line {block.line}" for block in EXAMPLES])
def test_its_queries_run_and_find_something(survey, block):  # noqa: F811
    translated = translate(block.body, schema_catalog())
    with session.reading() as connection:
        rows = connection.exec_driver_sql(translated.limited(1000).replace("%", "%%")).fetchall()
    assert rows


def test_it_names_every_function():
    text = PAGE.read_text()
    assert [name for name in (*USER_FUNCTIONS, *FUNCTIONS, *AGGREGATES) if name not in text] == []


@pytest.mark.parametrize("query", ["SELECT objct_id FROM roman.object", "SELECT object_id FORM roman.object"])
def test_its_errors_are_ours(query):
    with pytest.raises(AdqlError) as caught:
        translate(query, schema_catalog())
    assert f"{caught.value}\n" in PAGE.read_text()
