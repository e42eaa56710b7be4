"""Conditions: comparisons, IN, BETWEEN, LIKE, IS NULL, EXISTS, and how they are joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from roman_db.tap.adql.constant import as_time
from roman_db.tap.adql.error import error_at
from roman_db.tap.adql.expression import condition_of, translates, value_of
from roman_db.tap.adql.scope import Scope
from roman_db.tap.adql.sky_predicate import Condition, Separation, nearer_than
from roman_db.tap.adql.value import Value, derived, quoted_text, with_uses
from roman_db.tap.adql.value_type import BOOLEAN, INT, Family

_SIGN: dict[type[exp.Expression], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_TURNED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPARABLE = (Family.NUMBER, Family.TEXT, Family.TIME, Family.BOOLEAN, Family.NULL)


@translates(exp.And, exp.Or)
def _joined(node: exp.Expression, scope: Scope) -> Value:
    kind = exp.And if isinstance(node, exp.And) else exp.Or
    parts = [condition_of(one, scope) for one in flattened(node, kind)]
    word = " AND " if kind is exp.And else " OR "
    return derived(f"({word.join(part.sql for part in parts)})", BOOLEAN, *parts)


def flattened(node: exp.Expression, kind: type[exp.Expression]) -> Iterator[exp.Expression]:
    """Operands of AND or OR in their order, however many; without recursion on the left."""
    found = []
    while isinstance(node, kind):
        found.append(node.expression)
        node = node.this
    yield node
    yield from reversed(found)


@translates(exp.Not)
def _negated(node: exp.Expression, scope: Scope) -> Value:
    inner = condition_of(node.this, scope)
    return derived(f"(NOT {inner.sql})", BOOLEAN, inner)


@translates(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
def _comparison(node: exp.Expression, scope: Scope) -> Value:
    sign = _SIGN[type(node)]
    left = value_of(node.this, scope)
    if isinstance(node.expression, exp.Any | exp.All):
        return _quantified(node, left, sign, scope)
    right = value_of(node.expression, scope)
    for one, other, way in ((left, right, sign), (right, left, _TURNED[sign])):
        sql = _geometric(one, other, way)
        if sql is not None:
            return derived(sql, BOOLEAN, left, right)
    left, right = comparable(node, left, right)
    return derived(f"({left.sql} {sign} {right.sql})", BOOLEAN, left, right)


def _geometric(left: Value, right: Value, sign: str) -> str | None:
    """Condition of CONTAINS, INTERSECTS or DISTANCE that an index serves; None for any other comparison."""
    if isinstance(left.detail, Condition) and right.constant in (0, 1) and sign in ("=", "<>"):
        holds = (right.constant == 1) == (sign == "=")
        return left.detail.sql if holds else f"(NOT {left.detail.sql})"
    if isinstance(left.detail, Separation) and sign in ("<", "<=") and right.type.family is Family.NUMBER:
        return nearer_than(left.detail, right, sign == "<=")
    return None


def comparable(node: exp.Expression, left: Value, right: Value) -> tuple[Value, Value]:
    """Return two values as they can be compared.

    Raises
    ------
    AdqlError
        If their types have nothing to do with one another.
    """
    if left.type.family is Family.TIME:
        right = as_time(node, right)
    if right.type.family is Family.TIME:
        left = as_time(node, left)
    if {left.type.family, right.type.family} == {Family.BOOLEAN, Family.NUMBER}:
        left, right = _as_number(left), _as_number(right)
    families = {left.type.family, right.type.family} - {Family.NULL}
    if len(families) > 1 or any(one not in _COMPARABLE for one in families):
        raise error_at(node, f"{left.type.words} cannot be compared with {right.type.words}")
    return left, right


def _comparable_to_all(node: exp.Expression, value: Value, subquery: Value) -> Value:
    """Return a value that is compared with each row of a subquery, whose type cannot be changed."""
    compared, _ = comparable(node, value, subquery)
    if compared.type.family not in (subquery.type.family, Family.NULL):
        raise error_at(
            node, f"{value.type.words} cannot be compared with {subquery.type.words} of a subquery"
        )
    return compared


def _as_number(value: Value) -> Value:
    """Return a condition as 1 or 0."""
    return (
        replace(value, sql=f"CAST({value.sql} AS integer)", type=INT)
        if value.type.family is Family.BOOLEAN
        else value
    )


def _quantified(node: exp.Expression, left: Value, sign: str, scope: Scope) -> Value:
    """Comparison with ANY or ALL of a subquery."""
    word = "ANY" if isinstance(node.expression, exp.Any) else "ALL"
    subquery = value_of(node.expression.this, scope)
    left = _comparable_to_all(node, left, subquery)
    inner = subquery.sql
    return with_uses(
        replace(derived(f"({left.sql} {sign} {word} {inner})", BOOLEAN, left), subquery=True), subquery
    )


@translates(exp.Between)
def _between(node: exp.Expression, scope: Scope) -> Value:
    value, low, high = (value_of(node.args[part], scope) for part in ("this", "low", "high"))
    value_low, low = comparable(node, value, low)
    value_high, high = comparable(node, value, high)
    if value_low.sql == value_high.sql:
        sql = f"({value_low.sql} BETWEEN {low.sql} AND {high.sql})"
    else:
        sql = f"({value_low.sql} >= {low.sql} AND {value_high.sql} <= {high.sql})"
    return derived(sql, BOOLEAN, value, low, high)


@translates(exp.Like, exp.ILike)
def _like(node: exp.Expression, scope: Scope) -> Value:
    """LIKE and ILIKE; a backslash is a character as any other."""
    value, pattern = value_of(node.this, scope), value_of(node.expression, scope)
    word = "LIKE" if isinstance(node, exp.Like) else "ILIKE"
    for one in (value, pattern):
        if one.type.family not in (Family.TEXT, Family.NULL):
            raise error_at(node, f"{word} needs text, got {one.type.words}", ("text",))
    if isinstance(pattern.constant, str):
        sql = quoted_text(pattern.constant.replace("\\", "\\\\"))
        return derived(f"({value.sql} {word} {sql})", BOOLEAN, value)
    return derived(f"({value.sql} {word} {pattern.sql} ESCAPE '')", BOOLEAN, value, pattern)


@translates(exp.Is)
def _is_null(node: exp.Expression, scope: Scope) -> Value:
    value = value_of(node.this, scope)
    return derived(f"({value.sql} IS NULL)", BOOLEAN, value)


@translates(exp.In)
def _in(node: exp.Expression, scope: Scope) -> Value:
    value = value_of(node.this, scope)
    query = node.args.get("query")
    if query is not None:
        return _in_query(node, value, value_of(query, scope), scope)
    items, sqls = [], []
    target = value
    for item in node.expressions:
        compared, one = comparable(item, value, value_of(item, scope))
        if compared.sql != value.sql:
            target = compared
        items.append(one)
        sqls.append(one.sql)
    if any(
        item.type.family is not items[0].type.family for item in items if item.type.family is not Family.NULL
    ):
        raise error_at(node, "the values of an IN list must be of one type")
    return derived(f"({target.sql} IN ({', '.join(sqls)}))", BOOLEAN, target, *items)


def _in_query(node: exp.Expression, value: Value, subquery: Value, scope: Scope) -> Value:
    """IN of a subquery; of an array for objects of light curves, so that only their partitions are read."""
    value = _comparable_to_all(node, value, subquery)
    origin = value.origin
    table = scope.around.tables.get(origin.table) if origin is not None else None
    if table is not None and origin is not None and table.object_partition == origin.column:
        sql = f"({value.sql} = ANY(ARRAY{subquery.sql}))"
    else:
        sql = f"({value.sql} IN {subquery.sql})"
    return with_uses(replace(derived(sql, BOOLEAN, value), subquery=True), subquery)
