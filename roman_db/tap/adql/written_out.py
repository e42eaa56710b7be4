"""How long a SELECT becomes where PostgreSQL writes what a subquery computes in the place of its columns.

It does so for each use of a column, before it plans: sums of sums in thirty subqueries within one another
would come to a thousand million terms. A subquery that ends in ``OFFSET 0`` is planned for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from roman_db.tap.adql.error import error_at
from roman_db.tap.adql.scope import Named, Output, Source

#: Characters of a column that is written out, from which its subquery is planned for itself.
LONGEST = 50_000
#: Most characters of a SELECT in which all is written out: 2 million take PostgreSQL some 300 MB.
MOST = 2_000_000


def weighed(
    node: exp.Expression, sources: Iterable[Source], output: Output, others: Sequence[str]
) -> tuple[Output, bool]:
    """Give columns of a SELECT their length, and say whether it is to be planned for itself.

    Parameters
    ----------
    node
        The SELECT.
    sources
        What stands in its FROM.
    output
        Its columns.
    others
        SQL of its conditions, groups and order.

    Raises
    ------
    AdqlError
        If it becomes too long.
    """
    computed = [
        (column.value.sql, column.value.weight)
        for source in sources
        for column in source.columns
        if column.value.weight
    ]

    def length(sql: str) -> int:
        """Characters of SQL in which all is written out."""
        return len(sql) + sum(sql.count(name) * weight for name, weight in computed)

    if sum(map(length, others)) + sum(length(one.value.sql) for one in output.columns) > MOST:
        raise error_at(
            node,
            f"with what subqueries compute in the place of their columns this comes to more than {MOST:,} "
            "characters: use such columns less often",
        )
    weights = [0 if one.value.origin else length(one.value.sql) for one in output.columns]
    if any(weight > LONGEST for weight in weights):
        return _with(output, [0] * len(weights)), True
    return _with(output, weights), False


def _with(output: Output, weights: Sequence[int]) -> Output:
    columns = (
        Named(one.name, replace(one.value, weight=weight))
        for one, weight in zip(output.columns, weights, strict=True)
    )
    return replace(output, columns=tuple(columns))
