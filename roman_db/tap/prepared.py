"""A request made ready to be run: its parameters read, its query translated."""

from __future__ import annotations

from collections.abc import Iterable

from roman_db.tap.adql import AdqlError, Translation, schema_catalog, translate
from roman_db.tap.failure import BadRequest
from roman_db.tap.parameters import Limits, read_request
from roman_db.tap.sending import Asked


def prepared(pairs: Iterable[tuple[str, str]], limits: Limits, takes_gzip: bool = False) -> Asked:
    """What is asked by parameters.

    Raises
    ------
    BadRequest
        If they make no sense, or their query is no ADQL, with the place.
    """
    request = read_request(pairs, limits)
    return Asked(request, _translated(request.query), takes_gzip)


def _translated(query: str) -> Translation:
    """Query in SQL."""
    try:
        return translate(query, schema_catalog())
    except AdqlError as error:
        raise BadRequest(str(error)) from error
