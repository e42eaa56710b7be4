"""One SQL statement as people write it: that it is one, that it asks, and its named parameters.

A parameter is written ``CAST(:name AS type)`` and replaced by a quoted literal, so that the same text also
runs in psql (``-v name=value``). PostgreSQL's own parameters are no way: COPY, which carries the results,
takes none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from roman_db.query.error import QueryError

#: What a statement that asks begins with; the last two answer with text and can't stand inside others.
_QUERIES = ("SELECT", "WITH", "VALUES", "TABLE")
_REPORTS = ("EXPLAIN", "SHOW")

#: PostgreSQL manual, "Lexical Structure". Nested comments are counted by hand.
_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<quoted>[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*")
    | (?P<dollar>\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<cast>::)
    | (?P<parameter>(?<![\w\])"\[]):(?P<name>[A-Za-z_]\w*))
    | (?P<word>[A-Za-z_][\w$]*)
    | (?P<end>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK = ("comment", "block")


@dataclass(frozen=True)
class Token:
    """A piece of a statement: its kind (a group of the pattern), its text and where it begins."""

    kind: str
    text: str
    start: int


@dataclass(frozen=True)
class Statement:
    """One statement.

    Parameters
    ----------
    tokens
        Its pieces; laid end to end they are the text.
    verb
        First word, in capitals.
    """

    tokens: tuple[Token, ...]
    verb: str

    @property
    def text(self) -> str:
        """The statement as it was written."""
        return "".join(token.text for token in self.tokens)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters in order of their first use."""
        names = (token.text[1:] for token in self.tokens if token.kind == "parameter")
        return tuple(dict.fromkeys(names))

    @property
    def is_query(self) -> bool:
        """Whether it can stand inside another query."""
        return self.verb in _QUERIES

    def bind(self, values: Mapping[str, object]) -> str:
        """Text with the parameters replaced by literals; None is NULL.

        Raises
        ------
        QueryError
            If a parameter has no value or a value no parameter.
        """
        if missing := [name for name in self.parameters if name not in values]:
            raise QueryError(f"no value for {_listed(missing)}: give --param {missing[0]}=VALUE")
        if unknown := sorted(set(values) - set(self.parameters)):
            known = _listed(self.parameters) if self.parameters else "none"
            raise QueryError(f"the statement has no parameter {_listed(unknown)}; it has {known}")
        return "".join(
            _literal(values[token.text[1:]]) if token.kind == "parameter" else token.text
            for token in self.tokens
        )


def parse(text: str) -> Statement:
    """Read one statement; a semicolon at its end is left out.

    Raises
    ------
    QueryError
        If there is none, there are more than one, or it is not one that asks.
    """
    tokens = list(_tokens(text))
    end = next((i for i, token in enumerate(tokens) if token.kind == "end"), len(tokens))
    if any(not _is_blank(token) for token in tokens[end + 1 :]):
        raise QueryError("one statement at a time: there is more after the first semicolon")
    first = next((token for token in tokens[:end] if not _is_blank(token) and token.text != "("), None)
    if first is None:
        raise QueryError("there is no statement")
    if not _is_balanced(tokens[:end]):
        raise QueryError("the parentheses do not match")
    verb = first.text.upper()
    if verb not in _QUERIES + _REPORTS:
        raise QueryError(f"a query begins with {', '.join(_QUERIES + _REPORTS)}, got {first.text!r}")
    return Statement(tuple(tokens[:end]), verb)


def _tokens(text: str) -> Iterator[Token]:
    """Split a text into pieces, all of it."""
    at = 0
    while match := _TOKEN.match(text, at):
        kind = str(match.lastgroup)
        kind = {"name": "parameter", "tag": "dollar"}.get(kind, kind)
        end = _comment_end(text, at) if kind == "block" else match.end()
        yield Token(kind, text[at:end], at)
        at = end


def _comment_end(text: str, start: int) -> int:
    """Where a comment that begins with a slash and a star ends; they nest."""
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, start):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    raise QueryError("a comment is not closed: */ is missing")


def _is_blank(token: Token) -> bool:
    """Whether a piece says nothing to the server."""
    return token.kind in _BLANK or token.text.isspace()


def _is_balanced(tokens: Iterable[Token]) -> bool:
    """Whether every parenthesis has its other half; else a statement could end that which it is put into."""
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0:
            return False
    return depth == 0


def _literal(value: object) -> str:
    """Value as a quoted literal, whose type the CAST around it says."""
    if value is None:
        return "NULL"
    text = str(value)
    if "\0" in text:
        raise QueryError("a value holds the character 0, which PostgreSQL's text can't")
    return "'" + text.replace("'", "''") + "'"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    """Names of parameters for a message."""
    return ", ".join(f":{name}" for name in names)
