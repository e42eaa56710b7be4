"""Values of Python in ADQL: ``{name}`` becomes a literal, or a table that goes with the query.

TAP has no parameters of queries, so values are written into the text as ADQL 2.1 has them. Nothing is put in
within quotes and comments, a text cannot end its quotes, and what has no literal is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from astropy.units import Quantity

from roman_db.client.failure import BadQuery

#: Most values of a list; more go as a table.
MOST_VALUES = 10_000
_PIECE = re.compile(
    r"(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<comment>--[^\n]*)"
    r"|\{(?P<name>[^{}\n]*)\}|(?P<loose>['\"{}])"
)
_IN_QUOTES = re.compile(r"\{[A-Za-z_]\w*\}")


@dataclass(frozen=True)
class BoundQuery:
    """A query with its values.

    Parameters
    ----------
    text
        ADQL.
    uploads
        Tables that go with it, by their names in ``TAP_UPLOAD``.
    """

    text: str
    uploads: dict[str, Table] = field(default_factory=dict)


def bind(query: str, values: Mapping[str, Any]) -> BoundQuery:
    """Put values into a query.

    Parameters
    ----------
    query
        ADQL with ``{name}`` where values go, outside of quotes.
    values
        Numbers, texts, booleans, lists of numbers or texts (for ``IN``), a place as `SkyCoord` (a POINT in
        ICRS), and tables of astropy or pandas (uploaded, and named ``TAP_UPLOAD.name``).

    Raises
    ------
    BadQuery
        If a value is missing or has no literal, or ``{name}`` stands within quotes.
    """
    uploads: dict[str, Table] = {}

    def replaced(piece: re.Match[str]) -> str:
        """What stands in the query in place of a piece; tables become uploads."""
        if piece["comment"] is not None:
            return piece[0]
        if piece["text"] is not None:
            return _kept(piece[0])
        if piece["loose"] is not None:
            line = query.count("\n", 0, piece.start()) + 1
            raise BadQuery(f"line {line}: {piece[0]} has no counterpart; a value is written {{name}}")
        name = piece["name"].strip()
        if name not in values:
            raise BadQuery(f"there is no value for {{{name}}}: give {name}=…, or assign the variable before")
        table = _as_table(values[name])
        if table is None:
            return literal(values[name], name)
        uploads[name] = table
        return f"TAP_UPLOAD.{name}"

    return BoundQuery(_PIECE.sub(replaced, query), uploads)


def _kept(text: str) -> str:
    """Text in quotes as it stands; a value cannot be put into it."""
    if (found := _IN_QUOTES.search(text)) is not None:
        raise BadQuery(
            f"{found[0]} stands within quotes, where no value is put in: write {found[0]} without them"
        )
    return text


def literal(value: Any, name: str = "value") -> str:
    """Write a value as ADQL has it.

    Raises
    ------
    BadQuery
        If it has no literal; the message names it by ``name``.
    """
    if isinstance(value, SkyCoord) and value.isscalar:
        place = value.icrs
        return f"POINT({literal(float(place.ra.deg), name)}, {literal(float(place.dec.deg), name)})"
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | np.integer):
        return _whole(int(value), name)
    if isinstance(value, float | np.floating):
        return _number(float(value), name)
    if isinstance(value, str):
        return _text(value, name)
    if isinstance(value, list | tuple | set | frozenset | range) or _is_column(value):
        return _list(value, name)
    raise BadQuery(f"{{{name}}} is {_called(value)}, which ADQL has no literal for: {_advice(value)}")


def _whole(value: int, name: str) -> str:
    if not -(2**63) < value < 2**63:
        raise BadQuery(f"{{{name}}} is {value}, which has more than 64 bits")
    return _signed(str(value))


def _number(value: float, name: str) -> str:
    if not math.isfinite(value):
        raise BadQuery(f"{{{name}}} is {value}, which ADQL has no literal for: leave such values out")
    return _signed(repr(value))


def _signed(text: str) -> str:
    """Negative numbers stand in parentheses: two minus signs would begin a comment."""
    return f"({text})" if text.startswith("-") else text


def _text(value: str, name: str) -> str:
    if "\0" in value:
        raise BadQuery(f"{{{name}}} has a NUL character, which no text of the catalog has")
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _list(values: Any, name: str) -> str:
    """Values with commas between them."""
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    if np.ma.is_masked(values) or not 0 < len(listed) <= MOST_VALUES:
        raise BadQuery(
            f"{{{name}}} has {len(listed)} values, or values that are missing: it must have 1 to "
            f"{MOST_VALUES:,}; a Table goes with a query at any length (JOIN {{table}})"
        )
    if any(isinstance(one, list | tuple | SkyCoord) for one in listed):
        raise BadQuery(f"{{{name}}} has lists in a list: give numbers or texts")
    return ", ".join(literal(one, name) for one in listed)


def _is_column(value: Any) -> bool:
    """Whether it is an array, a column or a series without a unit that would be lost."""
    return (
        hasattr(value, "tolist") and np.ndim(value) == 1 and not isinstance(value, Quantity | Time | SkyCoord)
    )


def _as_table(value: Any) -> Table | None:
    """Table of astropy or pandas; None where it is none."""
    if isinstance(value, Table):
        return value
    is_frame = type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "columns")
    return Table.from_pandas(value) if is_frame else None


def _called(value: Any) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _advice(value: Any) -> str:
    """What to give instead."""
    if value is None:
        return "write IS NULL"
    if isinstance(value, Quantity):
        return f"give a number in the unit of the column, such as .to_value({str(value.unit)!r})"
    if isinstance(value, Time):
        return "give a number as the column has it, such as .tdb.mjd or .tdb.jd"
    return "give a number, a text, a list of them, a SkyCoord or a Table"
