"""The sky that is covered, as maps (MOC 2.0) coarse enough to be drawn."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from mocpy import MOC

from roman_db.portal.reading import rows

#: Finest order that is drawn: cells of 6 arcsec; and the order in which the database keeps ranges.
_DRAWN, _STORED = 15, 29
_RANGE = re.compile(r"\[(\d+),(\d+)\)")


def coverage() -> list[dict[str, Any]]:
    """Maps of the sky that exposures cover by optical element: order, and pixels, as JSON has a MOC."""
    return [
        {"optical_element": one["optical_element"], "moc": moc_of(str(one["footprint"]))}
        for one in rows("coverage")
    ]


def moc_of(ranges: str) -> dict[str, list[int]]:
    """Map of ranges of HEALPix indices of order 29, as PostgreSQL writes a multirange."""
    pairs = np.array([(int(low), int(high)) for low, high in _RANGE.findall(ranges)], np.uint64).reshape(
        -1, 2
    )
    whole = MOC.from_depth29_ranges(_STORED, pairs)
    found: dict[str, list[int]] = whole.degrade_to_order(_DRAWN).serialize(format="json")
    return found
