"""Functions of ADQL 2.1: arithmetic, trigonometry, text, aggregates and units (sections 2.3, 4.3 to 4.8)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from roman_db.tap.adql import geometry, sky_predicate
from roman_db.tap.adql.call import Call
from roman_db.tap.adql.constant import check_time
from roman_db.tap.adql.error import error_at, unknown
from roman_db.tap.adql.units import UnitError, conversion_factor, parsed
from roman_db.tap.adql.user_functions import USER_FUNCTIONS
from roman_db.tap.adql.value import Value, as_number, derived, number_sql, quoted_text
from roman_db.tap.adql.value_type import DOUBLE, LONG, TEXT, TIMESTAMP, UNICODE, Family, Type, common

AGGREGATES = frozenset(("COUNT", "SUM", "AVG", "MIN", "MAX"))


@dataclass(frozen=True, slots=True)
class _Formula:
    """Function of numbers that gives a double.

    Parameters
    ----------
    sql
        SQL with a place for each argument.
    arguments
        How many there are.
    keeps_unit
        Whether the result has the unit and meaning of the first argument.
    unit
        Unit of the result otherwise.
    """

    sql: str
    arguments: int = 1
    keeps_unit: bool = False
    unit: str | None = None

    def __call__(self, call: Call) -> Value:
        """Translate a call."""
        given = call.exactly(self.arguments)
        for number in range(self.arguments):
            call.need(number, Family.NUMBER)
        sql = self.sql.format(
            *(f"CAST({one.sql} AS double precision)" if one.type.is_integer else one.sql for one in given)
        )
        unit, ucd = (given[0].unit, given[0].ucd) if self.keeps_unit else (self.unit, None)
        return derived(sql, DOUBLE, *given, unit=unit, ucd=ucd)


def _absolute(call: Call) -> Value:
    (given,) = call.exactly(1)
    call.need(0, Family.NUMBER)
    return derived(f"abs({given.sql})", Type(_number_type(given)), given, unit=given.unit, ucd=given.ucd)


def _number_type(value: Value) -> str:
    return "double" if value.type.family is Family.NULL else value.type.datatype


def _remainder(call: Call) -> Value:
    left, right = call.exactly(2)
    call.need(0, Family.NUMBER)
    call.need(1, Family.NUMBER)
    if left.type.is_integer and right.type.is_integer:
        type_ = common((left.type, right.type)) or LONG
        return derived(f"mod({left.sql}, nullif({right.sql}, 0))", type_, left, right, unit=left.unit)
    return derived(f"adql.mod({left.sql}, {right.sql})", DOUBLE, left, right, unit=left.unit)


def _rounded(call: Call) -> Value:
    """ROUND and TRUNCATE, with or without a number of decimals."""
    given = call.exactly(1, 2)
    call.need(0, Family.NUMBER)
    name = "round" if call.name == "ROUND" else "truncate"
    places = "0"
    if len(given) == 2:
        if not isinstance(given[1].constant, int):
            raise error_at(
                call.node,
                f"the number of decimals of {call.name} must be a whole number",
                ("a whole number",),
            )
        places = str(max(-1000, min(1000, given[1].constant)))
    sql = f"adql.{name}({given[0].sql}, {places})"
    return derived(sql, DOUBLE, given[0], unit=given[0].unit, ucd=given[0].ucd)


def _pi(call: Call) -> Value:
    call.exactly(0)
    return derived("pi()", DOUBLE, constant=math.pi)


def _random(call: Call) -> Value:
    if call.exactly(0, 1):
        call.scope.around.warn("the seed of RAND is not used: numbers are others each time")
    return replace(derived("random()", DOUBLE), volatile=True)


def _case_folded(call: Call) -> Value:
    (given,) = call.exactly(1)
    call.need(0, Family.TEXT)
    return derived(f"{call.name.lower()}({given.sql})", TEXT, given, ucd=given.ucd)


def _coalesce(call: Call) -> Value:
    if not call.arguments:
        raise error_at(call.node, "COALESCE needs at least one argument")
    type_ = common(one.type for one in call.arguments)
    if type_ is None:
        words = sorted({one.type.words for one in call.arguments})
        raise error_at(call.node, f"the arguments of COALESCE have no common type: {', '.join(words)}")
    first = call.arguments[0]
    sql = f"coalesce({', '.join(one.sql for one in call.arguments)})"
    return derived(sql, type_, *call.arguments, unit=first.unit, ucd=first.ucd, description=first.description)


#: What PostgreSQL calls types of whole numbers.
_WHOLE = {"short": "smallint", "int": "integer", "long": "bigint"}


def _nullif(call: Call) -> Value:
    left, right = call.exactly(2)
    if common((left.type, right.type)) is None:
        raise error_at(call.node, f"NULLIF compares {left.type.words} and {right.type.words}")
    sql = f"nullif({left.sql}, {right.sql})"
    if left.type.is_integer and not right.type.is_integer:
        # PostgreSQL gives what it has compared, which as double precision is no longer every identifier.
        sql = f"nullif(CAST({left.sql} AS numeric), CAST({right.sql} AS numeric))"
        sql = f"CAST({sql} AS {_WHOLE[left.type.datatype]})"
    return derived(sql, left.type, left, right, unit=left.unit, ucd=left.ucd)


def _in_unit(call: Call) -> Value:
    value, target = call.exactly(2)
    call.need(0, Family.NUMBER)
    if not isinstance(target.constant, str):
        raise error_at(call.node, "the unit of IN_UNIT must be a text in quotes, such as 'mJy'")
    if value.unit is None:
        raise error_at(
            call.node,
            "IN_UNIT needs a value whose unit is known: a column with a unit, or such times a number",
        )
    try:
        factor = conversion_factor(value.unit, target.constant)
        unit = parsed(target.constant).to_string("vounit")
    except (UnitError, ValueError) as error:
        raise error_at(call.node, f"IN_UNIT: {error}") from error
    sql = f"({value.sql} * {number_sql(factor)})"
    return derived(sql, DOUBLE, value, unit=unit, ucd=value.ucd, description=value.description)


def _timestamp(call: Call) -> Value:
    (given,) = call.exactly(1)
    call.need(0, Family.TEXT)
    check_time(call.node, given)
    return derived(f"CAST({given.sql} AS timestamp with time zone)", TIMESTAMP, given)


def _aggregate(call: Call) -> Value:
    """COUNT, SUM, AVG, MIN or MAX of a value."""
    (given,) = call.exactly(1)
    sql, type_ = _AGGREGATE_SQL[call.name](call, given)
    ucd = (
        {"COUNT": "meta.number", "SUM": None}.get(call.name)
        if call.name in ("COUNT", "SUM")
        else _statistic(call, given)
    )
    unit = None if call.name == "COUNT" else given.unit
    return Value(
        sql, type_, unit=unit, ucd=ucd, aggregate=True, volatile=given.volatile, subquery=given.subquery
    )


def _statistic(call: Call, given: Value) -> str | None:
    """UCD of a statistic of a value."""
    if given.ucd is None:
        return None
    words = [word for word in given.ucd.split(";") if word != "meta.main"]
    primary = {"AVG": "stat.mean", "MIN": "stat.min", "MAX": "stat.max"}[call.name]
    return ";".join([primary, *(word for word in words if word != primary)])


def _count(call: Call, given: Value) -> tuple[str, Type]:
    return "count({})", LONG


def _total(call: Call, given: Value) -> tuple[str, Type]:
    call.need(0, Family.NUMBER)
    if given.type.is_integer:
        return "CAST(sum({}) AS bigint)", LONG
    return "sum(CAST({} AS double precision))", DOUBLE


def _mean(call: Call, given: Value) -> tuple[str, Type]:
    call.need(0, Family.NUMBER)
    return "avg(CAST({} AS double precision))", DOUBLE


def _extreme(call: Call, given: Value) -> tuple[str, Type]:
    call.need(0, Family.NUMBER, Family.TEXT, Family.TIME)
    return call.name.lower() + "({})", given.type if given.type.family is not Family.NULL else DOUBLE


_AGGREGATE_SQL: dict[str, Callable[[Call, Value], tuple[str, Type]]] = {
    "COUNT": _count, "SUM": _total, "AVG": _mean, "MIN": _extreme, "MAX": _extreme,
}  # fmt: skip


def aggregate(call: Call, quantifier: str) -> Value:
    """Aggregate of a value; ``quantifier`` is empty or ``DISTINCT``."""
    call = replace(call, arguments=[as_number(one) for one in call.arguments])
    value = _aggregate(call)
    inner = f"DISTINCT {call.arguments[0].sql}" if quantifier == "DISTINCT" else call.arguments[0].sql
    if quantifier == "DISTINCT" and "CAST({}" in value.sql:
        inner = f"DISTINCT CAST({call.arguments[0].sql} AS double precision)"
        return replace(value, sql=value.sql.replace("CAST({} AS double precision)", inner))
    return replace(value, sql=value.sql.format(inner))


FUNCTIONS: dict[str, Callable[[Call], Value]] = {
    "ABS": _absolute,
    "CEILING": _Formula("ceil({})", keeps_unit=True),
    "FLOOR": _Formula("floor({})", keeps_unit=True),
    "DEGREES": _Formula("degrees({})", unit="deg"),
    "RADIANS": _Formula("radians({})", unit="rad"),
    "EXP": _Formula("adql.exp({})"),
    "LOG": _Formula("adql.ln({})"),
    "LOG10": _Formula("adql.log10({})"),
    "SQRT": _Formula("adql.sqrt({})"),
    "POWER": _Formula("adql.power({}, {})", 2),
    "ACOS": _Formula("adql.acos({})", unit="rad"),
    "ASIN": _Formula("adql.asin({})", unit="rad"),
    "ATAN": _Formula("atan({})", unit="rad"),
    "ATAN2": _Formula("atan2({}, {})", 2, unit="rad"),
    "COS": _Formula("cos({})"),
    "SIN": _Formula("sin({})"),
    "TAN": _Formula("tan({})"),
    "COT": _Formula("cot({})"),
    "MOD": _remainder,
    "PI": _pi,
    "RAND": _random,
    "ROUND": _rounded,
    "TRUNCATE": _rounded,
    "LOWER": _case_folded,
    "UPPER": _case_folded,
    "COALESCE": _coalesce,
    "NULLIF": _nullif,
    "IN_UNIT": _in_unit,
    "TIMESTAMP": _timestamp,
    "POINT": geometry.point,
    "CIRCLE": geometry.circle,
    "POLYGON": geometry.polygon,
    "BOX": geometry.box,
    "REGION": geometry.region,
    "COORD1": geometry.coordinate,
    "COORD2": geometry.coordinate,
    "COORDSYS": geometry.coordinate_system,
    "AREA": geometry.area,
    "CENTROID": geometry.centroid,
    "CONTAINS": sky_predicate.contains,
    "INTERSECTS": sky_predicate.intersects,
    "DISTANCE": sky_predicate.distance,
}


#: Functions for which NULL is no number.
_OF_TEXT = ("LOWER", "UPPER", "COALESCE", "NULLIF", "TIMESTAMP")


def called(call: Call) -> Value:
    """Value of a function that is no aggregate.

    Raises
    ------
    AdqlError
        If there is no such function, or it does not take these arguments.
    """
    standard = FUNCTIONS.get(call.name)
    if standard is not None and call.name in _OF_TEXT:
        return standard(call)
    if standard is not None:
        return standard(replace(call, arguments=[as_number(one) for one in call.arguments]))
    own = USER_FUNCTIONS.get(call.name.lower())
    if own is None:
        known = [*FUNCTIONS, *AGGREGATES, *USER_FUNCTIONS]
        raise unknown(call.node, "function", call.node.name, known)
    return own.translate(call)


def text_literal(text: str) -> Value:
    """Value of a text in quotes."""
    return Value(quoted_text(text), TEXT if text.isascii() else UNICODE, constant=text)
