"""Rows of a FITS binary table (FITS 4.0, section 7.3), made from Arrow arrays.

Text has the width of the longest value, in ASCII. Arrays stand behind the rows, in the heap. NULL is NaN, an
empty text or array, a zero byte for a truth, or the smallest integer, which TNULL names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from roman_db.query.formats.text import POSTGRESQL, as_text

_CODES = {
    pa.int16(): ("I", ">i2"),
    pa.int32(): ("J", ">i4"),
    pa.int64(): ("K", ">i8"),
    pa.float32(): ("E", ">f4"),
    pa.float64(): ("D", ">f8"),
    pa.bool_(): ("L", "u1"),
    pa.uint8(): ("B", "u1"),
}
_TRUE, _FALSE, _UNKNOWN = b"TF\x00"
_DESCRIPTOR = ">i8"


@dataclass
class Extent:
    """How large the values of a column are.

    Parameters
    ----------
    longest
        Characters of its longest text, or elements of its longest array.
    heap
        Bytes of all its arrays.
    """

    longest: int = 0
    heap: int = 0

    def grow(self, array: pa.Array) -> None:
        """Take a block of rows into account."""
        lengths = _lengths(array)
        if lengths is not None and len(lengths):
            self.longest = max(self.longest, int(lengths.max()))
            self.heap += int(lengths.sum()) * _element_size(array.type)


@dataclass(frozen=True)
class Form:
    """TFORM of a column, and the numpy type that its values have in a row."""

    tform: str
    wire: np.dtype[Any]


def form_of(type_: pa.DataType, extent: Extent) -> Form:
    """Form of a column whose values are so large."""
    if _is_text(type_):
        width = max(extent.longest, 1)
        return Form(f"{width}A", np.dtype(f"S{width}"))
    if (element := _element(type_)) is not None:
        return Form(f"1Q{_CODES[element][0]}({extent.longest})", np.dtype((_DESCRIPTOR, 2)))
    code, wire = _CODES[type_]
    return Form(code, np.dtype(wire))


def null_of(type_: pa.DataType) -> int | None:
    """TNULL of a column, None where it has none."""
    return int(np.iinfo(type_.to_pandas_dtype()).min) if pa.types.is_integer(type_) else None


def rows_of(batch: pa.RecordBatch, forms: list[Form], heap_at: int) -> tuple[bytes, int]:
    """Rows, and the byte of the heap at which the arrays of the next block begin.

    Parameters
    ----------
    batch
        At least one column.
    forms
        Those of the columns.
    heap_at
        Byte of the heap at which the arrays of this block begin; they stand there column by column.
    """
    rows = np.zeros(batch.num_rows, np.dtype([(f"f{k}", form.wire) for k, form in enumerate(forms)]))
    for number, array in enumerate(batch.columns):
        if _is_text(array.type):
            rows[f"f{number}"] = _ascii(array).to_numpy(zero_copy_only=False).astype(forms[number].wire)
        elif _element(array.type) is None:
            rows[f"f{number}"] = _wire(array)
        else:
            count = _counts(array)
            end = heap_at + _element_size(array.type) * np.cumsum(count)
            rows[f"f{number}"] = np.stack([count, end - _element_size(array.type) * count], axis=1)
            heap_at = int(end[-1]) if end.size else heap_at
    return rows.tobytes(), heap_at


def heap_of(batch: pa.RecordBatch) -> bytes:
    """Arrays of a block, column by column."""
    return b"".join(_heap(array) for array in batch.columns if _element(array.type) is not None)


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_timestamp(type_))


def _element(type_: pa.DataType) -> pa.DataType | None:
    """Type of the elements of an array; None for a single value."""
    if pa.types.is_binary(type_):
        return pa.uint8()
    return type_.value_type if pa.types.is_list(type_) else None


def _element_size(type_: pa.DataType) -> int:
    """Bytes in the heap of each element of an array; 0 for what has no place there."""
    element = _element(type_)
    return 0 if element is None else np.dtype(_CODES[element][1]).itemsize


def _ascii(array: pa.Array) -> pa.Array:
    """Values of text as FITS may have them: what is not printable ASCII becomes a question mark."""
    if pa.types.is_timestamp(array.type):
        return pc.fill_null(pc.replace_substring(as_text(array, POSTGRESQL), "Z", ""), "")
    return pc.fill_null(pc.replace_substring_regex(array, r"[^\x20-\x7e]", "?"), "")


def _lengths(array: pa.Array) -> npt.NDArray[np.int64] | None:
    """Size of each value; None where all have the same."""
    if _is_text(array.type):
        lengths: npt.NDArray[np.int64] = pc.binary_length(_ascii(array)).to_numpy(zero_copy_only=False)
        return lengths
    return None if _element(array.type) is None else _counts(array)


def _counts(array: pa.Array) -> npt.NDArray[np.int64]:
    """Elements of each array; NULL has none."""
    measure = pc.binary_length if pa.types.is_binary(array.type) else pc.list_value_length
    counts: npt.NDArray[np.int64] = pc.fill_null(measure(array), 0).to_numpy(zero_copy_only=False)
    return counts.astype(np.int64)


def _heap(array: pa.Array) -> bytes:
    """Elements of all arrays of a column."""
    if pa.types.is_binary(array.type):
        return b"".join(one or b"" for one in array.to_pylist())
    return _wire(array.flatten()).tobytes()


def _wire(array: pa.Array) -> npt.NDArray[Any]:
    """Single values in network order."""
    if pa.types.is_boolean(array.type):
        known = np.where(pc.fill_null(array, False).to_numpy(zero_copy_only=False), _TRUE, _FALSE)
        return np.where(array.is_null().to_numpy(zero_copy_only=False), _UNKNOWN, known).astype(np.uint8)
    filler: Any = np.nan if pa.types.is_floating(array.type) else null_of(array.type)
    values = pc.fill_null(array, pa.scalar(filler, array.type)).to_numpy(zero_copy_only=False)
    wire: npt.NDArray[Any] = values.astype(_CODES[array.type][1])
    return wire
