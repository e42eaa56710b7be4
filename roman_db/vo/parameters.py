"""Parameters of requests (DALI 1.1, section 2.3): names with any capitals, values once or often."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from roman_db.service_failure import BadRequest


class Parameters:
    """Parameters by name.

    Parameters
    ----------
    pairs
        Names and values as they came.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.upper(), []).append(value.strip())

    def all(self, name: str) -> list[str]:
        """Values of a parameter that may be given often, without empty ones."""
        return [value for value in self._values.get(name, []) if value]

    def one(self, name: str, default: str | None = None) -> str | None:
        """Value of a parameter that may be given once.

        Raises
        ------
        BadRequest
            If it is given with different values.
        """
        given = set(self.all(name))
        if len(given) > 1:
            raise BadRequest(f"{name} is given twice")
        return given.pop() if given else default

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """Number in a range.

        Raises
        ------
        BadRequest
            If it is missing and has no default, or is no such number.
        """
        text = self.one(name)
        if text is None and default is not None:
            return default
        if text is None:
            raise BadRequest(f"{name} is missing: a number from {low:g} to {high:g}")
        return number(name, text, low, high)

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """Whole number; one above the range is taken for its end.

        Raises
        ------
        BadRequest
            If it is none, or below the range.
        """
        text = self.one(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit()) or int(text[:19]) < low:
            raise BadRequest(f"{name} must be a whole number from {low} on, got {text[:60]!r}")
        return min(int(text[:19]), high)

    def choice(self, name: str, choices: Mapping[str, object], default: str) -> str:
        """One of some words, whatever its capitals.

        Raises
        ------
        BadRequest
            If it is another.
        """
        text = self.one(name, default) or default
        if text.lower() not in choices:
            raise BadRequest(f"{name} must be one of {', '.join(choices)}, got {text[:60]!r}")
        return text.lower()


def number(name: str, text: str, low: float, high: float) -> float:
    """Read a number in a range; raises `BadRequest` where it is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise BadRequest(f"{name} must be a number from {low:g} to {high:g}, got {text[:60]!r}")
    return value
