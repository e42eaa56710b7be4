"""Which ranges of objects are on which shard: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

#: First number after those of objects: pixels of HEALPix at order 29.
END = 12 * 4**29


@dataclass(frozen=True, order=True)
class Range:
    """Objects [from_object_id, to_object_id) and the shard that they are on; None for this server."""

    from_object_id: int
    to_object_id: int
    shard: str | None


def assign(ranges: Sequence[Range], new: Range) -> list[Range]:
    """Return the ranges after one of them, or a part of some, was given to a shard, or taken back.

    Parameters
    ----------
    ranges
        Ranges of shards, which do not overlap.
    new
        The range that is given to a shard; with None as the shard it is taken from all.

    Returns
    -------
    list of Range
        The ranges in order; neighbours on the same shard are one.

    Raises
    ------
    ValueError
        If the range is empty or beyond the numbers of objects.
    """
    if not 0 <= new.from_object_id < new.to_object_id <= END:
        raise ValueError(
            f"objects {new.from_object_id} to {new.to_object_id} are no range: from must be below to, "
            f"both between 0 and {END}"
        )
    left = [part for one in ranges for part in _outside(one, new)]
    return _joined(sorted([*left, *([new] if new.shard is not None else [])]))


def _outside(one: Range, other: Range) -> list[Range]:
    """Parts of a range that are not in the other."""
    below = replace(one, to_object_id=min(one.to_object_id, other.from_object_id))
    above = replace(one, from_object_id=max(one.from_object_id, other.to_object_id))
    return [part for part in (below, above) if part.from_object_id < part.to_object_id]


def _joined(ranges: Sequence[Range]) -> list[Range]:
    """Ranges in order, with neighbours on the same shard made one."""
    joined: list[Range] = []
    for one in ranges:
        last = joined[-1] if joined else None
        if last is not None and last.to_object_id == one.from_object_id and last.shard == one.shard:
            joined[-1] = replace(last, to_object_id=one.to_object_id)
        else:
            joined.append(one)
    return joined
