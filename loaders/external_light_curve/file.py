"""A file of light curves as points, part by part, as often as they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from loaders.external_light_curve.layout import Layout, recognised, with_name
from loaders.external_light_curve.parts import gathered, planned
from loaders.external_light_curve.points import ExternalPoints, RefusedRow, points_of
from loaders.external_light_curve.read import open_table
from loaders.external_light_curve.table import LightCurveTable, joined
from loaders.rejection import Rejected

ROWS_A_PART = 1_000_000
"""Rows from which on a part is complete; an object with more is in one part all the same."""

_NUMBERS = ("time", "value", "error", "ra", "dec", "flags")


class LightCurveFile:
    """A file in parts of whole objects: memory does not grow with it where objects follow each other.

    Parameters
    ----------
    path
        File.
    layout
        What is known of its table.

    Raises
    ------
    Rejected
        Codes of `loaders.external_light_curve.read.open_table`, and of
        `loaders.external_light_curve.layout.recognised`.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self._table = open_table(path)
        self._state = _state(path)
        names = self._table.names
        self._layout = recognised(with_name(layout, path), names, path.stem, str(path))
        self._object = str(self._layout.object)
        self._texts = sorted({self._object, str(self._layout.band)} & set(names))
        numbers = {getattr(self._layout, part) for part in _NUMBERS}
        self._numbers = sorted(numbers & set(names) - set(self._texts))
        self._whole = self._if_small()
        self._only: tuple[ExternalPoints, list[RefusedRow]] | None = None
        if self._object not in names:
            self.objects = [self._object]
        else:
            rows = self._table.batches([self._object]) if self._whole is None else [self._whole]
            plan = planned(rows, self._object)
            self.objects = sorted(plan.last)
            self._part_of, self._end = plan.parts(ROWS_A_PART)
            self.n_row = sum(plan.number.values())

    def points(
        self, known: Mapping[str, tuple[float, float]]
    ) -> Iterator[tuple[ExternalPoints, list[RefusedRow]]]:
        """Points and refused rows of each part, as `points_of` makes them; one part alone is read once."""
        if self._only is not None:
            yield self._only
        elif self._whole is not None:
            self._only = points_of(self._whole, self._layout, known)
            self._whole = None
            yield self._only
        else:
            batches = self._table.batches(self._texts, self._numbers)
            for table in gathered(batches, self._object, self._part_of, self._end):
                yield points_of(table, self._layout, known)

    def change(self) -> Rejected | None:
        """Why it is refused if it is another file than the one that was opened."""
        if _state(self.path) == self._state:
            return None
        what, remedy = "the file was changed while it was loaded", "Load it again when it is complete"
        return Rejected(str(self.path), what, remedy, "changed_file")

    def _if_small(self) -> LightCurveTable | None:
        """The whole table, if it is no larger than a part or has one object."""
        tables, n_row = [], 0
        for table in self._table.batches(self._texts, self._numbers):
            tables.append(table)
            n_row += len(table)
            if n_row > ROWS_A_PART and self._object in self._texts:
                return None
        self.n_row = n_row
        return joined(tables)


def _state(path: Path) -> tuple[int, ...] | None:
    """What changes with the content of a file; None where it is gone."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns
