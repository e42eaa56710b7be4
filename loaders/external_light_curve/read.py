"""Tables of light curves: text with or without names of columns, and what catalogs may be."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.catalog.read import read_catalog
from loaders.catalog.table import Column
from loaders.input_file import beginning, read_bytes
from loaders.rejection import Rejected

FloatArray = npt.NDArray[np.float64]

_HEAD = 4096
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class LightCurveTable:
    """A table as it stands.

    Parameters
    ----------
    path
        File.
    columns
        By name: arrays of one shape (n,), masked where the file has no value; those of text files are texts.
    units
        By name of the column, where the file states one.
    row_name
        What a row is called by: ``line`` of a text file, ``row`` else.
    rows
        Shape (n,): number of each, lines from 1, rows from 0.
    bad
        Rows that could not be read, with what is wrong.
    """

    path: Path
    columns: dict[str, Column]
    units: dict[str, str]
    row_name: str
    rows: npt.NDArray[np.int64]
    bad: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.rows.size)


def read_table(path: Path) -> LightCurveTable:
    """Read a table: CSV or other text, ECSV, Parquet, VOTable or FITS, told from the content.

    Text may have names of columns in its first line, or in the comment (#) before its first row; else they
    are called col1, col2 and so on. Columns are divided by commas, semicolons, tabs, bars or blanks.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``empty_file``, ``no_rows``, ``unknown_format``,
        ``unreadable_catalog``.
    """
    head = read_bytes(path, "one file: a table of light curves", _HEAD)
    if not head:
        raise Rejected(str(path), "the file is empty", "Fetch or write it again", "empty_file")
    if (
        head.startswith((b"PAR1", b"SIMPLE  ="))
        or b"<VOTABLE" in head
        or head.lstrip().startswith(b"# %ECSV")
    ):
        columns, file = read_catalog(path)
        units = {name: info.unit for name, info in file.columns.items() if info.unit}
        return LightCurveTable(path, columns, units, "row", np.arange(file.n_row))
    try:
        text = read_bytes(path, "one file: a table of light curves").decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        what = f"neither a table in text nor Parquet, FITS, VOTable or ECSV: it is {beginning(head)}"
        remedy = "Decompress it" if head.startswith(b"\x1f\x8b") else "Convert it to one of these"
        raise Rejected(str(path), what, remedy, "unknown_format")
    return _read_text(path, text)


def as_numbers(column: Column) -> tuple[FloatArray, dict[int, str]]:
    """Numbers of a column of any kind.

    Returns
    -------
    values
        Shape (n,): NaN where there is none.
    bad
        Texts that are no numbers, by their place.
    """
    if column.dtype.kind in "biuf":
        return np.asarray(np.ma.filled(column.astype(np.float64), np.nan)), {}
    texts = [as_text(value) for value in np.ma.filled(column, "").tolist()]
    # Nearly always all are numbers, which is told of the whole column at once.
    with contextlib.suppress(ValueError):
        return np.array([text or "nan" for text in texts], dtype=np.float64), {}
    values, bad = np.full(len(texts), np.nan), {}
    for k, text in enumerate(texts):
        try:
            values[k] = float(text or "nan")
        except ValueError:
            bad[k] = text
    return values, bad


def as_text(value: object) -> str:
    """A value as text, blanks stripped; whole floats as integers."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _read_text(path: Path, text: str) -> LightCurveTable:
    """Read a table in text."""
    lines = [(k, line.strip()) for k, line in enumerate(text.splitlines(), 1)]
    rows = [(k, line) for k, line in lines if line and not line.startswith("#")]
    if not rows:
        raise Rejected(str(path), "the table has no rows", "Give a table with light curves", "no_rows")
    delimiter = next((mark for mark in _DELIMITERS if mark in rows[0][1]), None)
    first = _fields(rows[0][1], delimiter)
    names = _names_above(lines, rows[0][0], delimiter, len(first))
    if not any(_is_number(one) for one in first):
        names, rows = first, rows[1:]
        if not rows:
            raise Rejected(str(path), "the table has no rows", "Give a table with light curves", "no_rows")
    names = _distinct(names or [f"col{k}" for k in range(1, len(first) + 1)])
    cells, bad = [], {}
    for place, (_, line) in enumerate(rows):
        row = _fields(line, delimiter)
        if len(row) != len(names):
            bad[place] = f"it has {len(row)} values, and the table has {len(names)} columns"
            row = [""] * len(names)
        cells.append(row)
    columns = {name: np.array([row[k] for row in cells], dtype=object) for k, name in enumerate(names)}
    return LightCurveTable(
        path, dict(columns), {}, "line", np.array([k for k, _ in rows], dtype=np.int64), bad
    )


def _fields(line: str, delimiter: str | None) -> list[str]:
    """Values of a line."""
    if delimiter is None:
        return line.split()
    return [one.strip().strip('"').strip() for one in line.split(delimiter)]


def _names_above(
    lines: list[tuple[int, str]], first: int, delimiter: str | None, number: int
) -> list[str] | None:
    """Names of columns in the comment before the first row, if it has as many."""
    above = [line for k, line in lines if k < first and line.startswith("#")]
    if not above:
        return None
    text = above[-1].lstrip("# ")
    for mark in (delimiter, None):
        names = [re.sub(r"[\[(].*", "", one).strip() for one in _fields(text, mark)]
        if len(names) == number and all(names) and not any(_is_number(one) for one in names):
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
