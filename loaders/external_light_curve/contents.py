"""What a file has, known before any of it is stored: objects, and light curves of the same times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from loaders.external_light_curve.points import ExternalPoints

SharedTimes = tuple[str, bytes]
"""A band, and the digest of times in it: light curves that have both in common are of one block."""


@dataclass(frozen=True)
class Curve:
    """Points of one object in one band, in order of time: the points from ``start`` to ``stop``."""

    name: str
    band: str
    start: int
    stop: int

    def times(self, points: ExternalPoints) -> SharedTimes:
        """What it has in common with light curves of the same times."""
        times = points.bjd_tdb[self.start : self.stop]
        return self.band, blake2b(times.tobytes(), digest_size=16).digest()


@dataclass(frozen=True)
class Contents:
    """Objects and light curves of the parts of a file that were looked at.

    Parameters
    ----------
    place
        By name of the object: ra and dec of its first point, degrees ICRS; NaN without one.
    curves
        By name of the object: the times of each of its light curves.
    n_epoch
        Number of these times.
    """

    place: dict[str, tuple[float, float]] = field(default_factory=dict)
    curves: dict[str, list[SharedTimes]] = field(default_factory=dict)
    n_epoch: dict[SharedTimes, int] = field(default_factory=dict)

    def add(self, points: ExternalPoints) -> None:
        """Look at a part, of which no object is in another."""
        for curve in curves_of(points):
            times = curve.times(points)
            ra, dec = points.ra[curve.start], points.dec[curve.start]
            self.place.setdefault(curve.name, (float(ra), float(dec)))
            self.curves.setdefault(curve.name, []).append(times)
            self.n_epoch[times] = curve.stop - curve.start


@dataclass(frozen=True)
class BlockPlan:
    """What is known of a block before the first of its light curves is stored.

    Parameters
    ----------
    number
        Number of its first epoch in the file, from 1.
    n_object
        Number of its light curves.
    place
        Direction of its first object, degrees ICRS, for which its times at the Earth are; NaN is any.
    """

    number: int
    n_object: int
    place: tuple[float, float]


def block_plans(contents: Contents, object_id: Mapping[str, int]) -> dict[SharedTimes, BlockPlan]:
    """Plan a block for all light curves that have the same times; objects without identifier are left out.

    Raises
    ------
    ValueError
        If two of these are of one object, which has two names.
    """
    names: dict[SharedTimes, list[str]] = {}
    for name in sorted(contents.curves.keys() & object_id.keys(), key=lambda name: object_id[name]):
        for times in contents.curves[name]:
            some = names.setdefault(times, [])
            if some and object_id[some[-1]] == object_id[name]:
                raise ValueError(
                    f"{some[-1]} and {name} are one object and have the same times in {times[0]}"
                )
            some.append(name)
    first = np.cumsum([1, *(contents.n_epoch[times] for times in names)]).tolist()
    return {
        times: BlockPlan(number, len(some), contents.place[some[0]])
        for number, (times, some) in zip(first, names.items(), strict=False)
    }


def curves_of(points: ExternalPoints) -> list[Curve]:
    """Light curves of points in their order."""
    if not len(points):
        return []
    number = points.curve_number()
    edge = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1, [len(points)]]).tolist()
    name, band = points.name, points.band
    return [Curve(name.distinct[name.code[a]], band.distinct[band.code[a]], a, b) for a, b in pairwise(edge)]
