"""Light curves of few objects: their identifiers are handed over as a list.

A join from few objects to light curves would be planned for all partitions of these; a condition
``object_id = ANY(ARRAY(SELECT ...))`` on the light curves, which the join implies, makes the planner look up
objects by index in those partitions that it needs, local or foreign. It is added where all joins are inner
ones and a position or a list of objects chooses the objects, so that they are few.
"""

from __future__ import annotations

from collections.abc import Sequence

from roman_db.tap.adql.catalog import UPLOAD_SCHEMA
from roman_db.tap.adql.from_clause import Joined
from roman_db.tap.adql.scope import Source
from roman_db.tap.adql.value import Value, quoted_name

#: What chooses few rows.
_CHOOSING = ("q3c_radial_query(", "q3c_poly_query(", "q3c_join(")


def object_list(joined: Joined, conjuncts: Sequence[Value]) -> list[str]:
    """Conditions to add to those of a SELECT; none where they would not help or not be implied."""
    curves = [
        one for one in joined.sources if one.table is not None and one.table.object_partition is not None
    ]
    others = [one for one in joined.sources if one not in curves]
    if not curves or not others or not joined.is_inner or any(one.table is None for one in others):
        return []
    conditions = [*conjuncts, *joined.conditions]
    aliases = {one.alias for one in others}
    inner = [one for one in conditions if _is_about(one, aliases)]
    written = {one.sql for one in conditions}
    return [sql for curve in curves if (sql := _list(curve, others, inner, written)) is not None]


def _is_about(condition: Value, aliases: set[str]) -> bool:
    """Whether a condition is about those tables alone, and is cheap to ask twice."""
    tables = _tables(condition)
    scopes = {use.scope for use in condition.uses}
    return (
        bool(tables)
        and tables <= aliases
        and len(scopes) == 1
        and not (condition.volatile or condition.subquery)
    )


def _list(curve: Source, others: Sequence[Source], inner: Sequence[Value], written: set[str]) -> str | None:
    """Condition on one table of light curves; None where nothing chooses the objects it is joined to."""
    assert curve.table is not None
    key = f"{quoted_name(curve.alias)}.{quoted_name(str(curve.table.object_partition))}"
    for one in others:
        for column in one.columns:
            identifier = column.value.sql
            if not written.isdisjoint((f"({key} = {identifier})", f"({identifier} = {key})")):
                part = _choosing_part(one.alias, identifier, others, inner)
                if part is not None:
                    return f"({key} = ANY(ARRAY(SELECT {identifier} {part})))"
    return None


def _choosing_part(
    owner: str, identifier: str, others: Sequence[Source], inner: Sequence[Value]
) -> str | None:
    """FROM and WHERE that choose few rows of the table that has the identifier; None where nothing does.

    Tables that are joined to it through light curves alone are no part of it, with which its rows would be
    multiplied. Of the others it has those that share the identifier, and further ones only where these do not
    choose.
    """
    of_identifier = [one for one in inner if identifier in _equated(one)]
    of_any = [one for one in inner if _equated(one) or _chooses(one)]
    for links in (of_identifier, of_any):
        linked = _linked(owner, links)
        tables = [one for one in others if one.alias in linked]
        conditions = [one for one in inner if _tables(one) <= linked]
        if any(map(_is_upload, tables)) or any(map(_chooses, conditions)):
            where = f" WHERE {' AND '.join(one.sql for one in conditions)}" if conditions else ""
            return f"FROM {', '.join(map(_table_sql, tables))}{where}"
    return None


def _linked(owner: str, links: Sequence[Value]) -> set[str]:
    """Aliases of a table and of those to which conditions join it, at one or more removes."""
    linked, before = {owner}, 0
    while len(linked) > before:
        before = len(linked)
        for one in links:
            if not linked.isdisjoint(_tables(one)):
                linked |= _tables(one)
    return linked


def _tables(condition: Value) -> set[str]:
    return {use.table for use in condition.uses}


def _equated(condition: Value) -> tuple[str, ...]:
    """SQL of the two columns that a condition says are equal; nothing for any other condition."""
    columns = tuple(f"{quoted_name(use.table)}.{quoted_name(use.column)}" for use in condition.uses)
    if len(columns) != 2:  # both sides
        return ()
    one, other = columns
    return columns if condition.sql in (f"({one} = {other})", f"({other} = {one})") else ()


def _chooses(condition: Value) -> bool:
    return any(word in condition.sql for word in _CHOOSING)


def _is_upload(source: Source) -> bool:
    return source.table is not None and source.table.schema.upper() == UPLOAD_SCHEMA


def _table_sql(source: Source) -> str:
    assert source.table is not None
    table = source.table
    schema, name = table.stored_schema or table.schema, table.stored_name or table.name
    return f"{quoted_name(schema)}.{quoted_name(name)} AS {quoted_name(source.alias)}"
