"""Simple Cone Search 1.03: objects of the current catalog around a place, by a query of TAP."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from roman_db.schema.view import read_views
from roman_db.tap.adql import OutputColumn, schema_catalog, translate
from roman_db.tap.formats.choice import Format, chosen_format
from roman_db.tap.parameters import Limits, QueryRequest
from roman_db.tap.sending import Asked
from roman_db.vo.parameters import Parameters

_TABLE = "roman.current_object"
#: UCDs of version 1, which the standard asks of the three columns that each answer has.
_UCD1 = {"object_id": "ID_MAIN", "ra": "POS_EQ_RA_MAIN", "dec": "POS_EQ_DEC_MAIN"}
_VERBOSITY = {"1": "fewest", "2": "principal", "3": "all"}


def cone_query(parameters: Parameters, limits: Limits, takes_gzip: bool) -> Asked:
    """Query for a request of the protocol.

    Raises
    ------
    BadRequest
        If a parameter is missing or makes no sense.
    """
    ra, dec, radius = read_circle(parameters)
    verbosity = parameters.choice("VERB", _VERBOSITY, "2")
    rows = parameters.whole("MAXREC", 0, limits.largest, min(limits.default, limits.largest))
    query = _query(ra, dec, radius, int(verbosity))
    translation = translate(query, schema_catalog())
    columns = tuple(map(_of_protocol, translation.columns))
    request = QueryRequest(query, rows if radius > 0 else 0, _format(parameters))
    return Asked(request, replace(translation, columns=columns), takes_gzip)


def read_circle(parameters: Parameters) -> tuple[float, float, float]:
    """Place (ICRS) and radius that a request names, in degrees.

    Raises
    ------
    BadRequest
        If one is missing or makes no sense.
    """
    ra, dec = parameters.number("RA", 0, 360), parameters.number("DEC", -90, 90)
    return ra, dec, parameters.number("SR", 0, 180)


def _query(ra: float, dec: float, radius: float, verbosity: int) -> str:
    """Query in ADQL; identifiers are text, as the protocol has them."""
    names = ["CAST(object_id AS VARCHAR) AS object_id", "ra", "dec", *_further_columns(verbosity)]
    place = f"ra, dec, {ra!r}, {dec!r}"
    if verbosity > 1:
        names.append(f"DISTANCE({place}) AS angular_distance")
    return f"SELECT {', '.join(names)} FROM {_TABLE} WHERE DISTANCE({place}) <= {radius!r}"


@cache
def _further_columns(verbosity: int) -> tuple[str, ...]:
    """Columns beside the three that each answer has."""
    columns = read_views()[_TABLE].columns
    return tuple(
        one.name
        for one in columns
        if one.name not in _UCD1 and (verbosity > 2 or (verbosity > 1 and one.principal))
    )


def _of_protocol(column: OutputColumn) -> OutputColumn:
    """Column with the UCD that the protocol asks for."""
    return replace(column, ucd=_UCD1.get(column.name, column.ucd))


def _format(parameters: Parameters) -> Format:
    """Format of the answer: a VOTable with rows in words, unless another is asked for."""
    return chosen_format(parameters.one("RESPONSEFORMAT") or "votable/td")
