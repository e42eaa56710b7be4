"""Names that the editor of ADQL completes: tables, columns and functions that queries may use."""

from __future__ import annotations

from functools import cache
from typing import Any

from roman_db.schema.model import POSTGRESQL_SCHEMAS, Relation, read_tables
from roman_db.schema.view import read_views
from roman_db.tap.adql import USER_FUNCTIONS

#: Functions of ADQL 2.1 that sky queries are made of.
_GEOMETRY = (
    "AREA", "BOX", "CENTROID", "CIRCLE", "CONTAINS", "COORD1", "COORD2", "DISTANCE", "INTERSECTS", "POINT",
    "POLYGON",
)  # fmt: skip


@cache
def known_names() -> dict[str, Any]:
    """Tables with their columns, and functions, each with what it means; read once."""
    stored = read_tables()
    relations: dict[str, Relation] = {**stored, **read_views(stored)}
    public = {name: one for name, one in sorted(relations.items()) if one.schema == POSTGRESQL_SCHEMAS[0]}
    own = [
        {"name": name, "form": function.signatures[0], "description": function.description}
        for name, function in USER_FUNCTIONS.items()
    ]
    return {
        "tables": [_table(one) for one in public.values()],
        "functions": own + [{"name": name, "form": f"{name}(…)", "description": ""} for name in _GEOMETRY],
    }


def _table(relation: Relation) -> dict[str, Any]:
    return {
        "schema": relation.schema,
        "name": relation.name,
        "description": relation.description,
        "columns": [
            {"name": one.name, "unit": one.unit or "", "type": one.datatype, "description": one.description}
            for one in relation.columns
        ],
    }
