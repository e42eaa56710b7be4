"""Values of the tree: names resolved, types checked, SQL made.

What kind of node has no entry in `TRANSLATORS` is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from sqlglot import exp

from roman_db.tap.adql.call import Call
from roman_db.tap.adql.constant import check_number, check_time, checked_numbers
from roman_db.tap.adql.error import error_at, shortened
from roman_db.tap.adql.functions import AGGREGATES, aggregate, called, text_literal
from roman_db.tap.adql.scope import Scope, find_column
from roman_db.tap.adql.units import sum_unit
from roman_db.tap.adql.user_functions import USER_FUNCTIONS
from roman_db.tap.adql.value import Value, as_number, derived, number_sql
from roman_db.tap.adql.value_type import (
    BOOLEAN,
    CAST_TYPES,
    CIRCLE,
    DOUBLE,
    INT,
    LONG,
    NULL,
    POINT,
    POLYGON,
    TEXT,
    Family,
    arithmetic,
    common,
)
from roman_db.whole_number import whole_number

Translator = Callable[[exp.Expression, Scope], Value]
#: What translates each kind of node; conditions and subqueries add themselves.
TRANSLATORS: dict[type[exp.Expression], Translator] = {}


def translates(*kinds: type[exp.Expression]) -> Callable[[Translator], Translator]:
    """Enter a function as what translates some kinds of nodes."""

    def enter(function: Translator) -> Translator:
        TRANSLATORS.update(dict.fromkeys(kinds, function))
        return function

    return enter


def value_of(node: exp.Expression, scope: Scope) -> Value:
    """Value of a node of the tree.

    Raises
    ------
    AdqlError
        If it is not allowed, or makes no sense where it stands.
    """
    translator = TRANSLATORS.get(type(node))
    if translator is None:
        raise error_at(node, f"{type(node).__name__} is no part of ADQL")
    value = translator(node, scope)
    scope.around.count(node, value.sql)
    if value.sql in scope.keys:
        return replace(value, uses=frozenset(use for use in value.uses if use.scope != scope.number))
    return value


@translates(exp.Literal)
def _literal(node: exp.Expression, scope: Scope) -> Value:
    if node.args["is_string"]:
        return text_literal(node.this)
    text: str = node.this
    if (number := whole_number(text)) is not None:
        return Value(str(number), INT if number < 2**31 else LONG, constant=number)
    if not math.isfinite(float(text)):
        raise error_at(node, f"the number {shortened(text)} is too large")
    return Value(number_sql(float(text)), DOUBLE, constant=float(text))


@translates(exp.Null)
def _null(node: exp.Expression, scope: Scope) -> Value:
    return Value("NULL", NULL)


@translates(exp.Boolean)
def _boolean(node: exp.Expression, scope: Scope) -> Value:
    return Value("true" if node.this else "false", BOOLEAN)


@translates(exp.Column)
def _column(node: exp.Expression, scope: Scope) -> Value:
    assert isinstance(node, exp.Column)
    return find_column(scope, node).value


@translates(exp.Add, exp.Sub, exp.Mul, exp.Div)
def _computed(node: exp.Expression, scope: Scope) -> Value:
    """Sums and products, from left to right."""
    operands = list(_row(node, (exp.Add, exp.Sub, exp.Mul, exp.Div)))
    left = value_of(operands[0][1], scope)
    for operation, operand in operands[1:]:
        left = _arithmetic(operation, left, value_of(operand, scope))
    return left


def _row(
    node: exp.Expression, kinds: tuple[type[exp.Expression], ...]
) -> Iterator[tuple[exp.Expression, exp.Expression]]:
    """Operands from left to right, each with the operation before it; without recursion on the left."""
    found = []
    while isinstance(node, kinds):
        found.append((node, node.expression))
        node = node.this
    yield node, node
    yield from reversed(found)


def _arithmetic(node: exp.Expression, left: Value, right: Value) -> Value:
    for side in (left, right):
        if side.type.family not in (Family.NUMBER, Family.NULL):
            raise error_at(node, f"{_SIGN[type(node)]} needs numbers, got {side.type.words}", ("a number",))
    left, right = as_number(left), as_number(right)
    type_ = arithmetic(left.type, right.type)
    sign = _SIGN[type(node)]
    divisor = right.sql if right.number else f"nullif({right.sql}, 0)"
    sql = f"({left.sql} {sign} {divisor if sign == '/' else right.sql})"
    constant = _constant(sign, left.constant, right.constant)
    numbers = (left.constant is not None, right.constant is not None)
    # A product is often a conversion by hand (degrees times 3600): its unit is not known.
    unit = sum_unit(left.unit, right.unit, any(numbers)) if sign in "+-" else None
    ucd = left.ucd if numbers[1] else right.ucd if numbers[0] else left.ucd if left.ucd == right.ucd else None
    return derived(sql, type_, left, right, unit=unit, ucd=ucd if unit else None, constant=constant)


_SIGN: dict[type[exp.Expression], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}


def _constant(
    sign: str, left: float | int | str | None, right: float | int | str | None
) -> float | int | None:
    """Result of an operation on two constant numbers, as PostgreSQL has it; None where it has none."""
    if (
        not isinstance(left, int | float)
        or not isinstance(right, int | float)
        or (sign == "/" and right == 0)
    ):
        return None
    whole = isinstance(left, int) and isinstance(right, int)
    if sign == "/":
        result = int(left / right) if whole and abs(left) < 2**31 else left / right
    else:
        result = {"+": left + right, "-": left - right, "*": left * right}[sign]
    return None if not math.isfinite(result) or (whole and abs(result) >= 2**31) else result


@translates(exp.Neg)
def _negative(node: exp.Expression, scope: Scope) -> Value:
    inner = as_number(value_of(node.this, scope))
    if inner.type.family is not Family.NUMBER:
        raise error_at(node, f"- needs a number, got {inner.type.words}", ("a number",))
    constant = -inner.constant if isinstance(inner.constant, int | float) else None
    sql = f"(- {inner.sql})" if constant is None else number_sql(constant)
    return derived(sql, inner.type, inner, unit=inner.unit, ucd=inner.ucd, constant=constant)


@translates(exp.BitwiseNot)
def _bits_turned(node: exp.Expression, scope: Scope) -> Value:
    inner = value_of(node.this, scope)
    if not inner.type.is_integer:
        raise error_at(node, f"~ needs a whole number, got {inner.type.words}", ("a whole number",))
    return derived(f"(~ {inner.sql})", inner.type, inner)


@translates(exp.DPipe, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor)
def _other_operation(node: exp.Expression, scope: Scope) -> Value:
    """Concatenation, and what is done with bits, from left to right."""
    operands = list(_row(node, (exp.DPipe, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor)))
    left = value_of(operands[0][1], scope)
    for operation, operand in operands[1:]:
        right = value_of(operand, scope)
        sign, result = ("||", TEXT) if isinstance(operation, exp.DPipe) else (_BITS[type(operation)], None)
        for side in (left, right):
            is_text = side.type.family in (Family.TEXT, Family.NULL)
            if not (is_text if result else side.type.is_integer):
                wanted = "text" if result else "whole numbers"
                raise error_at(
                    operation, f"{_WRITTEN[sign]} needs {wanted}, got {side.type.words}", (wanted,)
                )
        sql = f"({left.sql} {sign} {right.sql})"
        constant = None
        left = derived(sql, result or arithmetic(left.type, right.type), left, right, constant=constant)
    return left


_BITS: dict[type[exp.Expression], str] = {exp.BitwiseAnd: "&", exp.BitwiseOr: "|", exp.BitwiseXor: "#"}
_WRITTEN = {"&": "&", "|": "|", "#": "^", "||": "||"}


@translates(exp.Case)
def _case(node: exp.Expression, scope: Scope) -> Value:
    compared = value_of(node.this, scope) if node.this is not None else None
    if compared is not None and compared.type.family is Family.NULL:
        raise error_at(node, "CASE NULL equals nothing: write CASE WHEN value IS NULL THEN ...")
    parts: list[Value] = [] if compared is None else [compared]
    results, branches = [], []
    for branch in node.args["ifs"]:
        when = value_of(branch.this, scope) if compared is not None else condition_of(branch.this, scope)
        if compared is not None and common((compared.type, when.type)) is None:
            raise error_at(branch, f"CASE compares {compared.type.words} and {when.type.words}")
        then = value_of(branch.args["true"], scope)
        parts += [when, then]
        results.append(then)
        branches.append(f"WHEN {when.sql} THEN {then.sql}")
    if node.args.get("default") is not None:
        results.append(value_of(node.args["default"], scope))
        branches.append(f"ELSE {results[-1].sql}")
    type_ = common(one.type for one in results)
    if type_ is None:
        raise error_at(
            node, f"CASE gives different types: {', '.join(sorted({one.type.words for one in results}))}"
        )
    head = f"CASE {compared.sql}" if compared is not None else "CASE"
    units = {one.unit for one in results}
    unit = units.pop() if len(units) == 1 else None
    return derived(f"({head} {' '.join(branches)} END)", type_, *parts, *results, unit=unit)


@translates(exp.Cast)
def _cast(node: exp.Expression, scope: Scope) -> Value:
    inner = value_of(node.this, scope)
    name: str = node.args["to"].this
    if name in _GEOMETRY_TYPES:
        return _geometry_of_text(node, inner, name)
    type_, sql = CAST_TYPES[name]
    length = node.args["to"].expressions
    if length:
        if not 1 <= length[0] <= 10_000:
            raise error_at(node, f"the length of {name} must be 1 to 10000, got {length[0]}")
        sql = f"{sql}({length[0]})"
    allowed = _CASTS[type_.family]
    if inner.type.family not in (*allowed, Family.NULL):
        raise error_at(node, f"CAST cannot make {type_.words} of {inner.type.words}")
    if inner.type.family is Family.BOOLEAN and type_.family is Family.NUMBER:
        inner = replace(inner, sql=f"CAST({inner.sql} AS integer)")
    if type_.family is Family.TIME:
        check_time(node, inner)
    elif type_.family is Family.NUMBER:
        check_number(node, inner, name)
    keeps = type_.family is Family.NUMBER
    known = {"unit": inner.unit if keeps else None, "ucd": inner.ucd, "description": inner.description}
    return derived(f"CAST({inner.sql} AS {sql})", type_, inner, **known)


_GEOMETRY_TYPES = {"POINT": (POINT, 2, 2), "CIRCLE": (CIRCLE, 3, 3), "POLYGON": (POLYGON, 6, 10_000)}
_CASTS = {
    Family.NUMBER: (Family.NUMBER, Family.TEXT, Family.BOOLEAN),
    Family.TEXT: (Family.NUMBER, Family.TEXT, Family.TIME, Family.BOOLEAN),
    Family.TIME: (Family.TEXT, Family.TIME),
}


def _geometry_of_text(node: exp.Expression, inner: Value, name: str) -> Value:
    """CAST of a text of numbers as a geometry."""
    if inner.type.family is not Family.TEXT:
        raise error_at(
            node,
            f"CAST makes a {name} of a text of numbers alone, such as '10.5 -3.2', got {inner.type.words}",
        )
    type_, smallest, largest = _GEOMETRY_TYPES[name]
    checked_numbers(node, inner, name)
    return derived(f"adql.geometry_of_text({inner.sql}, {smallest}, {largest})", type_, inner, unit="deg")


@translates(exp.Anonymous)
def _function(node: exp.Expression, scope: Scope) -> Value:
    """Function or aggregate."""
    name: str = node.this.upper()
    own = USER_FUNCTIONS.get(name.lower())
    is_aggregate = name in AGGREGATES or (own is not None and own.is_aggregate)
    if not is_aggregate:
        for argument in node.expressions:
            if isinstance(argument, exp.Distinct):
                raise error_at(argument, f"{node.this} is no aggregate: DISTINCT and ALL cannot stand in it")
        return called(Call(name, node, [value_of(one, scope) for one in node.expressions], scope))
    if scope.no_aggregate:
        raise error_at(node, f"{node.this} is an aggregate, which cannot stand {scope.no_aggregate}")
    inner = scope.without_aggregates("in another aggregate")
    if name == "COUNT" and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Star):
        return Value("count(*)", LONG, ucd="meta.number", aggregate=True)
    quantifier, arguments = "", list(node.expressions)
    if arguments and isinstance(arguments[0], exp.Distinct):
        quantifier = "" if arguments[0].args.get("all") else "DISTINCT"
        arguments[0] = arguments[0].expressions[0]
    call = Call(name, node, [value_of(one, inner) for one in arguments], scope)
    if own is not None:
        if quantifier:
            raise error_at(node, f"{node.this} takes no DISTINCT")
        return called(call)
    value = aggregate(call, quantifier)
    uses = frozenset(use for one in call.arguments for use in one.uses)
    outer = frozenset(use for use in uses if use.scope != scope.number)
    if uses and uses == outer:
        raise error_at(node, f"{node.this} is of columns of an outer query alone, where it has to stand")
    return replace(value, uses=outer)


def condition_of(node: exp.Expression, scope: Scope) -> Value:
    """Return the value of a node that must be a condition.

    Raises
    ------
    AdqlError
        If it is none.
    """
    value = value_of(node, scope)
    if value.type.family is not Family.BOOLEAN:
        hint = ": write CONTAINS(...) = 1" if value.type.is_integer and value.detail is not None else ""
        raise error_at(node, f"expected a condition, found {value.type.words}{hint}", ("a condition",))
    return value
