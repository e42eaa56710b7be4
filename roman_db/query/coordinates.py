"""Positions as people write them."""

from __future__ import annotations


def sexagesimal(ra: float, dec: float) -> str:
    """Position in hours and degrees of base sixty, such as ``17h50m08.06s -30d01m03.3s``.

    Parameters
    ----------
    ra, dec
        Position, deg; ``ra`` from 0 to 360.
    """
    hours, minutes, seconds = _sixty(ra / 15 % 24, 100)
    text = f"{hours % 24:02d}h{minutes:02d}m{seconds:05.2f}s"
    degrees, arcminutes, arcseconds = _sixty(abs(dec), 10)
    return f"{text} {'-' if dec < 0 else '+'}{degrees:02d}d{arcminutes:02d}m{arcseconds:04.1f}s"


def _sixty(value: float, parts: int) -> tuple[int, int, float]:
    """Whole units, minutes and seconds of a value, which is rounded to parts of a second first."""
    total = round(value * 3600 * parts)
    return total // (3600 * parts), total // (60 * parts) % 60, total % (60 * parts) / parts
