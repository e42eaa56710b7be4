"""Pages as HTML: templates with values put in, everything escaped."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import jinja2

_SHARED = Path(__file__).parent / "templates"

_UNKNOWN = "–"


def environment(*folders: Path) -> jinja2.Environment:
    """Templates of some folders and those that all pages share.

    They escape whatever is put in, and refuse what they do not know.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, _SHARED]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "count": count,
        "fixed": fixed,
        "digits": digits,
        "duration": duration,
        "measured": measured,
    }
    return made


def count(value: int | None) -> str:
    """Whole number with thousands apart."""
    return _UNKNOWN if value is None else f"{value:,}"


def fixed(value: float | None, places: int) -> str:
    """Number with so many places; a dash for what is unknown."""
    return _UNKNOWN if value is None or value != value else f"{value:.{places}f}"


def digits(value: float | None, number: int = 3) -> str:
    """Number with so many digits that count; a dash for what is unknown."""
    return _UNKNOWN if value is None or value != value else f"{value:.{number}g}"


def measured(value: float, error: float) -> str:
    """Value with its standard error, which has two digits that count; NaN: not determined."""
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return f"{value:.8g} ± {_UNKNOWN}"
    places = 1 - math.floor(math.log10(error))
    if places < 0:
        return f"{round(value, places):.0f} ± {round(error, places):.0f}"
    # Beyond that, a number of days has no more digits in a float.
    return f"{value:.{min(places, 9)}f} ± {error:.{min(places, 9)}f}"


def duration(value: timedelta | None) -> str:
    """Length of time in the two units that matter, such as ``3 min 20 s``."""
    if value is None:
        return _UNKNOWN
    seconds = value.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
