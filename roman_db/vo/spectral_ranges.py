"""Lists of ranges as Simple Spectral Access 1.1 has them (section 8.7.2), as conditions in ADQL.

``a/b`` is a range, ``a/`` and ``/b`` have an open end, a value alone is a range of its own, and commas stand
between the ranges of a list, of which one is to be met.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from astropy.time import Time

from roman_db.service_failure import BadRequest
from roman_db.vo.interval import Interval

#: Dates of ISO 8601, whole or cut after any part.
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)Z?)?)?)?")
_DAY_S = 86_400.0

#: Reads a value as the first and the last of what it names.
Read = Callable[[str, str], Interval]


def read_ranges(name: str, text: str, read: Read, least: bool = False) -> list[Interval]:
    """Ranges of a parameter.

    Parameters
    ----------
    name, text
        Of the parameter.
    read
        Reads one of its values.
    least
        Whether a value alone is the least that is wanted.

    Raises
    ------
    BadRequest
        If a value is none, or a range ends before it begins.
    """
    parts = [one.strip() for one in text.split(",")]
    return [_range(name, f"{one}/" if least and "/" not in one else one, read) for one in parts]


def read_bands(text: str) -> tuple[list[Interval], bool]:
    """Ranges of BAND, and whether they are wavelengths in the frame of the source.

    Raises
    ------
    BadRequest
        If a value is none, or the frame is neither ``observer`` nor ``source``.
    """
    ranges, _, frame = text.partition(";")
    frame = frame.strip().lower() or "observer"
    if frame not in ("observer", "source"):
        raise BadRequest(f"BAND may end in ;observer or ;source, got {text[:60]!r}")
    return read_ranges("BAND", ranges, number_in), frame == "source"


def _range(name: str, text: str, read: Read) -> Interval:
    first, slash, last = text.partition("/")
    if not slash:
        return read(name, first)
    low = read(name, first).low if first else -math.inf
    high = read(name, last).high if last else math.inf
    if not low <= high:
        raise BadRequest(f"{name} has a range that ends before it begins: {text[:60]!r}")
    return Interval(low, high)


def number_in(name: str, text: str) -> Interval:
    """Number as an interval; raises `BadRequest` where it is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadRequest(f"{name} must be numbers, or ranges such as 1/2, got {text[:60]!r}")
    return Interval(value, value)


def date_in(name: str, text: str) -> Interval:
    """What a date in UTC names, MJD: a year, a month, a day, an hour, a minute, or a moment.

    Raises
    ------
    BadRequest
        If it is no date of ISO 8601.
    """
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        return _named(*found.groups())
    except ValueError as error:
        raise BadRequest(
            f"{name} must be dates such as 2027-03-01 or 2027-03-01T12:00:00, or ranges of them such as "
            f"2027-03/2027-05, got {text[:60]!r}"
        ) from error


def _named(year: str, month: str | None, day: str | None, clock: str | None) -> Interval:
    """First and last MJD (UTC) of what parts of a date name."""
    if month is None:
        return Interval(_midnight(int(year), 1), _midnight(int(year) + 1, 1))
    if day is None:
        after = (int(year) + int(month) // 12, int(month) % 12 + 1)
        return Interval(_midnight(int(year), int(month)), _midnight(*after))
    if clock is None:
        first = _mjd(f"{year}-{month}-{day}T00:00:00")
        return Interval(first, first + 1)
    whole = clock + ":00" * (2 - clock.count(":"))
    first = _mjd(f"{year}-{month}-{day}T{whole}")
    return Interval(first, first + {0: 3600.0, 1: 60.0, 2: 0.0}[clock.count(":")] / _DAY_S)


def _midnight(year: int, month: int) -> float:
    return _mjd(f"{year:04d}-{month:02d}-01T00:00:00")


def _mjd(text: str) -> float:
    return float(Time(text, format="isot", scale="utc").mjd)


def condition(ranges: list[Interval], low: str, high: str) -> str:
    """Condition in ADQL that what lies between two columns has something of one of the ranges.

    A row in which the columns are empty meets no range.
    """
    return "(" + " OR ".join(_met(one, low, high) for one in ranges) + ")"


def _met(one: Interval, low: str, high: str) -> str:
    parts = []
    if math.isfinite(one.high):
        parts.append(f"{low} <= {one.high!r}")
    if math.isfinite(one.low):
        parts.append(f"{high} >= {one.low!r}")
    return "(" + (" AND ".join(parts) or f"{low} IS NOT NULL") + ")"
