"""ADQL 2.1 as a dialect of sqlglot: ``sqlglot.parse_one(text, read="adql")`` gives its tree.

Tokens and grammar are our own, since those of sqlglot take far more than ADQL. Nodes are sqlglot's, and each
knows its place in the text. Functions are ``Anonymous``; a join holds both its sides (``this``,
``expression``), FROM a list.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.parser import Parser as SqlParser
from sqlglot.tokenizer_core import Token
from sqlglot.tokens import Tokenizer as SqlTokenizer

from roman_db.tap.adql.lexer import tokenize
from roman_db.tap.adql.query_grammar import parse


class Adql(Dialect):
    """Astronomical Data Query Language (IVOA ADQL 2.1)."""

    class Tokenizer(SqlTokenizer):
        """Tokens of ADQL."""

        def tokenize(self, sql: str) -> list[Token]:
            """Tokens of a query."""
            return tokenize(sql)

    class Parser(SqlParser):
        """Grammar of ADQL."""

        def parse(self, raw_tokens: list[Token], sql: str) -> list[exp.Expr | None]:
            """Trees of a text: always one."""
            return [parse(raw_tokens)]


def tree_of(text: str) -> exp.Expression:
    """Tree of a query.

    Raises
    ------
    AdqlError
        If the text is not ADQL.
    """
    return parse(tokenize(text))
