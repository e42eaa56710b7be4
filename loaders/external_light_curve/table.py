"""A table of light curves as it stands, whatever its format: some of its rows, or all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from loaders.external_light_curve.columns import ReadColumn, at_new_places, joined_column

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LightCurveTable:
    """Rows of a table.

    Parameters
    ----------
    path
        File.
    columns
        By name, all of n rows.
    units
        By name of the column, where the file states one.
    rows
        Shape (n,): number of each; in text lines from 1, else rows from 0.
    bad
        Rows that could not be read, by their place, with what is wrong.
    """

    path: Path
    columns: Mapping[str, ReadColumn]
    units: Mapping[str, str]
    rows: IntArray
    bad: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.rows.size)

    def take(self, chosen: IntArray) -> LightCurveTable:
        """Rows at some places."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        bad = at_new_places(self.bad, chosen)
        return LightCurveTable(self.path, columns, self.units, self.rows[chosen], bad)


class TableFile(Protocol):
    """An open table, of which little more than the names of the columns has been read."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def names(self) -> Sequence[str]:
        """Names of its columns."""

    def batches(self, texts: Collection[str], numbers: Collection[str] = ()) -> Iterator[LightCurveTable]:
        """Read columns of all rows, some thousand rows at a time: as coded texts, and as numbers."""


def joined(tables: Sequence[LightCurveTable]) -> LightCurveTable:
    """Rows of several tables of the same columns, one after the other."""
    first = tables[0]
    if len(tables) == 1:
        return first
    columns = {name: joined_column([table.columns[name] for table in tables]) for name in first.columns}
    bad: dict[int, str] = {}
    start = 0
    for table in tables:
        bad |= {start + place: what for place, what in table.bad.items()}
        start += len(table)
    return LightCurveTable(first.path, columns, first.units, np.concatenate([t.rows for t in tables]), bad)
