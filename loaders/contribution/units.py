"""Units of contributed numbers: VOUnits, as everywhere here."""

from __future__ import annotations

import warnings

from astropy import units as u

#: What RAD's tables say of numbers without a unit.
NONE = "none"


def unit_fault(unit: object) -> str | None:
    """Say what is wrong with a unit; None for nothing."""
    if unit == NONE:
        return None
    if not isinstance(unit, str) or not unit.strip():
        return f"a number says its unit, or {NONE!r}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            u.Unit(unit, format="vounit")
    except (ValueError, TypeError, u.UnitsWarning) as error:
        return f"{unit!r} is no unit of VOUnits ({str(error).splitlines()[0]})"
    return None
