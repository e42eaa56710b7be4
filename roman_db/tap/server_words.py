"""What the database says of a query, in words for whoever asked: never SQL or a path of ours."""

from __future__ import annotations

import re

from roman_db.query.error import shard_missing
from roman_db.service_failure import BadRequest, Cancelled, Failure, Lost, TooLong

#: Words of the server about values of the query itself; they hold nothing of ours.
_OF_VALUES = re.compile(
    r"(?:division by zero|(?:small|big)?int(?:eger)? out of range|value out of range: (?:over|under)flow"
    r"|value \"[^\"]{0,60}\" is out of range for type [a-z ]+|invalid input syntax for type "
    r"[a-z ]+: \"[^\"]{0,60}"
    r"|date/time field value out of range: \"[^\"]{0,60}"
    r"|more than one row returned by a subquery used as an expression"
    r"|array size exceeds the maximum allowed[^:]*)"
)
_TIMEOUT = "canceling statement due to statement timeout"
_CANCELLED = "canceling statement due to user request"
_LOST = re.compile(
    "terminating connection|server closed the connection|no connection to the server|connection not open"
    "|could not receive data|SSL connection has been closed"
)
#: What the server cannot do with a query that makes sense, and what to ask instead.
_UNABLE = {
    "FULL JOIN is only supported": "FULL JOIN needs a condition that says which columns are equal: a.x = b.y",
}
_TEMPORARY = "temporary file size exceeds temp_file_limit"


def from_server(words: str, timeout_s: float) -> Failure:
    """Failure for what the database said of a query.

    Parameters
    ----------
    words
        Words of the driver, which may hold the SQL.
    timeout_s
        Seconds that a query may take.
    """
    if _TIMEOUT in words:
        return TooLong(f"the query took longer than the {timeout_s:g} s that it may: ask for less")
    if _CANCELLED in words:
        return Cancelled("the query was cancelled")
    if _TEMPORARY in words:
        return TooLong("the query needs more room for sorting and joining than it may have: ask for less")
    if (missing := shard_missing(words)) is not None:
        return Lost(missing)
    if _LOST.search(words):
        return Lost("the connection to the database was lost: ask again")
    for said, advice in _UNABLE.items():
        if said in words:
            return BadRequest(advice)
    if (found := _OF_VALUES.search(words)) is not None:
        is_cut = found[0].count('"') == 1
        return BadRequest(found[0] + '"' * is_cut)
    return Failure("the database could not answer the query; the operators' log says why")
