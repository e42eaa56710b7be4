"""The sky that exposures cover, kept until there are load runs that may have changed it."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from roman_db.tap.accounting import RoleConnections
from roman_db.vo.stored import rows_of

#: Seconds for which it is kept while a load runs.
_KEPT_S = 60.0
#: Area of a pixel of order 29, deg2.
_PIXEL_AREA = 4 * 180.0**2 / math.pi / (12 * 4**29)

Ranges = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class _Kept:
    """Ranges, with what they were made of, and when (monotonic, s)."""

    version: tuple[Any, ...]
    read_at: float
    ranges: Ranges


class StoredCoverage:
    """Coverage by optical element; to join all footprints takes long, so it is done where they are others."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._kept: dict[str, _Kept] = {}

    async def ranges(self, connections: RoleConnections, element: str) -> Ranges:
        """Ranges of nested HEALPix pixels of order 29, ascending and apart, shape (n, 2); ends are excluded.

        Parameters
        ----------
        connections
            Where it is read.
        element
            Optical element; empty for all.
        """
        async with self._one_at_a_time:
            (now,) = await rows_of(connections, "coverage_version")
            version = (now["n_run"], now["latest_end"], now["n_running"])
            kept = self._kept.get(element)
            is_fresh = not now["n_running"] or (kept and time.monotonic() - kept.read_at < _KEPT_S)
            if kept is None or kept.version != version or not is_fresh:
                rows = await rows_of(connections, "coverage", element=element)
                pairs = [(row["first_pixel"], row["end_pixel"]) for row in rows]
                ranges = np.array(pairs, np.uint64).reshape(-1, 2)
                kept = _Kept(version, time.monotonic(), ranges)
                if len(ranges):  # names of elements that there are not are not kept
                    self._kept[element] = kept
            return kept.ranges

    async def area(self, connections: RoleConnections) -> float:
        """Area of the sky that any exposure covers, in square degrees; as `ranges`."""
        first, end = (await self.ranges(connections, "")).T
        return float((end - first).sum() * _PIXEL_AREA)
