"""The sky that is covered, as maps (MOC 2.0) coarse enough to be drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from roman_db.portal.reading import rows

#: Finest order that is drawn, of cells of 6 arcsec; and the order in which the database keeps ranges.
_DRAWN, _STORED = 15, 29
_RANGE = re.compile(r"\[(\d+),(\d+)\)")


def coverage() -> list[dict[str, Any]]:
    """Maps of the sky that exposures cover by optical element: order, and pixels, as JSON has a MOC."""
    return [
        {"optical_element": one["optical_element"], "moc": moc_of(str(one["footprint"]))}
        for one in rows("coverage")
    ]


def moc_of(ranges: str) -> dict[str, list[int]]:
    """Map of ranges of HEALPix indices of order 29, as PostgreSQL writes a multirange.

    Cells that are covered in part are in it; four that have the same parent are written as that.
    """
    found: dict[str, list[int]] = {}
    for low, high in _drawn(ranges):
        at = low
        while at < high:
            size = 0
            while size < _DRAWN and at % 4 ** (size + 1) == 0 and at + 4 ** (size + 1) <= high:
                size += 1
            found.setdefault(str(_DRAWN - size), []).append(at >> 2 * size)
            at += 4**size
    return found


def _drawn(ranges: str) -> Iterator[tuple[int, int]]:
    """Ranges of cells of the order that is drawn, ascending and apart."""
    shift = 2 * (_STORED - _DRAWN)
    pairs = sorted((int(low) >> shift, -(-int(high) >> shift)) for low, high in _RANGE.findall(ranges))
    begin, end = (pairs or [(0, 0)])[0]
    for low, high in pairs[1:]:
        if low > end:
            yield begin, end
            begin, end = low, high
        end = max(end, high)
    yield begin, end
