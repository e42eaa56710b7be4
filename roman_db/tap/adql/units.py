"""Units of what is computed (VOUnits 1.1), by astropy."""

from __future__ import annotations

import warnings
from functools import lru_cache

from astropy import units as u


class UnitError(ValueError):
    """A unit that is none, or that another cannot be converted to."""


@lru_cache(maxsize=1024)
def conversion_factor(source: str, target: str) -> float:
    """Return the number by which a value in one unit is multiplied to be in another.

    Raises
    ------
    UnitError
        If one of them is no unit, they have different dimensions, or no number does it (magnitudes).
    """
    first, second = parsed(source), parsed(target)
    if first == second:
        return 1.0
    try:
        return float(first.to(second))
    except (u.UnitConversionError, u.UnitTypeError, TypeError, ValueError) as error:
        message = (
            f"{source!r} ({first.physical_type}) cannot be converted to {target!r} ({second.physical_type})"
        )
        raise UnitError(message) from error


@lru_cache(maxsize=1024)
def parsed(unit: str) -> u.UnitBase:
    """Return a unit from its text in VOUnits.

    Raises
    ------
    UnitError
        If the text is no unit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)
            return u.Unit(unit, format="vounit")
    except (ValueError, TypeError) as error:
        raise UnitError(f"{unit[:40]!r} is no unit of the standard VOUnits") from error


def sum_unit(left: str | None, right: str | None, has_number: bool) -> str | None:
    """Unit of a sum: the one that both have, or that of a value to which a plain number is added."""
    if left == right:
        return left
    return (left or right) if has_number and not (left and right) else None
