"""Tokens one by one, and what is said where another was expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import NoReturn, TypeVar

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from roman_db.schema.adql_words import NO_ALIAS, RESERVED
from roman_db.tap.adql.error import AdqlError, error_at, shortened, syntax_error
from roman_db.whole_number import whole_number

#: How deep parentheses, functions, CASE and subqueries may stand in one another.
MAX_DEPTH = 32
#: Most operands in a row, as in ``a + b + c``.
MAX_CHAIN = 1000
#: Words that may follow any value, which an error does not list.
_OPERATORS = ("AND", "OR", "BETWEEN", "LIKE", "ILIKE", "IN", "IS", "NOT")
#: How alike two words are of which one is taken for the other, from 0 to 1 (`difflib.SequenceMatcher.ratio`).
_ALIKE = 0.7

_Node = TypeVar("_Node", bound=exp.Expression)


class TokenReader:
    """Reads tokens from left to right.

    Parameters
    ----------
    tokens
        Of the whole query, with one of the kind ``END`` at the end.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._depth = 0
        self.current = tokens[0]

    def advance(self) -> Token:
        """Return the token and go on to the next."""
        token = self.current
        if self._index + 1 < len(self._tokens):
            self._index += 1
            self.current = self._tokens[self._index]
        return token

    def ahead(self, steps: int = 1) -> Token:
        """Return a token after this one."""
        return self._tokens[min(self._index + steps, len(self._tokens) - 1)]

    def at_word(self, *words: str) -> bool:
        """Whether one of the words stands here."""
        return is_word(self.current, *words)

    def at_symbol(self, *symbols: str) -> bool:
        """Whether one of the symbols stands here."""
        return is_symbol(self.current, *symbols)

    def take_word(self, *words: str) -> Token | None:
        """Go over one of the words, where it stands here."""
        return self.advance() if self.at_word(*words) else None

    def take_symbol(self, *symbols: str) -> Token | None:
        """Go over one of the symbols, where it stands here."""
        return self.advance() if self.at_symbol(*symbols) else None

    def expect_word(self, word: str) -> Token:
        """Go over a word that must stand here."""
        return self.take_word(word) or self.fail(word)

    def expect_symbol(self, symbol: str, *others: str) -> Token:
        """Go over a symbol that must stand here; ``others`` could stand here as well, for the message."""
        return self.take_symbol(symbol) or self.fail(*others, symbol)

    def fail(self, *expected: str) -> NoReturn:
        """Raise the error of what stands here."""
        token, meant = self._misspelt(expected)
        hint = NO_ALIAS.get(token.text.upper(), "") if token.token_type is TokenType.VAR else ""
        if "a name" in expected and is_reserved(token):
            hint = f'{token.text} is a reserved word: as a name it is written "{token.text.lower()}"'
        if meant:
            hint = f"did you mean {meant}?"
        raise syntax_error(token, written(token), expected, hint)

    def _misspelt(self, expected: Sequence[str]) -> tuple[Token, str]:
        """Word that was meant to be another, and that one; what stands here, and nothing, where none was.

        A misspelt word after a value or a table reads as its alias: what is told is that one.
        """
        before, alias = (self._tokens[max(self._index - back, 0)] for back in (2, 1))
        if self._index > 1 and _ends_operand(before) and (meant := _meant(alias, expected)):
            return alias, meant
        return self.current, _meant(self.current, (*expected, *_OPERATORS))

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Keep count of how deep things stand in one another."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise error_at(self.current, f"the query is nested more than {MAX_DEPTH} deep")
        yield
        self._depth -= 1

    def identifier(self) -> exp.Identifier:
        """Name of a table, a column or an alias."""
        token = self.current
        if token.token_type is TokenType.IDENTIFIER:
            self.advance()
            return made(exp.Identifier, token, this=token.text, quoted=True)
        if token.token_type is not TokenType.VAR or is_reserved(token):
            self.fail("a name")
        self.advance()
        return made(exp.Identifier, token, this=token.text, quoted=False)

    def at_identifier(self) -> bool:
        """Whether a name stands here that is no reserved word, nor one that other dialects reserve."""
        token = self.current
        if token.token_type is TokenType.IDENTIFIER:
            return True
        return (
            token.token_type is TokenType.VAR
            and not is_reserved(token)
            and token.text.upper() not in NO_ALIAS
        )

    def whole_number(self) -> int:
        """Return digits alone, as after TOP."""
        token = self.current
        if token.token_type is not TokenType.NUMBER or not token.text.isdecimal():
            self.fail("a whole number")
        self.advance()
        number = whole_number(token.text)
        if number is None:
            raise error_at(
                token, f"{shortened(token.text)} is larger than the largest whole number, 2^63 - 1"
            )
        return number


def made(kind: type[_Node], place: Token, /, **parts: object) -> _Node:
    """Node of the tree that knows the token it was made of."""
    node = kind(**parts)
    node.update_positions(place)
    return node


def is_word(token: Token, *words: str) -> bool:
    """Whether a token is one of the words, which are given in capitals."""
    return token.token_type is TokenType.VAR and token.text.upper() in words


def is_symbol(token: Token, *symbols: str) -> bool:
    """Whether a token is one of the symbols."""
    return token.token_type is TokenType.UNKNOWN and token.text in symbols


def is_reserved(token: Token) -> bool:
    """Whether a token is a reserved word."""
    return token.token_type is TokenType.VAR and token.text.upper() in RESERVED


def _ends_operand(token: Token) -> bool:
    """Whether a value or the name of a table may end with a token, so that an alias may come next."""
    if token.token_type is TokenType.VAR:
        return not is_reserved(token)
    return token.token_type is not TokenType.UNKNOWN or is_symbol(token, ")", "*")


def _meant(token: Token, expected: Sequence[str]) -> str:
    """Word of the language that a token is nearly; empty where it is one, or near none."""
    if token.token_type is not TokenType.VAR or is_reserved(token):
        return ""
    text, words = token.text.upper(), [one.partition(" ")[0] for one in expected if one.isupper()]
    of_same_letters = [one for one in words if sorted(one) == sorted(text)]
    return next(iter(of_same_letters + get_close_matches(text, words, n=1, cutoff=_ALIKE)), "")


def written(token: Token) -> str:
    """Return a token as it stands in the query."""
    if token.token_type is TokenType.END:
        return "the end of the query"
    quote = {TokenType.STRING: "'", TokenType.IDENTIFIER: '"'}.get(token.token_type, "")
    return f"{quote}{token.text}{quote}"


def chain_error(token: Token) -> AdqlError:
    """Error of too many operands in a row."""
    return error_at(token, f"more than {MAX_CHAIN} operands in a row: use IN or upload a table")
