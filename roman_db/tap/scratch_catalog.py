"""Scratch tables as queries name them: columns keep the type, unit and meaning that the query gave them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from roman_db.accounts.account import Account
from roman_db.accounts.scratch import scratch_columns
from roman_db.tap.adql import Catalog, OutputColumn, schema_catalog
from roman_db.tap.adql.catalog import CatalogColumn, CatalogTable
from roman_db.tap.adql.value_type import OPAQUE, Type
from roman_db.tap.release_catalog import release_tables

#: How the schemas of accounts begin; a query without it names none.
PREFIX = "mydb_"
_WORDS = ("datatype", "arraysize", "xtype", "unit", "ucd", "description")
#: Geometries, which are stored as arrays of numbers.
_GEOMETRIES = ("point", "circle", "polygon")


def catalog_for(account: Account | None, query: str) -> Catalog:
    """Tables that a query may name: those of all, of data releases, the account's own and its team's."""
    catalog = schema_catalog().with_tables(release_tables(query))
    if account is None or account.is_anonymous or PREFIX not in query.lower():
        return catalog
    return catalog.with_tables(scratch_tables(scratch_columns(account)))


def scratch_tables(rows: Iterable[Mapping[str, Any]]) -> list[CatalogTable]:
    """Tables of the catalog from their columns, as `scratch_columns` lists them."""
    by_table = itertools.groupby(rows, key=lambda row: (row["schema"], row["name"]))
    return [CatalogTable(schema, name, tuple(map(_column, columns))) for (schema, name), columns in by_table]


def comments_of(columns: Iterable[OutputColumn]) -> dict[str, str]:
    """What is kept beside each column of a scratch table."""
    return {one.name: json.dumps({word: getattr(one, word) for word in _WORDS}) for one in columns}


def _column(row: Mapping[str, Any]) -> CatalogColumn:
    """Column of the catalog from its comment."""
    said = json.loads(row["comment"])
    xtype = None if said["xtype"] in _GEOMETRIES else said["xtype"]
    # A text has any length: formats write how long each is.
    arraysize = "*" if said["datatype"] in ("char", "unicodeChar") else said["arraysize"]
    type_ = Type(said["datatype"], arraysize, xtype, row["type"] if row["type"] in OPAQUE else None)
    return CatalogColumn(row["column_name"], type_, said["unit"], said["ucd"], said["description"])
