"""The catalog of the project's own tables and views, from ``schema/``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from roman_db.resources import folder
from roman_db.schema.model import Column, Relation, Table, read_tables
from roman_db.schema.tap import votable_type
from roman_db.schema.view import View, read_views
from roman_db.tap.adql.catalog import Catalog, CatalogColumn, CatalogTable
from roman_db.tap.adql.value_type import Type

#: A q3c index, as ``schema/postgres`` makes it.
_SKY_INDEX = re.compile(r"ON (?P<table>\w+\.\w+) \(q3c_ang2ipix\((?P<lon>\w+), (?P<lat>\w+)\)\)")
#: Views of light curves, which are partitioned by object.
_OBJECT = "object_id"
_PARTITIONED_VIEWS = ("light_curve", "astrometry_curve", "shape_curve")


@cache
def schema_catalog() -> Catalog:
    """Tables and views of the science schema; read once."""
    tables = read_tables()
    relations: list[Table | View] = [*tables.values(), *read_views(tables).values()]
    public = [one for one in relations if one.is_public]
    sky = sky_indexes(path.read_text() for path in sorted((folder("schema") / "postgres").glob("*.sql")))
    return Catalog(table_of(one, _sky_index(one, sky)) for one in public)


def _sky_index(
    relation: Table | View, of_tables: Mapping[str, tuple[tuple[str, str], ...]]
) -> tuple[tuple[str, str], ...]:
    """Pairs of columns by which rows are found on the sky: of a view as its description says."""
    return relation.sky_index if isinstance(relation, View) else of_tables.get(relation.full_name, ())


def sky_indexes(scripts: Iterable[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Pairs of columns with a q3c index, by the full name of their table."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for script in scripts:
        for index in _SKY_INDEX.finditer(script):
            pair = (index["lon"], index["lat"])
            found[index["table"]] = (*found.get(index["table"], ()), pair)
    return found


def table_of(relation: Table | View, sky_index: tuple[tuple[str, str], ...] = ()) -> CatalogTable:
    """Table of the catalog from its description."""
    return CatalogTable(
        schema=relation.schema,
        name=relation.name,
        columns=tuple(column_of(column) for column in relation.columns),
        sky_index=sky_index,
        primary_key=relation.primary_key if isinstance(relation, Table) else (),
        object_partition=_OBJECT if _is_partitioned(relation) else None,
    )


def column_of(column: Column) -> CatalogColumn:
    """Column of the catalog from its description."""
    datatype, arraysize, xtype = votable_type(column)
    type_ = Type(datatype, arraysize, xtype, column.postgresql_type)
    return CatalogColumn(
        column.name, type_, column.unit, column.ucd, column.description, column.utype, column.coverage
    )


def _is_partitioned(relation: Relation) -> bool:
    """Whether rows are found by object in partitions: stored light curves and views of them."""
    if not any(column.name == _OBJECT for column in relation.columns):
        return False
    if isinstance(relation, Table):
        return relation.partition is not None
    return relation.name.startswith(_PARTITIONED_VIEWS)
