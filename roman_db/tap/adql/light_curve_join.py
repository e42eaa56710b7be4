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
    if not _is_choosing(inner, others):
        return []
    return [sql for curve in curves if (sql := _list(curve, others, inner, conditions)) is not None]


def _is_about(condition: Value, aliases: set[str]) -> bool:
    """Whether a condition is about those tables alone, and is cheap to ask twice."""
    tables = {use.table for use in condition.uses}
    scopes = {use.scope for use in condition.uses}
    return (
        bool(tables)
        and tables <= aliases
        and len(scopes) == 1
        and not (condition.volatile or condition.subquery)
    )


def _is_choosing(conditions: Sequence[Value], others: Sequence[Source]) -> bool:
    if any(one.table is not None and one.table.schema.upper() == UPLOAD_SCHEMA for one in others):
        return True
    return any(word in one.sql for one in conditions for word in _CHOOSING)


def _list(
    curve: Source, others: Sequence[Source], inner: Sequence[Value], conditions: Sequence[Value]
) -> str | None:
    """Condition on one table of light curves; None where nothing says which objects it is joined to."""
    assert curve.table is not None
    key = f"{quoted_name(curve.alias)}.{quoted_name(str(curve.table.object_partition))}"
    for one in others:
        for column in one.columns:
            pair = {f"({key} = {column.value.sql})", f"({column.value.sql} = {key})"}
            if any(condition.sql in pair for condition in conditions):
                tables = ", ".join(map(_table_sql, others))
                where = f" WHERE {' AND '.join(c.sql for c in inner)}" if inner else ""
                return f"({key} = ANY(ARRAY(SELECT {column.value.sql} FROM {tables}{where})))"
    return None


def _table_sql(source: Source) -> str:
    assert source.table is not None
    table = source.table
    schema, name = table.stored_schema or table.schema, table.stored_name or table.name
    return f"{quoted_name(schema)}.{quoted_name(name)} AS {quoted_name(source.alias)}"
