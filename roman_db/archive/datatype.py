"""Types of the archive's columns, which are those of Transact-SQL, and which values fit them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime

_TEXT = re.compile(r"n(?:var)?char\((?P<length>\d+|max)\)")
_INTEGER_BITS = {"smallint": 16, "int": 32, "bigint": 64}
#: datetime2 has seven digits of a second; no time zone, for all times are UTC.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,7})?")


def fault(value: object, datatype: str) -> str | None:
    """Say why a value does not fit a type of the archive; None if it does.

    Raises
    ------
    ValueError
        If the type is not known here.
    """
    if match := _TEXT.fullmatch(datatype):
        return _text_fault(value, datatype, match["length"])
    if datatype in _INTEGER_BITS:
        return _integer_fault(value, datatype)
    if datatype in _OTHERS:
        return None if _OTHERS[datatype](value) else f"{value!r} is no {datatype}"
    raise ValueError(f"{datatype!r} is no type of the archive that is known here")


def _text_fault(value: object, datatype: str, length: str) -> str | None:
    """Fault of a text; a flag is a character in the archive, and a boolean in RAD."""
    if isinstance(value, bool):
        return None if length == "1" else f"{value!r} is no {datatype}"
    if not isinstance(value, str):
        return f"{value!r} is no {datatype}"
    if length != "max" and len(value) > int(length):
        return f"{value!r} has {len(value)} characters and does not fit {datatype}"
    return None


def _integer_fault(value: object, datatype: str) -> str | None:
    """Fault of an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        return f"{value!r} is no {datatype}"
    most = 2 ** (_INTEGER_BITS[datatype] - 1)
    return None if -most <= value < most else f"{value} does not fit {datatype}"


def _is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_time(value: object) -> bool:
    """Whether a value is a time that exists."""
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True


_OTHERS: dict[str, Callable[[object], bool]] = {
    "float": _is_number,
    "real": _is_number,
    "datetime2": _is_time,
    "bit": lambda value: isinstance(value, bool),
}
