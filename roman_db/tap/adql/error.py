"""What is wrong with a query, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from roman_db.schema.adql_words import delimited

#: Longest piece of a query that a message repeats.
_LONGEST_QUOTE = 60


class AdqlError(ValueError):
    """A query that is not ADQL 2.1, or asks for what this service does not have.

    Parameters
    ----------
    problem
        What is wrong and, where we know, what to do; it never holds SQL that we made.
    line, column
        Place in the text, both counted from one; 0 where the text as a whole is meant.
    found
        What stands there.
    expected
        What could stand there instead, or the nearest names; empty where nothing is to be proposed.
    """

    def __init__(
        self, problem: str, line: int = 0, column: int = 0, found: str = "", expected: Iterable[str] = ()
    ) -> None:
        self.problem = problem
        self.line = line
        self.column = column
        self.found = found[:_LONGEST_QUOTE]
        self.expected = tuple(expected)
        super().__init__(self._message())

    def _message(self) -> str:
        place = f"line {self.line}, column {self.column}: " if self.line else ""
        return f"{place}{self.problem}"


def error_at(place: exp.Expression | Token, problem: str, expected: Iterable[str] = ()) -> AdqlError:
    """Error at a token, or at the token that a node of the tree was made of."""
    if isinstance(place, Token):
        return AdqlError(problem, place.line, place.col, place.text, expected)
    meta = place.meta
    found = place.name if isinstance(place, exp.Identifier | exp.Literal | exp.Anonymous | exp.Column) else ""
    return AdqlError(problem, meta.get("line", 0), meta.get("col", 0), found, expected)


def syntax_error(token: Token, found: str, expected: Iterable[str], hint: str = "") -> AdqlError:
    """Error of what stands where something else must."""
    wanted = tuple(expected)
    problem = f"found {shortened(found)}, expected {listed(wanted)}{f' ({hint})' if hint else ''}"
    return AdqlError(problem, token.line, token.col, found, wanted)


def shortened(text: str) -> str:
    """Return a piece of the query as a message repeats it."""
    printable = "".join(c if c.isprintable() else "?" for c in text[:_LONGEST_QUOTE])
    return printable + ("…" if len(text) > _LONGEST_QUOTE else "")


def listed(words: Iterable[str]) -> str:
    """Words with commas and an ``or`` before the last."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three of the known names that are spelled most alike."""
    by_lower = {one.lower(): one for one in known}
    short = name[:_LONGEST_QUOTE].lower()
    return tuple(by_lower[one] for one in difflib.get_close_matches(short, by_lower, n=3, cutoff=0.6))


def unknown(place: exp.Expression, kind: str, name: str, known: Iterable[str]) -> AdqlError:
    """Error of a name that there is not, with the nearest that there are."""
    return _unknown(place, kind, name, nearest(name, known))


def unknown_column(place: exp.Expression, kind: str, name: str, known: Iterable[str]) -> AdqlError:
    """Error of a column that there is not, with the nearest that there are as a query must write them."""
    return _unknown(place, kind, name, tuple(map(delimited, nearest(name, known))))


def _unknown(place: exp.Expression, kind: str, name: str, proposals: tuple[str, ...]) -> AdqlError:
    hint = f"; did you mean {listed(proposals)}?" if proposals else ""
    return error_at(place, f"there is no {kind} {shortened(name)}{hint}", proposals)
