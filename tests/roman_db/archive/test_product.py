"""Products and their queries belong together."""

from __future__ import annotations

from roman_db import sqlfile
from roman_db.archive.product import PRODUCTS


def test_every_table_has_its_query_and_every_query_its_product():
    tables = {product.name for product in PRODUCTS.values() if not product.is_image}
    assert {file.name for file in sqlfile.read_all("exports")} == tables


def test_every_query_of_keywords_is_used():
    used = {name for product in PRODUCTS.values() for name in product.keywords}
    assert {file.name for file in sqlfile.read_all("exports/keywords")} == used


def test_every_query_of_parts_is_used():
    used = {product.parts for product in PRODUCTS.values() if product.parts is not None}
    assert {file.name for file in sqlfile.read_all("exports/parts")} == used
