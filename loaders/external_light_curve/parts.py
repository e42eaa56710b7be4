"""A table in parts of whole objects, so that memory need not hold it where its objects follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from loaders.external_light_curve.columns import coded
from loaders.external_light_curve.table import IntArray, LightCurveTable, joined


@dataclass
class PartPlan:
    """Which object belongs to which part, by where its rows are.

    Parameters
    ----------
    last
        Place of the last row of each object, in the order of the first rows.
    number
        Number of its rows.
    """

    last: dict[str, int] = field(default_factory=dict)
    number: dict[str, int] = field(default_factory=dict)

    def parts(self, rows_a_part: int) -> tuple[dict[str, int], list[int]]:
        """Part of each object, and place of the last row of each part."""
        part_of: dict[str, int] = {}
        end: list[int] = []
        n_row = rows_a_part
        for name, last in self.last.items():
            if n_row >= rows_a_part:
                end.append(last)
                n_row = 0
            part_of[name] = len(end) - 1
            end[-1] = max(end[-1], last)
            n_row += self.number[name]
        return part_of, end


def planned(batches: Iterable[LightCurveTable], column: str) -> PartPlan:
    """Go through the names of the objects of a table once."""
    plan = PartPlan()
    start = 0
    for table in batches:
        names = coded(table.columns[column])
        present, first = np.unique(names.code, return_index=True)
        last = names.size - 1 - np.unique(names.code[::-1], return_index=True)[1]
        number = np.bincount(names.code)[present]
        for k in np.argsort(first).tolist():
            name = names.distinct[present[k]]
            plan.last[name] = start + int(last[k])
            plan.number[name] = plan.number.get(name, 0) + int(number[k])
        start += len(table)
    return plan


def gathered(
    batches: Iterable[LightCurveTable], column: str, part_of: Mapping[str, int], end: list[int]
) -> Iterator[LightCurveTable]:
    """Rows of each part, as soon as its last has been read; memory holds the parts whose rows overlap.

    Parameters
    ----------
    batches
        The table, in its order.
    column
        That of the objects.
    part_of, end
        As `PartPlan.parts` gives them.
    """
    waiting: list[list[LightCurveTable]] = [[] for _ in end]
    start, done = 0, 0
    order = np.argsort(end, kind="stable").tolist()
    for table in batches:
        for part, rows in _split(table, column, part_of):
            waiting[part].append(rows)
        start += len(table)
        while done < len(end) and end[order[done]] < start:
            yield joined(waiting[order[done]])
            waiting[order[done]] = []
            done += 1


def _split(
    table: LightCurveTable, column: str, part_of: Mapping[str, int]
) -> Iterator[tuple[int, LightCurveTable]]:
    """Rows of each part that a batch has, in their order."""
    names = coded(table.columns[column])
    of_name = np.array([part_of.get(name, -1) for name in names.distinct], dtype=np.int64)
    part = of_name[names.code]
    if part.size == 0:
        return
    if np.all(part == part[0]):
        yield int(part[0]), table
        return
    order: IntArray = np.argsort(part, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        yield int(part[rows[0]]), table.take(rows)
