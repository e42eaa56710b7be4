"""Columns of tables of light curves: numbers, and texts that repeat, each of which is kept once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from loaders.catalog.table import Column

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CodedTexts:
    """Texts of n rows, of which few are distinct.

    Parameters
    ----------
    code
        Shape (n,): place of the text of each row among the distinct ones.
    distinct
        The texts, ascending, each once; some may be those of no row.
    """

    code: npt.NDArray[np.int32]
    distinct: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.code.size)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[str]:
        return (self.distinct[code] for code in self.code.tolist())

    def __getitem__(self, chosen: slice | npt.NDArray[np.generic]) -> CodedTexts:
        return CodedTexts(self.code[chosen], self.distinct)

    def __eq__(self, text: object) -> BoolArray:  # type: ignore[override]  # by rows, as arrays do
        return np.array([one == text for one in self.distinct], dtype=bool)[self.code]

    __hash__ = None  # type: ignore[assignment]

    def renamed(self, names: Mapping[str, str]) -> CodedTexts:
        """Replace some texts by others, of which several may be the same."""
        return _ranked(self.code, [names.get(text, text) for text in self.distinct])


@dataclass(frozen=True)
class Numbers:
    """Numbers of n rows.

    Parameters
    ----------
    values
        Shape (n,): NaN where there is none.
    bad
        Texts that are no numbers, by their row.
    """

    values: FloatArray
    bad: dict[int, str] = field(default_factory=dict)

    def __getitem__(self, chosen: npt.NDArray[np.int64]) -> Numbers:
        return Numbers(self.values[chosen], at_new_places(self.bad, chosen))


ReadColumn = CodedTexts | Numbers
AnyColumn = Column | ReadColumn


def as_numbers(column: AnyColumn) -> Numbers:
    """Numbers of a column of any kind."""
    if isinstance(column, Numbers):
        return column
    if isinstance(column, CodedTexts):
        of_text = numbers_of(column.distinct)
        wrong = np.flatnonzero(np.isin(column.code, list(of_text.bad)))
        bad = {row: of_text.bad[code] for row, code in zip(wrong.tolist(), column.code[wrong], strict=True)}
        return Numbers(of_text.values[column.code], bad)
    if column.dtype.kind in "biuf":
        return Numbers(np.asarray(np.ma.filled(column.astype(np.float64), np.nan)))
    return as_numbers(coded(column))


def numbers_of(texts: Sequence[str]) -> Numbers:
    """Numbers that texts are; an empty one is none."""
    # Nearly always all are numbers, which is told of all at once.
    with contextlib.suppress(ValueError):
        return Numbers(np.array([text or "nan" for text in texts], dtype=np.float64))
    values, bad = np.full(len(texts), np.nan), {}
    for k, text in enumerate(texts):
        try:
            values[k] = float(text or "nan")
        except ValueError:
            bad[k] = text
    return Numbers(values, bad)


def coded(column: AnyColumn) -> CodedTexts:
    """Texts of a column of any kind: blanks stripped, whole floats as integers."""
    if isinstance(column, CodedTexts):
        return column
    if isinstance(column, Numbers):
        return coded_arrow(pa.array(column.values))
    values = np.ma.getdata(column)
    if values.dtype.kind == "O":
        return coded_texts([as_text(one) for one in np.ma.filled(column, "").tolist()])
    return coded_arrow(pa.array(values, mask=np.ma.getmaskarray(column)))


def coded_texts(texts: Sequence[str]) -> CodedTexts:
    """Texts as they are."""
    return coded_arrow(pa.array(texts, pa.string()))


def coded_arrow(array: pa.Array) -> CodedTexts:
    """Texts of a column of Arrow; those of nulls are empty."""
    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    texts = ["" if one is None else as_text(one) for one in array.dictionary.to_pylist()]
    code = array.indices.fill_null(len(texts)) if array.null_count else array.indices
    return _ranked(code.to_numpy(), [*texts, ""])


def same_text(text: str, number: int) -> CodedTexts:
    """One text for all rows."""
    return CodedTexts(np.zeros(number, np.int32), (text,))


def as_text(value: object) -> str:
    """A value as text, blanks stripped; whole floats as integers."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def joined_column(parts: Sequence[ReadColumn]) -> ReadColumn:
    """Parts of a column, all of one kind, one after the other."""
    if texts := [part for part in parts if isinstance(part, CodedTexts)]:
        start = np.cumsum([0, *(len(part.distinct) for part in texts)])
        code = np.concatenate([part.code + first for part, first in zip(texts, start, strict=False)])
        return _ranked(code, [text for part in texts for text in part.distinct])
    numbers = [part for part in parts if isinstance(part, Numbers)]
    bad: dict[int, str] = {}
    n_row = 0
    for part in numbers:
        bad |= {n_row + row: text for row, text in part.bad.items()}
        n_row += part.values.size
    return Numbers(np.concatenate([part.values for part in numbers]), bad)


def at_new_places(said: dict[int, str], chosen: npt.NDArray[np.int64]) -> dict[int, str]:
    """What is said of some rows, by their places among chosen rows."""
    if not said:
        return {}
    found = np.flatnonzero(np.isin(chosen, list(said)))
    return {new: said[old] for new, old in zip(found.tolist(), chosen[found].tolist(), strict=True)}


def _ranked(code: npt.NDArray[np.integer], texts: Sequence[str]) -> CodedTexts:
    """Texts coded by a list in which they may stand in any order, and more than once."""
    distinct, rank = np.unique(np.array(texts, dtype=object), return_inverse=True)
    return CodedTexts(rank.astype(np.int32)[code], tuple(distinct.tolist()))
