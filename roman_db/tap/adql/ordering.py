"""ORDER BY: positions, names of the result, and other values."""

from __future__ import annotations

from sqlglot import exp

from roman_db.tap.adql.error import error_at, unknown_column
from roman_db.tap.adql.expression import value_of
from roman_db.tap.adql.scope import Output, Scope, matches
from roman_db.tap.adql.value import Value


def order_sql(node: exp.Select, output: Output, scope: Scope) -> tuple[str, list[Value]]:
    """ORDER BY of a SELECT, and the values in it that are not of the select list.

    Raises
    ------
    AdqlError
        If a term is a constant, or with DISTINCT none of the result.
    """
    terms, values = [], []
    for ordered in _ordered(node):
        position = _position(ordered.this, output)
        if position is None:
            value = value_of(ordered.this, scope)
            same = [number for number, one in enumerate(output.columns, 1) if one.value.sql == value.sql]
            if not same and node.args.get("distinct"):
                raise error_at(ordered, "with DISTINCT, rows are ordered by columns of the result alone")
            if not same and not value.uses and not value.aggregate and not value.volatile:
                raise error_at(ordered, "a constant cannot stand in ORDER BY")
            values.append(value)
            terms.append(_directed(str(same[0]) if same else value.sql, ordered))
        else:
            terms.append(_directed(str(position), ordered))
    return ", ".join(terms), values


def set_order_sql(node: exp.Expression, output: Output) -> str:
    """ORDER BY of a set operation, which knows positions and names of the result alone.

    Raises
    ------
    AdqlError
        If a term is another value.
    """
    terms = []
    for ordered in _ordered(node):
        position = _position(ordered.this, output)
        if position is None:
            if isinstance(ordered.this, exp.Column) and ordered.this.args.get("table") is None:
                raise unknown_column(
                    ordered.this, "column in the result:", ordered.this.name, [o.name for o in output.columns]
                )
            raise error_at(
                ordered, "the rows of a set operation are ordered by names or positions of its columns"
            )
        terms.append(_directed(str(position), ordered))
    return ", ".join(terms)


def _ordered(node: exp.Expression) -> list[exp.Ordered]:
    order = node.args.get("order")
    return [] if order is None else list(order.expressions)


def _directed(sql: str, ordered: exp.Ordered) -> str:
    return f"{sql} DESC" if ordered.args.get("desc") else sql


def _position(term: exp.Expression, output: Output) -> int | None:
    """Position of the column that a term names or numbers; None for any other term."""
    if isinstance(term, exp.Literal) and not term.args["is_string"]:
        if term.this.isdecimal() and len(term.this) < 6 and 1 <= int(term.this) <= len(output.columns):
            return int(term.this)
        raise error_at(
            term, f"the result has {len(output.columns)} columns: {term.this[:20]} is none of them"
        )
    if not isinstance(term, exp.Column) or term.args.get("table") is not None:
        return None
    if any(matches(term.this, name) for name in output.repeated):
        return None
    found = [number for number, one in enumerate(output.columns, 1) if matches(term.this, one.name)]
    return found[0] if len(found) == 1 else None
