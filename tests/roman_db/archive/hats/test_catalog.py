"""Catalogs of each kind can be asked for, whatever parameters the products have that they are made of."""

from __future__ import annotations

import pytest

from roman_db.archive.hats.catalog import KINDS, open_catalog
from roman_db.archive.hats.storage import open_snapshot


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_without_rows_has_a_catalog_of_none(database, kind):
    with open_snapshot() as snapshot:
        catalog = open_catalog(snapshot, kind, "psf")
        assert {"object_id", "ra", "dec"} <= set(catalog.schema.names)
        assert snapshot.cells(0, catalog.sources).weight.size == 0
