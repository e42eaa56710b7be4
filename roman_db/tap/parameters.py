"""What a request to ``/sync`` says (TAP 1.1, section 2.7; DALI 1.1, section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from roman_db.service_failure import BadRequest
from roman_db.tap.formats.choice import Format, chosen_format

_LANGUAGES = ("ADQL", "ADQL-2.0", "ADQL-2.1")
#: Parameters of a query.
KNOWN = ("REQUEST", "LANG", "QUERY", "MAXREC", "FORMAT", "RESPONSEFORMAT", "UPLOAD")


@dataclass(frozen=True)
class Limits:
    """Rows that a query may have: unless it says MAXREC, and at most."""

    default: int
    largest: int


@dataclass(frozen=True)
class QueryRequest:
    """A query, and how it is to be answered.

    Parameters
    ----------
    query
        Text in ADQL.
    rows
        Most rows of the answer.
    format
        How it is written.
    """

    query: str
    rows: int
    format: Format


def read_request(pairs: Iterable[tuple[str, str]], limits: Limits) -> QueryRequest:
    """Read the parameters of a request; names may be written with any capitals.

    Raises
    ------
    BadRequest
        If one is missing or makes no sense, or asks for what there is not.
    """
    given = _named(pairs)
    if given.get("REQUEST", "doQuery") != "doQuery":
        raise BadRequest(f"REQUEST must be doQuery, got {given['REQUEST'][:60]!r}")
    language = given.get("LANG", "")
    if language.upper() not in _LANGUAGES:
        raise BadRequest(f"LANG must be ADQL or ADQL-2.1, got {language[:60]!r}")
    query = given.get("QUERY", "").strip()
    if not query:
        raise BadRequest("QUERY is missing: it holds the query in ADQL")
    wanted = chosen_format(given.get("RESPONSEFORMAT") or given.get("FORMAT"))
    return QueryRequest(given["QUERY"], _rows(given.get("MAXREC"), limits), wanted)


def _named(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Values by name in capitals; what TAP does not know is ignored."""
    named: dict[str, str] = {}
    for written, value in pairs:
        name = written.upper()
        if name in KNOWN and name != "UPLOAD" and named.setdefault(name, value) != value:
            raise BadRequest(f"{name} is given twice")
    return named


def _rows(text: str | None, limits: Limits) -> int:
    """Most rows to give."""
    if not text:
        return min(limits.default, limits.largest)
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"MAXREC must be a whole number from 0 on, got {text[:60]!r}")
    return min(int(text[:19]), limits.largest)
