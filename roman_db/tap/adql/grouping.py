"""GROUP BY, and what may stand outside of aggregates where rows are taken together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from roman_db.tap.adql.error import AdqlError, error_at
from roman_db.tap.adql.expression import value_of
from roman_db.tap.adql.scope import Scope, matches
from roman_db.tap.adql.selection import selected
from roman_db.tap.adql.value import Value, quoted_name
from roman_db.tap.adql.value_type import Family
from roman_db.whole_number import whole_number


@dataclass(frozen=True, slots=True)
class Keys:
    """Terms of GROUP BY.

    Parameters
    ----------
    written
        As SQL writes them: values, or positions in the select list.
    sqls
        Their values.
    """

    written: tuple[str, ...] = ()
    sqls: frozenset[str] = frozenset()


def group_keys(node: exp.Select, scope: Scope) -> Keys:
    """Terms of GROUP BY: columns, other values, and aliases or positions of the select list.

    Raises
    ------
    AdqlError
        If a term is an aggregate or a constant, or there is no such column.
    """
    terms = node.args.get("group")
    if not terms:
        return Keys()
    plain = scope.without_aggregates("in GROUP BY")
    written, sqls = [], []
    for term in terms:
        place = position_of(term, node, scope)
        if place is None:
            value = value_of(term, plain)
            if not value.uses:
                raise error_at(term, "a constant cannot stand in GROUP BY")
            written.append(value.sql)
        else:
            value = _at(node, place, term, scope)
            written.append(str(place))
        if value.type.family is Family.OPAQUE:
            raise error_at(term, f"{value.type.words} cannot stand in GROUP BY")
        sqls.append(value.sql)
    return Keys(tuple(written), frozenset(sqls))


def position_of(term: exp.Expression, node: exp.Select, scope: Scope) -> int | None:
    """Position in the select list that a term is, or whose alias it is; None for any other term."""
    if isinstance(term, exp.Literal) and not term.args["is_string"]:
        place, n_column = whole_number(term.this), len(selected(node, scope))
        if place is None or not 1 <= place <= n_column:
            raise error_at(term, f"the select list has {n_column} columns: {term.this[:20]} is none of them")
        return place
    if not isinstance(term, exp.Column) or term.args.get("table") is not None:
        return None
    if any(matches(term.this, one.name) for one in scope.visible):
        return None
    if any(isinstance(item, exp.Star) or isinstance(item.this, exp.Star) for item in node.expressions):
        return None
    aliases = [
        number for number, item in enumerate(node.expressions, 1)
        if isinstance(item, exp.Alias) and matches(term.this, item.args["alias"].this)
    ]  # fmt: skip
    return aliases[0] if len(aliases) == 1 else None


def _at(node: exp.Select, place: int, term: exp.Expression, scope: Scope) -> Value:
    """Value in the select list that GROUP BY names."""
    value = selected(node, scope)[place - 1].value
    if value.aggregate:
        raise error_at(term, "an aggregate cannot stand in GROUP BY")
    return value


def check_grouped(node: exp.Select, keys: Keys, scope: Scope, values: Sequence[Value]) -> None:
    """Refuse columns that are neither grouped by nor in an aggregate.

    Raises
    ------
    AdqlError
        At the first of them.
    """
    is_grouped = (
        keys.written or node.args.get("having") is not None or any(value.aggregate for value in values)
    )
    if not is_grouped:
        return
    whole = {
        source.alias for source in scope.sources
        if source.table is not None and source.table.primary_key
        and all(_sql(source.alias, column) in keys.sqls for column in source.table.primary_key)
    }  # fmt: skip
    loose = [
        use for value in values for use in value.uses
        if use.scope == scope.number and use.table not in whole and _sql(use.table,
        use.column) not in keys.sqls
    ]  # fmt: skip
    if loose:
        first = min(loose, key=lambda use: (use.line, use.place))
        problem = f"{first.column} must stand in GROUP BY or in an aggregate such as MIN({first.column})"
        raise AdqlError(problem, first.line, first.place, first.column, ("GROUP BY", "an aggregate"))


def _sql(alias: str, column: str) -> str:
    return f"{quoted_name(alias)}.{quoted_name(column)}"
