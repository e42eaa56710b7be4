"""Intervals of SODA 1.0, sections 3.3.4 and 3.3.5: BAND in wavelengths, TIME in MJD of UTC."""

from __future__ import annotations

import math
from dataclasses import dataclass

from astropy.time import Time

from roman_db.service_failure import BadRequest
from roman_db.vo.parameters import Parameters

#: Filters of SODA that are taken, and the one that is not.
TAKEN, POLARIZATION = ("CIRCLE", "POLYGON", "POS", "BAND", "TIME"), "POL"


@dataclass(frozen=True)
class Interval:
    """Numbers from one to another, both included; an open end is infinite."""

    low: float = -math.inf
    high: float = math.inf

    def meets(self, low: float, high: float) -> bool:
        """Whether another interval has anything of it."""
        return self.low <= high and low <= self.high


#: All numbers.
ALL = Interval()


def read_interval(parameters: Parameters, name: str) -> Interval:
    """Interval of a parameter, all numbers where it is not given.

    Parameters
    ----------
    parameters
        Of the request.
    name
        BAND (m) or TIME (MJD, UTC).

    Raises
    ------
    BadRequest
        If it is given twice, or is no interval.
    """
    text = parameters.one(name)
    if text is None:
        return ALL
    try:
        low, high = (float(part) for part in text.split())
    except ValueError:
        low = high = math.nan
    if not low <= high:
        raise BadRequest(
            f"{name} must be two numbers, the smaller first, -Inf or +Inf for an open end, got {text[:60]!r}"
        )
    return Interval(low, high)


def in_tdb(utc: Interval) -> Interval:
    """Interval of times in TDB, MJD, of one in UTC."""
    return Interval(*(_tdb(mjd) if math.isfinite(mjd) else mjd for mjd in (utc.low, utc.high)))


def _tdb(mjd_utc: float) -> float:
    """Time in TDB; the least that is read, 1960, is when UTC began."""
    if not 36934 <= mjd_utc <= 100_000:
        raise BadRequest(f"TIME must be between MJD 36934 and 100000, got {mjd_utc:g}")
    return float(Time(mjd_utc, format="mjd", scale="utc").tdb.mjd)


def refuse_filters(parameters: Parameters, taken: tuple[str, ...], what: str) -> None:
    """Refuse filters of SODA that make no sense for a product.

    Raises
    ------
    BadRequest
        With those that do.
    """
    for name in (*TAKEN, POLARIZATION):
        if name not in taken and parameters.all(name):
            raise BadRequest(f"{name} is not supported for {what}: take {', '.join(taken)}")
