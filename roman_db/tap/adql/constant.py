"""Constant texts that must be times or numbers, checked before the database would."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlglot import exp

from roman_db.tap.adql.error import error_at, shortened
from roman_db.tap.adql.value import Value
from roman_db.tap.adql.value_type import TIMESTAMP, Family

#: Smallest and largest value of a whole number of some types.
_LIMITS = {"SMALLINT": 2**15, "INTEGER": 2**31, "BIGINT": 2**63}


def check_time(node: exp.Expression, value: Value) -> None:
    """Refuse a constant text that is no time in the format of DALI (ISO 8601)."""
    if not isinstance(value.constant, str):
        return
    try:
        datetime.fromisoformat(value.constant)
    except ValueError:
        problem = f"'{shortened(value.constant)}' is no time: write '2027-02-01T12:00:00'"
        raise error_at(node, problem) from None


def as_time(node: exp.Expression, value: Value) -> Value:
    """Return a constant text that is compared with a timestamp as one; any other value as it is."""
    if value.type.family is not Family.TEXT or not isinstance(value.constant, str):
        return value
    check_time(node, value)
    return replace(value, sql=f"CAST({value.sql} AS timestamp with time zone)", type=TIMESTAMP)


def check_number(node: exp.Expression, value: Value, name: str) -> None:
    """Refuse a constant that is no number of a type, given the name that CAST has for it."""
    if value.constant is None:
        return
    limit = _LIMITS.get(name)
    try:
        number = float(value.constant)
        if isinstance(value.constant, str) and limit is not None:
            number = int(value.constant)
    except ValueError:
        raise error_at(node, f"'{shortened(str(value.constant))}' is no {name}") from None
    largest = limit or (3.4e38 if name == "REAL" else float("inf"))
    if abs(number) >= largest and number == number and abs(number) != float("inf"):
        raise error_at(node, f"{shortened(str(value.constant))} is too large for {name}")


def checked_numbers(node: exp.Expression, value: Value, name: str) -> None:
    """Refuse a constant text that is not numbers with spaces between them."""
    if not isinstance(value.constant, str):
        return
    try:
        [float(part) for part in value.constant.split()]
    except ValueError:
        raise error_at(
            node, f"'{shortened(value.constant)}' is no {name}: write numbers, with spaces"
        ) from None
