"""Grammar of queries (ADQL 2.1, appendix A), one method a rule; ``parse`` reads a whole text."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from roman_db.tap.adql.error import error_at
from roman_db.tap.adql.expression_grammar import SET_WORDS, ExpressionGrammar
from roman_db.tap.adql.token_reader import MAX_CHAIN, chain_error, is_symbol, is_word, made

_SET: dict[str, type[exp.SetOperation]] = {
    "UNION": exp.Union, "EXCEPT": exp.Except, "INTERSECT": exp.Intersect,
}  # fmt: skip
_JOIN_WORDS = ("NATURAL", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "JOIN")


class QueryGrammar(ExpressionGrammar):
    """Reads queries."""

    def whole(self) -> exp.Expression:
        """One query, and nothing after it but a semicolon."""
        query = self.query()
        self.take_symbol(";")
        if self.current.token_type is not TokenType.END:
            self.fail(*self._after_query(query))
        return query

    @staticmethod
    def _after_query(query: exp.Expression) -> list[str]:
        """Return what could stand after a query, given what it has already."""
        words = []
        if isinstance(query, exp.Select) and not query.args.get("where"):
            words += ["JOIN", "WHERE"]
        if isinstance(query, exp.Select) and not query.args.get("group"):
            words += ["GROUP BY"]
        return [*words, "ORDER BY", *SET_WORDS, "the end of the query"]

    def query(self) -> exp.Expression:
        """WITH, SELECT or set operation, ORDER BY and OFFSET."""
        names = self._with_clause()
        result = self._set_expression(None)
        if names:
            result.set("with_", made(exp.With, self.current, expressions=names))
        return result

    def set_operation(self, first: exp.Expression) -> exp.Expression:
        """Set operation whose first operand, in parentheses, has been read."""
        return self._set_expression(first)

    def _set_expression(self, first: exp.Expression | None) -> exp.Expression:
        """SELECT or set operation with its ORDER BY and OFFSET."""
        result = self._set_row(self._set_term(first))
        if isinstance(result, exp.Subquery):
            if not self.at_word("ORDER", "OFFSET"):
                return result
            result = self._opened(result)
        if self.take_word("ORDER"):
            self.expect_word("BY")
            result.set("order", exp.Order(expressions=self._ordered()))
        if self.take_word("OFFSET"):
            result.set("offset", self.whole_number())
        return result

    def _opened(self, query: exp.Subquery) -> exp.Expression:
        """Query in parentheses after which ORDER BY or OFFSET stands."""
        inner: exp.Expression = query.this
        if any(inner.args.get(part) for part in ("order", "offset", "limit", "with_")):
            raise error_at(self.current, "ORDER BY and OFFSET of this query must stand in its parentheses")
        return inner

    def _set_row(self, left: exp.Expression) -> exp.Expression:
        """UNION and EXCEPT, from left to right."""
        for _ in range(MAX_CHAIN // 10):
            token = self.take_word("UNION", "EXCEPT")
            if token is None:
                return left
            keep_all = self.take_word("ALL") is not None
            right = self._set_term(None)
            left = made(_SET[token.text.upper()], token, this=left, expression=right, distinct=not keep_all)
        raise chain_error(self.current)

    def _set_term(self, first: exp.Expression | None) -> exp.Expression:
        """INTERSECT, which binds more tightly."""
        left = self._set_primary() if first is None else first
        for _ in range(MAX_CHAIN // 10):
            token = self.take_word("INTERSECT")
            if token is None:
                return left
            keep_all = self.take_word("ALL") is not None
            right = self._set_primary()
            left = made(exp.Intersect, token, this=left, expression=right, distinct=not keep_all)
        raise chain_error(self.current)

    def _set_primary(self) -> exp.Expression:
        """SELECT, or a query in parentheses."""
        opening = self.take_symbol("(")
        if opening is None:
            return self._select()
        with self.deeper():
            inner = self.query()
        self.expect_symbol(")")
        return made(exp.Subquery, opening, this=inner)

    def _with_clause(self) -> list[exp.CTE]:
        """Named queries before the query."""
        if not self.take_word("WITH"):
            return []
        names = [self._named_query()]
        while self.take_symbol(","):
            names.append(self._named_query())
        return names

    def _named_query(self) -> exp.CTE:
        place = self.current
        name = self.identifier()
        self.expect_word("AS")
        self.expect_symbol("(")
        with self.deeper():
            query = self.query()
        self.expect_symbol(")")
        return made(exp.CTE, place, this=query, alias=name)

    def _select(self) -> exp.Select:
        """SELECT up to HAVING."""
        token = self.current
        if not self.at_word("SELECT"):
            self.fail("SELECT", *(["WITH"] if self._is_first() else []), "(")
        self.advance()
        parts: dict[str, object] = {"distinct": self.take_word("DISTINCT") is not None}
        if not parts["distinct"]:
            self.take_word("ALL")
        if self.take_word("TOP"):
            parts["limit"] = self.whole_number()
        parts["expressions"] = self._select_list()
        if not self.take_word("FROM"):
            self.fail("FROM", ",")
        parts["from_"] = self._table_list()
        if self.take_word("WHERE"):
            parts["where"] = self.expression()
        if self.take_word("GROUP"):
            self.expect_word("BY")
            parts["group"] = self._expressions()
        if self.take_word("HAVING"):
            parts["having"] = self.expression()
        return made(exp.Select, token, **parts)

    def _is_first(self) -> bool:
        return self._index == 0

    def _select_list(self) -> list[exp.Expression]:
        items = [self._selected()]
        while self.take_symbol(","):
            items.append(self._selected())
        return items

    def _selected(self) -> exp.Expression:
        """``*``, ``table.*``, or a value with its alias."""
        if self.at_symbol("*"):
            return made(exp.Star, self.advance())
        if (star := self._all_of_table()) is not None:
            return star
        place = self.current
        value = self.expression()
        if self.take_word("AS") or self.at_identifier():
            return made(exp.Alias, place, this=value, alias=self.identifier())
        return value

    def _all_of_table(self) -> exp.Column | None:
        """``table.*`` or ``schema.table.*``, where it stands here."""
        for n_names in (1, 2):
            if is_symbol(self.ahead(2 * n_names), "*") and all(
                is_symbol(self.ahead(2 * i + 1), ".") for i in range(n_names)
            ):
                place = self.current
                parts = []
                for _ in range(n_names):
                    parts.append(self.identifier())
                    self.expect_symbol(".")
                names = dict(zip(("table", "db"), reversed(parts), strict=False))
                return made(exp.Column, place, this=made(exp.Star, self.advance()), **names)
        return None

    def _expressions(self) -> list[exp.Expression]:
        items = [self.expression()]
        while self.take_symbol(","):
            items.append(self.expression())
        return items

    def _ordered(self) -> list[exp.Ordered]:
        """Terms of ORDER BY."""
        terms = []
        while True:
            place = self.current
            value = self.expression()
            direction = self.take_word("ASC", "DESC")
            descending = direction is not None and is_word(direction, "DESC")
            terms.append(made(exp.Ordered, place, this=value, desc=descending))
            if not self.take_symbol(","):
                return terms

    def _table_list(self) -> list[exp.Expression]:
        """Tables after FROM, with commas between them."""
        tables = [self._joined_table()]
        while self.take_symbol(","):
            tables.append(self._joined_table())
        if len(tables) > MAX_CHAIN // 10:
            raise chain_error(self.current)
        return tables

    def _joined_table(self) -> exp.Expression:
        """Table with all that is joined to it, from left to right; a join is a node with both its sides."""
        left = self._table()
        for _ in range(MAX_CHAIN // 10):
            if not self.at_word(*_JOIN_WORDS):
                return left
            left = self._join(left)
        raise chain_error(self.current)

    def _join(self, left: exp.Expression) -> exp.Join:
        """JOIN with its condition."""
        place = self.current
        cross = self.take_word("CROSS")
        natural = None if cross else self.take_word("NATURAL")
        side = None if cross else self.take_word("INNER", "LEFT", "RIGHT", "FULL")
        if side is not None and not is_word(side, "INNER"):
            self.take_word("OUTER")
        self.expect_word("JOIN")
        kind = "CROSS" if cross else side.text.upper() if side else "INNER"
        parts: dict[str, object] = {"this": left, "expression": self._table(), "kind": kind}
        parts["method"] = "NATURAL" if natural else None
        if not cross and not natural:
            self._condition(parts)
        return made(exp.Join, place, **parts)

    def _condition(self, parts: dict[str, object]) -> None:
        """ON or USING."""
        if self.take_word("ON"):
            parts["on"] = self.expression()
            return
        if not self.take_word("USING"):
            self.fail("ON", "USING")
        self.expect_symbol("(")
        names = [self.identifier()]
        while self.take_symbol(","):
            names.append(self.identifier())
        self.expect_symbol(")", ",")
        parts["using"] = names

    def _table(self) -> exp.Expression:
        """Table, derived table, or joined tables in parentheses."""
        opening = self.take_symbol("(")
        if opening is None:
            return self._named_table()
        with self.deeper():
            if self.at_word("SELECT", "WITH"):
                inner: exp.Expression = made(exp.Subquery, opening, this=self.query())
            else:
                inner = self._joined_table_or_query()
        self.expect_symbol(")")
        # What stands before UNION is the first operand of a set operation in parentheses.
        if (
            isinstance(inner, exp.Subquery)
            and inner.args.get("alias") is None
            and not self.at_word(*SET_WORDS)
        ):
            inner.set("alias", self._alias())
        return inner

    def _joined_table_or_query(self) -> exp.Expression:
        """What stands in two parentheses: joined tables, or the first operand of a set operation."""
        place = self.current
        inner = self._table()
        if isinstance(inner, exp.Subquery) and inner.args.get("alias") is None and self.at_word(*SET_WORDS):
            return made(exp.Subquery, place, this=self.set_operation(inner))
        for _ in range(MAX_CHAIN // 10):
            if not self.at_word(*_JOIN_WORDS):
                return inner
            inner = self._join(inner)
        raise chain_error(self.current)

    def _named_table(self) -> exp.Table:
        place = self.current
        parts = [self.identifier()]
        while self.take_symbol("."):
            parts.append(self.identifier())
        if self.at_symbol("("):
            raise error_at(place, "a function is no table: ADQL selects from tables and subqueries")
        if len(parts) > 2:
            raise error_at(place, "a table has at most a schema before it: schema.table")
        names = dict(zip(("this", "db"), reversed(parts), strict=False))
        alias = self._alias() if self.at_word("AS") or self.at_identifier() else None
        return made(exp.Table, place, alias=alias, **names)

    def _alias(self) -> exp.Identifier:
        """Alias of a table, which a derived table must have."""
        if not self.take_word("AS") and not self.at_identifier():
            self.fail("an alias of the subquery")
        return self.identifier()


def parse(tokens: list[Token]) -> exp.Expression:
    """Tree of a query.

    Raises
    ------
    AdqlError
        Where a token stands that the grammar has no place for.
    """
    return QueryGrammar(tokens).whole()
