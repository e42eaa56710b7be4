"""Grammar of values and conditions (ADQL 2.1, appendix A), one method a rule.

Values and conditions are read by the same rules, by falling precedence; that a condition stands where one
must is checked when names are resolved, where types are known. Beyond the standard: CASE, NULLIF,
comparisons with ANY, SOME and ALL, TRUE and FALSE, hexadecimal literals and the bitwise operators ``& | ^
~`` of its drafts.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from roman_db.schema.adql_words import FUNCTIONS
from roman_db.tap.adql.error import error_at, shortened
from roman_db.tap.adql.token_reader import (
    MAX_CHAIN,
    TokenReader,
    chain_error,
    is_reserved,
    is_symbol,
    is_word,
    made,
)

_COMPARISON: dict[str, type[exp.Expression]] = {
    "=": exp.EQ, "<>": exp.NEQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}  # fmt: skip
_OTHER: dict[str, type[exp.Expression]] = {
    "||": exp.DPipe, "&": exp.BitwiseAnd, "|": exp.BitwiseOr, "^": exp.BitwiseXor,
}  # fmt: skip
_SUM: dict[str, type[exp.Expression]] = {"+": exp.Add, "-": exp.Sub}
_PRODUCT: dict[str, type[exp.Expression]] = {"*": exp.Mul, "/": exp.Div}
_LITERALS = (TokenType.NUMBER, TokenType.STRING, TokenType.HEX_STRING)
SET_WORDS = ("UNION", "EXCEPT", "INTERSECT")


class ExpressionGrammar(TokenReader):
    """Reads values and conditions."""

    @abstractmethod
    def query(self) -> exp.Expression:
        """SELECT, or set operation; the token after it is current then."""

    @abstractmethod
    def set_operation(self, first: exp.Expression) -> exp.Expression:
        """Set operation whose first operand has been read."""

    def expression(self) -> exp.Expression:
        """Value or condition; a literal alone is not taken through all rules, as lists may be long."""
        if self.current.token_type in _LITERALS and is_symbol(self.ahead(), ",", ")"):
            return self._primary()
        return self._row_of(self._conjunction, {"OR": exp.Or})

    def _conjunction(self) -> exp.Expression:
        return self._row_of(self._negation, {"AND": exp.And})

    def _negation(self) -> exp.Expression:
        token = self.take_word("NOT")
        if token is None:
            return self._predicate()
        with self.deeper():
            return made(exp.Not, token, this=self._negation())

    def _predicate(self) -> exp.Expression:
        """Value, or a value with what is asked of it."""
        left = self._other_operations()
        token = self.current
        if token.token_type is TokenType.UNKNOWN and token.text in _COMPARISON:
            self.advance()
            return made(_COMPARISON[token.text], token, this=left, expression=self._compared())
        if self.take_word("IS"):
            negated = self.take_word("NOT")
            null = made(exp.Is, token, this=left, expression=made(exp.Null, self.expect_word("NULL")))
            return made(exp.Not, token, this=null) if negated else null
        negated = self.take_word("NOT")
        if not self.at_word("BETWEEN", "IN", "LIKE", "ILIKE"):
            return self.fail("BETWEEN", "IN", "LIKE", "ILIKE") if negated else left
        found = self._tested(left, self.advance())
        return made(exp.Not, token, this=found) if negated else found

    def _tested(self, left: exp.Expression, token: Token) -> exp.Expression:
        """BETWEEN, IN, LIKE or ILIKE, after the word."""
        if is_word(token, "BETWEEN"):
            low = self._other_operations()
            self.expect_word("AND")
            return made(exp.Between, token, this=left, low=low, high=self._other_operations())
        if is_word(token, "IN"):
            return self._membership(left, token)
        kind = exp.Like if is_word(token, "LIKE") else exp.ILike
        return made(kind, token, this=left, expression=self._other_operations())

    def _membership(self, left: exp.Expression, token: Token) -> exp.Expression:
        """List or subquery after IN."""
        opening = self.expect_symbol("(")
        if self._at_query():
            return made(exp.In, token, this=left, query=self._subquery(opening))
        with self.deeper():
            first = self.expression()
            if isinstance(first, exp.Subquery) and self.at_word(*SET_WORDS):
                query = self.set_operation(first)
                self.expect_symbol(")")
                return made(exp.In, token, this=left, query=made(exp.Subquery, opening, this=query))
            items = [first]
            while self.take_symbol(","):
                items.append(self.expression())
        self.expect_symbol(")", ",")
        return made(exp.In, token, this=left, expressions=items)

    def _compared(self) -> exp.Expression:
        """Right side of a comparison: a value, or ANY or ALL of a subquery."""
        token = self.take_word("ANY", "SOME", "ALL")
        if token is None:
            return self._other_operations()
        opening = self.expect_symbol("(")
        kind = exp.All if is_word(token, "ALL") else exp.Any
        return made(kind, token, this=self._subquery(opening))

    def _other_operations(self) -> exp.Expression:
        return self._row_of(self._sum, _OTHER)

    def _sum(self) -> exp.Expression:
        return self._row_of(self._product, _SUM)

    def _product(self) -> exp.Expression:
        return self._row_of(self._factor, _PRODUCT)

    def _row_of(
        self, operand: Callable[[], exp.Expression], kinds: dict[str, type[exp.Expression]]
    ) -> exp.Expression:
        """Operands with operators of one precedence between them, from left to right."""
        left = operand()
        for _ in range(MAX_CHAIN):
            token = self.current
            is_operator = token.token_type in (TokenType.UNKNOWN, TokenType.VAR)
            kind = kinds.get(token.text.upper()) if is_operator else None
            if kind is None:
                return left
            self.advance()
            left = made(kind, token, this=left, expression=operand())
        raise chain_error(self.current)

    def _factor(self) -> exp.Expression:
        token = self.take_symbol("+", "-", "~")
        if token is None:
            return self._primary()
        with self.deeper():
            inner = self._factor()
        if is_symbol(token, "+"):
            return inner
        return made(exp.Neg if is_symbol(token, "-") else exp.BitwiseNot, token, this=inner)

    def _primary(self) -> exp.Expression:
        """Literal, column, function, or what stands in parentheses."""
        token = self.current
        if token.token_type is TokenType.STRING:
            return made(exp.Literal, self.advance(), this=token.text, is_string=True)
        if token.token_type is TokenType.NUMBER:
            return made(exp.Literal, self.advance(), this=token.text, is_string=False)
        if token.token_type is TokenType.HEX_STRING:
            self.advance()
            return made(exp.Literal, token, this=str(_of_hexadecimal(token)), is_string=False)
        if self.take_symbol("("):
            return self._in_parentheses(token)
        if token.token_type is TokenType.VAR and is_symbol(self.ahead(), "("):
            return self._called(token)
        if token.token_type is TokenType.IDENTIFIER or not is_reserved(token):
            return self._column()
        return self._word_value(token)

    def _word_value(self, token: Token) -> exp.Expression:
        """NULL, TRUE, FALSE or CASE."""
        if self.take_word("NULL"):
            return made(exp.Null, token)
        if self.take_word("TRUE", "FALSE"):
            return made(exp.Boolean, token, this=is_word(token, "TRUE"))
        if self.take_word("CASE"):
            with self.deeper():
                return self._case(token)
        return self._no_value()

    def _no_value(self) -> exp.Expression:
        if is_reserved(self.current):
            self.fail("a value", "a name")
        self.fail("a value")

    def _column(self) -> exp.Column:
        """Column with the names of its table and schema, where they are given."""
        if self.current.token_type not in (TokenType.IDENTIFIER, TokenType.VAR):
            self._no_value()
        place = self.current
        parts = [self.identifier()]
        while self.take_symbol("."):
            parts.append(self.identifier())
        if len(parts) > 3:
            raise error_at(
                parts[3], "a column has at most a schema and a table before it: schema.table.column"
            )
        names = dict(zip(("this", "table", "db"), reversed(parts), strict=False))
        return made(exp.Column, place, **names)

    def _in_parentheses(self, opening: Token) -> exp.Expression:
        """Value, condition or subquery, after the opening parenthesis."""
        if self._at_query():
            return self._subquery(opening)
        with self.deeper():
            inner = self.expression()
            if isinstance(inner, exp.Subquery) and self.at_word(*SET_WORDS):
                inner = made(exp.Subquery, opening, this=self.set_operation(inner))
        self.expect_symbol(")")
        return inner

    def _at_query(self) -> bool:
        return self.at_word("SELECT", "WITH")

    def _subquery(self, opening: Token) -> exp.Subquery:
        """Subquery up to its closing parenthesis."""
        with self.deeper():
            query = self.query()
        self.expect_symbol(")")
        return made(exp.Subquery, opening, this=query)

    def _called(self, token: Token) -> exp.Expression:
        """Function, CAST or EXISTS."""
        word = token.text.upper()
        if is_reserved(token) and word not in FUNCTIONS and word not in ("CAST", "EXISTS"):
            self._no_value()
        self.advance()
        opening = self.advance()
        if word == "EXISTS":
            return made(exp.Exists, token, this=self._subquery(opening))
        with self.deeper():
            call = self._cast(token) if word == "CAST" else self._arguments(token)
        self.expect_symbol(")", *([] if word == "CAST" else [","]))
        return call

    def _arguments(self, token: Token) -> exp.Anonymous:
        """Arguments of a function: none, ``*``, values, or DISTINCT and a value."""
        items: list[exp.Expression] = []
        if self.at_symbol("*") and is_word(token, "COUNT"):
            items.append(made(exp.Star, self.advance()))
        elif not self.at_symbol(")"):
            quantifier = self.take_word("DISTINCT", "ALL")
            items.append(self.expression())
            if quantifier is not None:
                items[0] = made(
                    exp.Distinct, quantifier, expressions=items[:1], all=is_word(quantifier, "ALL")
                )
            while self.take_symbol(","):
                items.append(self.expression())
        return made(exp.Anonymous, token, this=token.text, expressions=items)

    def _case(self, token: Token) -> exp.Case:
        """CASE with or without a value to compare, up to END."""
        compared = None if self.at_word("WHEN") else self.expression()
        branches = []
        while when := self.take_word("WHEN"):
            condition = self.expression()
            self.expect_word("THEN")
            branches.append(made(exp.If, when, this=condition, true=self.expression()))
        if not branches:
            self.fail("WHEN")
        default = self.expression() if self.take_word("ELSE") else None
        if not self.at_word("END"):
            self.fail("WHEN", "ELSE", "END")
        self.advance()
        return made(exp.Case, token, this=compared, ifs=branches, default=default)

    def _cast(self, token: Token) -> exp.Cast:
        """Value and type of CAST, up to the closing parenthesis."""
        value = self.expression()
        self.expect_word("AS")
        return made(exp.Cast, token, this=value, to=self._type())

    def _type(self) -> exp.DataType:
        """Type of CAST (ADQL 2.1, section 4.6)."""
        token = self.current
        types = ("SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE PRECISION", "CHAR", "VARCHAR", "TIMESTAMP")
        if self.take_word("SMALLINT", "INTEGER", "BIGINT", "REAL", "TIMESTAMP", "POINT", "CIRCLE", "POLYGON"):
            return made(exp.DataType, token, this=token.text.upper())
        if self.take_word("DOUBLE"):
            self.expect_word("PRECISION")
            return made(exp.DataType, token, this="DOUBLE PRECISION")
        if not self.take_word("CHAR", "VARCHAR"):
            self.fail(*types, "POINT", "CIRCLE", "POLYGON")
        length = None
        if self.take_symbol("("):
            length = self.whole_number()
            self.expect_symbol(")")
        return made(exp.DataType, token, this=token.text.upper(), expressions=[length] if length else [])


def _of_hexadecimal(token: Token) -> int:
    """Whole number of hexadecimal digits, which has 64 bits at most."""
    number = int(token.text, 16)
    if number >= 2**64:
        raise error_at(token, f"{shortened(token.text)} is larger than 64 bits")
    return number
