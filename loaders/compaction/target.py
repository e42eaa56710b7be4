"""Where the blocks go that a compaction makes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A generation, its place, and the last day (MJD TDB) that its partition may hold."""

    generation: int
    place: str
    last_mjd: int
