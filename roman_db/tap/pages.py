"""Documents made of the templates beside this file; what is put in is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import jinja2

from roman_db.schema.model import Column, Table
from roman_db.schema.tap import references, votable_type
from roman_db.schema.view import View
from roman_db.tap.adql import delimited
from roman_db.templates import environment


@cache
def template(name: str) -> jinja2.Template:
    """Template of a name."""
    made = environment(Path(__file__).parent / "templates")
    made.filters["delimited"] = delimited
    made.globals |= {"votable_type": votable_type, "flags": _flags, "is_view": _is_view}
    made.globals |= {"references": references}
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
