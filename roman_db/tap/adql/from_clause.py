"""FROM: tables, derived tables and joins, and the columns that can be seen through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from roman_db.tap.adql.error import error_at, unknown_column
from roman_db.tap.adql.expression import condition_of
from roman_db.tap.adql.predicate import comparable
from roman_db.tap.adql.scope import (
    Named,
    Output,
    Scope,
    Source,
    find_table,
    matches,
    query_source,
    table_source,
)
from roman_db.tap.adql.value import Value, derived, quoted_name
from roman_db.tap.adql.value_type import common

#: Translates a subquery: its SQL, and what it gives.
QueryTranslator = Callable[[exp.Expression, Scope], tuple[str, Output]]


@dataclass(frozen=True, slots=True)
class Joined:
    """Part of FROM.

    Parameters
    ----------
    sql
        As SQL writes it.
    sources
        Tables in it.
    visible
        Columns that need no qualifier, in their order; those of USING once.
    conditions
        Conditions of its inner joins.
    is_inner
        Whether all joins in it are inner ones, so that each condition holds for every row.
    """

    sql: str
    sources: tuple[Source, ...]
    visible: tuple[Named, ...]
    conditions: tuple[Value, ...] = ()
    is_inner: bool = True


def tables_of(nodes: Sequence[exp.Expression], scope: Scope, translate: QueryTranslator) -> Joined:
    """Part after FROM: tables with commas between them."""
    parts = [_joined(node, scope, translate) for node in nodes]
    together = parts[0]
    for number, part in enumerate(parts[1:], 1):
        _refuse_same_alias(nodes[number], together, part)
        together = Joined(
            f"{together.sql} CROSS JOIN {part.sql}",
            together.sources + part.sources,
            together.visible + part.visible,
            together.conditions + part.conditions,
            together.is_inner and part.is_inner,
        )
    return together


def _joined(node: exp.Expression, scope: Scope, translate: QueryTranslator) -> Joined:
    """One item of FROM; a row of joins is gone through without recursion on the left."""
    joins = []
    while isinstance(node, exp.Join):
        joins.append(node)
        node = node.this
    left = _single(node, scope, translate)
    for join in reversed(joins):
        left = _with_join(join, left, _joined(join.expression, scope, translate), scope)
    return left


def _single(node: exp.Expression, scope: Scope, translate: QueryTranslator) -> Joined:
    """Table, named query or derived table."""
    if isinstance(node, exp.Subquery):
        sql, output = translate(node.this, Scope(scope.around, scope.parent, scope.queries))
        source = query_source(output, node.args["alias"], scope)
        return Joined(f"({sql}) AS {quoted_name(source.alias)}", (source,), source.columns)
    name, schema, alias = node.this, node.args.get("db"), node.args.get("alias")
    if schema is None:
        for query, output in scope.queries.items():
            if matches(name, query):
                source = query_source(output, alias or exp.Identifier(this=query, quoted=True), scope)
                return Joined(
                    f"{quoted_name(query)} AS {quoted_name(source.alias)}", (source,), source.columns
                )
    table = find_table(scope.around.catalog, name, schema)
    scope.around.tables[table.full_name] = table
    source = table_source(table, alias, scope)
    stored = (
        f"{quoted_name(table.stored_schema or table.schema)}.{quoted_name(table.stored_name or table.name)}"
    )
    return Joined(f"{stored} AS {quoted_name(source.alias)}", (source,), source.columns)


def _refuse_same_alias(node: exp.Expression, left: Joined, right: Joined) -> None:
    taken = {source.alias for source in left.sources}
    for source in right.sources:
        if source.alias in taken:
            raise error_at(
                node, f"two tables in FROM are called {source.alias}: give one an alias, as in table AS a"
            )


def _with_join(node: exp.Join, left: Joined, right: Joined, scope: Scope) -> Joined:
    """Join of two parts of FROM."""
    _refuse_same_alias(node, left, right)
    kind: str = node.args["kind"]
    sources = left.sources + right.sources
    is_inner = left.is_inner and right.is_inner and kind in ("INNER", "CROSS")
    before = left.conditions + right.conditions
    names = _shared_names(node, left, right)
    if node.args.get("on") is not None:
        seen = scope.seeing(sources, left.visible + right.visible).without_aggregates("in ON")
        condition = condition_of(node.args["on"], seen)
        sql = f"({left.sql} {_WORDS[kind]} {right.sql} ON {condition.sql})"
        return Joined(sql, sources, left.visible + right.visible, (*before, condition), is_inner)
    if not names:
        word = _WORDS[kind] if kind in ("LEFT", "RIGHT", "FULL") else "CROSS JOIN"
        condition_sql = "" if word == "CROSS JOIN" else " ON true"
        return Joined(
            f"({left.sql} {word} {right.sql}{condition_sql})",
            sources,
            left.visible + right.visible,
            before,
            is_inner,
        )
    pairs = [_pair(node, name, left, right) for name in names]
    conditions = tuple(derived(f"({one.sql} = {other.sql})", one.type, one, other) for _, one, other in pairs)
    sql = f"({left.sql} {_WORDS[kind]} {right.sql} ON {' AND '.join(one.sql for one in conditions)})"
    merged = tuple(Named(name, _merged(kind, one, other)) for name, one, other in pairs)
    rest = [
        one for part in (left, right) for one in part.visible if not any(matches(name,
        one.name) for name in names)
    ]  # fmt: skip
    return Joined(sql, sources, (*merged, *rest), before + conditions, is_inner)


_WORDS = {
    "INNER": "JOIN",
    "CROSS": "CROSS JOIN",
    "LEFT": "LEFT JOIN",
    "RIGHT": "RIGHT JOIN",
    "FULL": "FULL JOIN",
}


def _shared_names(node: exp.Join, left: Joined, right: Joined) -> list[exp.Identifier]:
    """Names of USING, or those that both sides of a NATURAL join have."""
    if node.args.get("method") != "NATURAL":
        return node.args.get("using") or []
    other = {one.name.lower() for one in right.visible}
    shared = dict.fromkeys(one.name for one in left.visible if one.name.lower() in other)
    found = []
    for name in shared:
        identifier = exp.Identifier(this=name, quoted=False)
        identifier.update_positions(node)
        found.append(identifier)
    return found


def _pair(node: exp.Join, name: exp.Identifier, left: Joined, right: Joined) -> tuple[str, Value, Value]:
    """Columns of one name on both sides."""
    found = []
    for side, part in (("left", left), ("right", right)):
        named = [one for one in part.visible if matches(name, one.name)]
        if not named:
            raise unknown_column(
                name, f"column on the {side} of JOIN called", name.this, [one.name for one in part.visible]
            )
        if len(named) > 1:
            raise error_at(name, f"{name.this} is more than one column on the {side} of JOIN: use ON")
        found.append(named[0])
    one, other = comparable(node, found[0].value, found[1].value)
    return found[0].name, one, other


def _merged(kind: str, left: Value, right: Value) -> Value:
    """Column of USING: that of the side whose rows are all kept, or of either."""
    if kind == "RIGHT":
        return right
    if kind != "FULL":
        return left
    type_ = common((left.type, right.type)) or left.type
    merged = derived(f"coalesce({left.sql}, {right.sql})", type_, left, right)
    return replace(merged, unit=left.unit, ucd=left.ucd, description=left.description)
