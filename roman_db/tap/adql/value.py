"""Values as they are translated: SQL with type, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from roman_db.tap.adql.value_type import DOUBLE, TEXT, Family, Type, text_of


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One use of a column outside of aggregates.

    Parameters
    ----------
    scope
        Number of the SELECT whose table has the column.
    table, column
        The table's alias, and the column's name.
    line, place
        Where it stands in the text.
    """

    scope: int
    table: str
    column: str
    line: int = field(default=0, compare=False)
    place: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Column of a stored table that a value is, as it stands.

    Parameters
    ----------
    table, column
        Names in the catalog.
    row
        Which row it is of: values of one row have the same. Numbers of SELECTs and aliases, from the inside
        out.
    partner
        Column with which it is indexed by q3c, and whether it is the longitude of the pair.
    """

    table: str
    column: str
    row: tuple[int | str, ...]
    partner: str | None = None
    is_longitude: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """Outline in words, which is asked by the coverage map of what it encloses: SQL of that column."""

    coverage: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value or condition in SQL.

    Parameters
    ----------
    sql
        SQL that can stand anywhere: an atom, or in parentheses.
    type
        Its type; BOOLEAN for a condition.
    unit, ucd, description
        What is known of it.
    constant
        The number or text, where it is a literal or computed of such.
    uses
        Columns that it needs, outside of aggregates.
    aggregate
        Whether an aggregate of this SELECT is in it.
    origin
        Where it is a stored column as it stands.
    detail
        What a geometry is made of, or what a geometric function asks (`geometry`).
    volatile
        Whether it is another each time: RAND.
    subquery
        Whether a subquery is in it.
    weight
        Characters of what a subquery computes, where it is a column of that (`written_out`).
    """

    sql: str
    type: Type
    unit: str | None = None
    ucd: str | None = None
    description: str | None = None
    constant: float | int | str | None = None
    uses: frozenset[ColumnUse] = frozenset()
    aggregate: bool = False
    origin: Origin | None = None
    detail: Any = None
    volatile: bool = False
    subquery: bool = False
    weight: int = 0

    @property
    def number(self) -> float | None:
        """The number that it is, if it is a constant one."""
        return None if isinstance(self.constant, str) or self.constant is None else float(self.constant)


def derived(sql: str, type_: Type, *parts: Value, **known: Any) -> Value:
    """Value that is computed of others, and needs what they need; of any characters if one of them is."""
    if type_ == TEXT:
        type_ = text_of(part.type for part in parts)
    uses = frozenset().union(*(part.uses for part in parts)) if parts else frozenset()
    return Value(
        sql,
        type_,
        uses=uses,
        aggregate=any(part.aggregate for part in parts),
        volatile=any(part.volatile for part in parts),
        subquery=any(part.subquery for part in parts),
        **known,
    )


def with_uses(value: Value, *parts: Value) -> Value:
    """Return a value as one that needs what others need as well."""
    other = derived("", value.type, value, *parts)
    return replace(
        value, uses=other.uses, aggregate=other.aggregate, volatile=other.volatile, subquery=other.subquery
    )


def as_number(value: Value) -> Value:
    """Return NULL as a number, which it must be for operators of PostgreSQL; any other value as it is."""
    if value.type.family is not Family.NULL or value.sql != "NULL":
        return value
    return replace(value, sql="CAST(NULL AS double precision)", type=DOUBLE)


def quoted_text(text: str) -> str:
    """Return a text as a literal of SQL, whatever ``standard_conforming_strings`` is."""
    body = text.replace("'", "''")
    if "\\" in body:
        escaped = body.replace("\\", "\\\\")
        return f"E'{escaped}'"
    return f"'{body}'"


def quoted_name(name: str) -> str:
    """Return a name as SQL writes it, exact."""
    return '"' + name.replace('"', '""') + '"'


def number_sql(number: float | int) -> str:
    """Return a number as a literal of SQL, in parentheses where it is negative."""
    if isinstance(number, int) and -(2**63) < number < 2**63:
        return str(number) if number >= 0 else f"({number})"
    return f"'{float(number)!r}'::double precision"
