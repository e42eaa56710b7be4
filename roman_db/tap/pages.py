"""Documents made of the templates beside this file; what is put in is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import jinja2

from roman_db.schema.model import Column, Table
from roman_db.schema.tap import votable_type
from roman_db.schema.view import View
from roman_db.tap.adql import delimited


@cache
def template(name: str) -> jinja2.Template:
    """Template of a name."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["delimited"] = delimited
    made.globals |= {"votable_type": votable_type, "flags": _flags, "is_view": _is_view}
    return made.get_template(name)


def _flags(relation: Table | View, column: Column) -> Iterable[str]:
    """Flags of a column, as TAP_SCHEMA has them."""
    if column.name in relation.indexed:
        yield "indexed"
    if isinstance(relation, Table) and relation.primary_key == (column.name,):
        yield "primary"
    if column.nullable:
        yield "nullable"


def _is_view(relation: Table | View) -> bool:
    return isinstance(relation, View)
