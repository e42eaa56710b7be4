"""The select list: ``*`` written out, and what values without an alias are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlglot import exp

from roman_db.tap.adql.error import error_at, unknown
from roman_db.tap.adql.expression import value_of
from roman_db.tap.adql.scope import (
    MAX_NAME,
    Named,
    Scope,
    Source,
    checked_name,
    find_column,
    qualified_sources,
)

#: Most columns of a result, as PostgreSQL has them.
MAX_COLUMNS = 1600


def selected(node: exp.Select, scope: Scope) -> list[Named]:
    """Columns of a SELECT, in their order.

    Raises
    ------
    AdqlError
        If there are more than PostgreSQL has, or one is unknown.
    """
    columns = [one for number, item in enumerate(node.expressions, 1) for one in _item(item, number, scope)]
    if len(columns) > MAX_COLUMNS:
        raise error_at(node, f"a result has at most {MAX_COLUMNS} columns, got {len(columns)}")
    return columns


def _item(item: exp.Expression, number: int, scope: Scope) -> Iterator[Named]:
    """One item of the list: a value, or all columns."""
    if isinstance(item, exp.Star):
        yield from _all(scope.visible, item, scope)
    elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
        yield from _all(_source(item, scope).columns, item, scope)
    elif isinstance(item, exp.Alias):
        yield Named(checked_name(item.args["alias"]), value_of(item.this, scope))
    else:
        yield Named(_name(item, number, scope), value_of(item, scope))


def _all(columns: Sequence[Named], place: exp.Expression, scope: Scope) -> Iterator[Named]:
    """All columns, as if each had been written where the star stands."""
    meta = place.meta
    for one in columns:
        uses = frozenset(replace(use, line=meta["line"], place=meta["col"]) for use in one.value.uses)
        grouped = one.value.sql in scope.keys
        yield Named(one.name, replace(one.value, uses=frozenset() if grouped else uses))


def _source(item: exp.Column, scope: Scope) -> Source:
    """Table before ``.*``."""
    found = qualified_sources(scope, item)
    if len(found) == 1:
        return found[0]
    name = item.args["table"].this
    if found:
        raise error_at(item, f"{name} is more than one table in FROM: give them aliases")
    raise unknown(item.args["table"], "table or alias", name, [source.alias for source in scope.sources])


def _name(item: exp.Expression, number: int, scope: Scope) -> str:
    """Name of a value without an alias: that of the column or function, else its number."""
    if isinstance(item, exp.Column):
        return find_column(scope, item).name
    if isinstance(item, exp.Anonymous):
        return str(item.this).lower()[:MAX_NAME]
    return f"col{number}"
