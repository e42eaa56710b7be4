"""Tables of light curves in text: with or without names of columns, divided by whatever mark."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np

from loaders.external_light_curve.columns import ReadColumn, coded_texts, numbers_of
from loaders.external_light_curve.table import LightCurveTable
from loaders.input_file import beginning, read_bytes
from loaders.rejection import Rejected

_HEAD = 4096
_DELIMITERS = (",", ";", "\t", "|")

_BATCH_ROWS = 20_000
"""Rows that are texts at a time: a kilobyte each."""

_Line = tuple[int, str]


class TextFile:
    """A table in text, read to its first row.

    Names of columns may stand in the first line, or in the comment (#) before the first row; else they are
    col1, col2 and so on. Columns are divided by commas, semicolons, tabs, bars or blanks.

    Parameters
    ----------
    path
        File.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``unknown_format``, ``no_rows``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        comment, rows = _begun(self._lines())
        first = next(rows, None)
        if first is None:
            raise self._without_rows()
        self._delimiter = next((mark for mark in _DELIMITERS if mark in first[1]), None)
        fields = _fields(first[1], self._delimiter)
        self._has_names = not any(map(_is_number, fields))
        above = fields if self._has_names else _names_above(comment, self._delimiter, len(fields))
        self.names: Sequence[str] = _distinct(above or [f"col{k}" for k in range(1, len(fields) + 1)])
        if self._has_names and next(rows, None) is None:
            raise self._without_rows()

    def batches(self, texts: Collection[str], numbers: Collection[str] = ()) -> Iterator[LightCurveTable]:
        """Read columns, some thousand rows at a time; text states no units."""
        rows = islice(_begun(self._lines())[1], int(self._has_names), None)
        while batch := list(islice(rows, _BATCH_ROWS)):
            yield self._table(batch, texts, numbers)

    def _table(
        self, batch: Sequence[_Line], texts: Collection[str], numbers: Collection[str]
    ) -> LightCurveTable:
        """Rows of a batch."""
        width = len(self.names)
        cells, bad = [_fields(line, self._delimiter) for _, line in batch], {}
        for place, row in enumerate(cells):
            if len(row) != width:
                bad[place] = f"it has {len(row)} values, and the table has {width} columns"
                cells[place] = [""] * width
        columns: dict[str, ReadColumn] = {}
        for k, name in enumerate(self.names):
            if name in texts:
                columns[name] = coded_texts([row[k] for row in cells])
            elif name in numbers:
                columns[name] = numbers_of([row[k] for row in cells])
        lines = np.array([number for number, _ in batch], dtype=np.int64)
        return LightCurveTable(self.path, columns, {}, lines, bad)

    def _lines(self) -> Iterator[_Line]:
        """Lines with their numbers, blanks around them stripped."""
        try:
            with self.path.open(encoding="utf-8-sig") as stream:
                whole = chain.from_iterable(line.splitlines() for line in stream)
                for number, line in enumerate(whole, 1):
                    if "\0" in line:
                        raise self._no_text()
                    yield number, line.strip()
        except UnicodeDecodeError as error:
            raise self._no_text() from error

    def _no_text(self) -> Rejected:
        """Why the file is refused that is no text."""
        head = read_bytes(self.path, "one file: a table of light curves", _HEAD)
        what = f"neither a table in text nor Parquet, FITS, VOTable or ECSV: it is {beginning(head)}"
        remedy = "Decompress it" if head.startswith(b"\x1f\x8b") else "Convert it to one of these"
        return Rejected(str(self.path), what, remedy, "unknown_format")

    def _without_rows(self) -> Rejected:
        """Why the file is refused that has nothing but comments and names."""
        remedy = "Give a table with light curves"
        return Rejected(str(self.path), "the table has no rows", remedy, "no_rows")


def _begun(lines: Iterator[_Line]) -> tuple[str | None, Iterator[_Line]]:
    """The last comment before the first row, and the rows."""
    comment = None
    for number, line in lines:
        if line.startswith("#"):
            comment = line
        elif line:
            return comment, chain([(number, line)], filter(_is_row, lines))
    return comment, iter(())


def _is_row(line: _Line) -> bool:
    """Whether a line is neither empty nor a comment."""
    return bool(line[1]) and not line[1].startswith("#")


def _fields(line: str, delimiter: str | None) -> list[str]:
    """Values of a line."""
    if delimiter is None:
        return line.split()
    fields = [one.strip() for one in line.split(delimiter)]
    return [one.strip('"').strip() for one in fields] if '"' in line else fields


def _names_above(comment: str | None, delimiter: str | None, number: int) -> list[str] | None:
    """Names of columns in the comment before the first row, if it has as many."""
    if comment is None:
        return None
    text = comment.lstrip("# ")
    for mark in (delimiter, None):
        names = [re.sub(r"[\[(].*", "", one).strip() for one in _fields(text, mark)]
        if len(names) == number and all(names) and not any(map(_is_number, names)):
            return names
    return None


def _is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _distinct(names: list[str]) -> list[str]:
    """Names, those that come again with their number."""
    return [name if name and name not in names[:k] else f"col{k + 1}" for k, name in enumerate(names)]
