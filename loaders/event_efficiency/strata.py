"""Which star a trial gets: strata of magnitude and field take turns, stars within one in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ConstantStar:
    """A star into whose light curve an event may be injected.

    Parameters
    ----------
    object_id
        The star.
    cell
        Cell of its magnitude.
    field_id
        Field in which it was observed; None where that is not known.
    """

    object_id: int
    cell: int
    field_id: int | None


def strata(stars: Sequence[ConstantStar]) -> list[list[ConstantStar]]:
    """Stars by magnitude and field, in order of both; those of a stratum in the order given."""
    found: dict[tuple[int, int], list[ConstantStar]] = {}
    for star in stars:
        found.setdefault((star.cell, -1 if star.field_id is None else star.field_id), []).append(star)
    return [found[key] for key in sorted(found)]


def star_of(number: int, groups: Sequence[Sequence[ConstantStar]]) -> tuple[ConstantStar, bool]:
    """The star of a trial, and whether this is its first turn: a stratum begins again when all had theirs.

    Parameters
    ----------
    number
        Number of the trial, from 0: how many there are in all does not matter.
    groups
        Strata, one at least, none empty.
    """
    group = groups[number % len(groups)]
    turn, place = divmod(number // len(groups), len(group))
    return group[place], turn == 0
