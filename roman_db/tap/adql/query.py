"""Queries of the tree: SELECT, set operations and WITH."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from roman_db.tap.adql.error import error_at
from roman_db.tap.adql.expression import condition_of, translates
from roman_db.tap.adql.from_clause import tables_of
from roman_db.tap.adql.grouping import check_grouped, group_keys
from roman_db.tap.adql.light_curve_join import object_list
from roman_db.tap.adql.ordering import order_sql, set_order_sql
from roman_db.tap.adql.predicate import flattened
from roman_db.tap.adql.scope import Named, Output, Scope, checked_name, distinct_names, given_type
from roman_db.tap.adql.selection import selected
from roman_db.tap.adql.value import Origin, Value, derived, quoted_name
from roman_db.tap.adql.value_type import BOOLEAN, Family, common
from roman_db.tap.adql.written_out import weighed


@dataclass(frozen=True, slots=True)
class QuerySql:
    """A translated query.

    Parameters
    ----------
    body
        SQL without LIMIT and OFFSET.
    output
        What it gives.
    limit, offset
        Of TOP and OFFSET; None where there is none.
    is_ordered
        Whether it has ORDER BY.
    uses
        Value that needs the columns of the queries around it.
    is_apart
        Whether it is to be planned for itself.
    """

    body: str
    output: Output
    limit: int | None
    offset: int | None
    is_ordered: bool
    uses: Value
    is_apart: bool = False

    @property
    def sql(self) -> str:
        """SQL of the whole query."""
        apart = " OFFSET 0" if self.is_apart and not self.offset else ""
        return self.body + limits_sql(self.limit, self.offset) + apart


def limits_sql(limit: int | None, offset: int | None) -> str:
    """LIMIT and OFFSET as SQL."""
    return (f" LIMIT {limit}" if limit is not None else "") + (f" OFFSET {offset}" if offset else "")


def query_of(node: exp.Expression, scope: Scope, is_outermost: bool = False) -> QuerySql:
    """Translate a query.

    Parameters
    ----------
    node
        SELECT, set operation, or either in parentheses.
    scope
        New scope, whose parent is that of the query around this one.
    is_outermost
        Whether its rows are the result, so that types which no format has are given as text.

    Raises
    ------
    AdqlError
        If it names what there is not, or makes no sense.
    """
    if isinstance(node, exp.Subquery):
        return query_of(node.this, scope, is_outermost)
    names = node.args.get("with_")
    definitions: list[str] = []
    if names is not None:
        scope, definitions = _named_queries(names.expressions, scope)
    inner = (
        _select(node, scope, is_outermost)
        if isinstance(node, exp.Select)
        else _set(node, scope, is_outermost)
    )
    if definitions:
        return replace(inner, body=f"WITH {', '.join(definitions)} {inner.body}")
    return inner


def _named_queries(nodes: Sequence[exp.CTE], scope: Scope) -> tuple[Scope, list[str]]:
    """Scope that knows the queries of WITH, and their SQL."""
    known: dict[str, Output] = dict(scope.queries)
    own: set[str] = set()
    definitions = []
    for node in nodes:
        name = checked_name(node.args["alias"])
        if any(name.lower() == other.lower() for other in own):
            raise error_at(node, f"WITH defines {name} twice")
        own.add(name)
        inner = query_of(node.this, Scope(scope.around, scope.parent, known))
        known = {other: output for other, output in known.items() if other.lower() != name.lower()}
        known[name] = inner.output
        definitions.append(f"{quoted_name(name)} AS ({inner.sql})")
    return replace(scope, queries=known), definitions


def _subquery(node: exp.Expression, scope: Scope) -> tuple[str, Output]:
    inner = query_of(node, scope)
    return inner.sql, inner.output


def _select(node: exp.Select, scope: Scope, is_outermost: bool) -> QuerySql:
    """SELECT."""
    joined = tables_of(node.args["from_"], scope, _subquery)
    scope = scope.seeing(joined.sources, joined.visible)
    conjuncts = _conjuncts(node.args.get("where"), scope)
    keys = group_keys(node, scope)
    grouped = replace(scope, keys=keys.sqls)
    output = distinct_names(selected(node, grouped))
    having = condition_of(node.args["having"], grouped) if node.args.get("having") is not None else None
    values = [one.value for one in output.columns]
    order, ordering = order_sql(node, output, grouped)
    check_grouped(node, keys, scope, [*values, *([having] if having else []), *ordering])
    conditions = [one.sql for one in conjuncts]
    for condition in object_list(joined, conjuncts):
        scope.around.count(node, condition)
        conditions.append(condition)
    others = [*conditions, *keys.written, order or "", *(one.sql for one in joined.conditions)]
    others += [having.sql] if having else []
    output, is_apart = weighed(node, scope.sources, output, others)
    parts = [
        f"SELECT {'DISTINCT ' if node.args.get('distinct') else ''}{_list(output, is_outermost)} FROM "
        f"{joined.sql}",
        f"WHERE {' AND '.join(conditions)}" if conditions else "",
        f"GROUP BY {', '.join(keys.written)}" if keys.written else "",
        f"HAVING {having.sql}" if having else "",
        f"ORDER BY {order}" if order else "",
    ]
    everything = derived(
        "", values[0].type, *values, *conjuncts, *joined.conditions, *([having] if having else [])
    )
    uses = frozenset(use for use in everything.uses if use.scope != scope.number)
    return QuerySql(
        " ".join(part for part in parts if part),
        output,
        node.args.get("limit"),
        node.args.get("offset"),
        bool(order),
        Value("", values[0].type, uses=uses, volatile=everything.volatile),
        is_apart and not is_outermost,
    )


def _conjuncts(node: exp.Expression | None, scope: Scope) -> list[Value]:
    """Conditions of WHERE that all must hold."""
    if node is None:
        return []
    where = scope.without_aggregates("in WHERE")
    return [condition_of(one, where) for one in flattened(node, exp.And)]


def _list(output: Output, is_outermost: bool) -> str:
    """Select list."""
    parts = []
    for one in output.columns:
        sql = one.value.sql
        if is_outermost and one.value.type.postgresql is not None:
            sql = f"CAST({sql} AS text)"
        parts.append(f"{sql} AS {quoted_name(one.name)}")
    return ", ".join(parts)


_SET_WORDS: Mapping[type[exp.Expression], str] = {
    exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT",
}  # fmt: skip


def _set(node: exp.Expression, scope: Scope, is_outermost: bool) -> QuerySql:
    """Set operation; a row of them is gone through without recursion on the left."""
    operations = []
    first: exp.Expression = node
    while isinstance(first, exp.SetOperation) and (first is node or not _is_limited(first)):
        operations.append(first)
        first = first.this
    left = query_of(first, _beside(scope), is_outermost)
    body, output, uses = f"({left.sql})", left.output, [left.uses]
    for operation in reversed(operations):
        right = query_of(operation.expression, _beside(scope), is_outermost)
        output = _together(operation, output, right.output)
        word = _SET_WORDS[type(operation)] + ("" if operation.args["distinct"] else " ALL")
        body = f"({body} {word} ({right.sql}))"
        uses.append(right.uses)
    order = set_order_sql(node, output)
    if body.startswith("(") and operations:
        body = body[1:-1]
    return QuerySql(
        body + (f" ORDER BY {order}" if order else ""),
        output,
        None,
        node.args.get("offset"),
        bool(order),
        derived("", left.uses.type, *uses),
    )


def _is_limited(node: exp.Expression) -> bool:
    return bool(node.args.get("order") or node.args.get("offset") or node.args.get("with_"))


def _beside(scope: Scope) -> Scope:
    """Scope of one operand."""
    return Scope(scope.around, scope.parent, scope.queries)


def _together(node: exp.Expression, left: Output, right: Output) -> Output:
    """Columns of a set operation: named after those on the left."""
    if len(left.columns) != len(right.columns):
        word = _SET_WORDS[type(node)]
        raise error_at(
            node,
            f"{word} needs as many columns on both sides, got {len(left.columns)} and {len(right.columns)}",
        )
    columns = []
    for number, (one, other) in enumerate(zip(left.columns, right.columns, strict=True), 1):
        type_ = common((one.value.type, other.value.type))
        if type_ is None:
            types = f"{one.value.type.words} and {other.value.type.words}"
            raise error_at(node, f"column {number} of {_SET_WORDS[type(node)]} is {types}")
        unit = one.value.unit if one.value.unit == other.value.unit else None
        value = Value("", type_, unit, one.value.ucd, one.value.description)
        origin, weight = _same_origin(one.value, other.value), one.value.weight + other.value.weight
        columns.append(Named(one.name, replace(value, origin=origin, weight=weight)))
    return Output(tuple(columns), left.repeated)


def _same_origin(one: Value, other: Value) -> Origin | None:
    """Stored column that both sides of a set operation are; no index finds its rows."""
    if one.origin is None or other.origin is None:
        return None
    if (one.origin.table, one.origin.column) != (other.origin.table, other.origin.column):
        return None
    return replace(one.origin, partner=None, is_longitude=False)


@translates(exp.Subquery)
def _scalar(node: exp.Expression, scope: Scope) -> Value:
    """Subquery whose one column is a value, or a list for IN."""
    inner = query_of(node.this, scope.inner())
    if len(inner.output.columns) != 1:
        raise error_at(node, f"a subquery that is a value has one column, got {len(inner.output.columns)}")
    column = inner.output.columns[0].value
    if column.type.family is Family.COVERAGE:
        raise error_at(node, "a coverage map cannot be the value of a subquery")
    known = replace(
        column, sql=f"({inner.sql})", type=given_type(column), uses=inner.uses.uses, aggregate=False
    )
    return replace(
        known, constant=None, origin=None, detail=None, volatile=inner.uses.volatile, subquery=True
    )


@translates(exp.Exists)
def _exists(node: exp.Expression, scope: Scope) -> Value:
    inner = query_of(node.this.this, scope.inner())
    value = derived(f"(EXISTS ({inner.sql}))", BOOLEAN, replace(inner.uses, subquery=True))
    return value
