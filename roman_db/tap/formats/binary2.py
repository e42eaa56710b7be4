"""Rows of a VOTable's BINARY2 serialization (VOTable 1.4, section 5.4), made from Arrow arrays.

Each row begins with a bit for each column that is set where the value is NULL; then come the values in
network order, those of varying size after the number of their elements in four bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from roman_db.query.formats.votable import NULL_ELEMENT

ByteArray = npt.NDArray[np.uint8]

_WIRE_TYPE = {
    pa.int16(): ">i2",
    pa.int32(): ">i4",
    pa.int64(): ">i8",
    pa.float32(): ">f4",
    pa.float64(): ">f8",
}
_TRUE, _FALSE, _UNKNOWN = b"TF?"
#: Bytes of the number of elements that stands before values of varying size.
_COUNT = 4


@dataclass(frozen=True)
class EncodedColumn:
    """The values of n rows: ``pool[start[i] : start[i] + length[i]]`` is row i.

    Parameters
    ----------
    is_null
        Rows without a value, shape (n,).
    element_size
        Bytes of an element where the number of elements stands before each value; 0 where it does not.
    """

    pool: ByteArray
    start: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    is_null: npt.NDArray[np.bool_]
    element_size: int


def encode_batch(batch: pa.RecordBatch, sizes: tuple[int | None, ...]) -> ByteArray:
    """Encode rows.

    Parameters
    ----------
    batch
        Rows; at least one column.
    sizes
        For each column the number of elements of its arrays; None where it varies, and for single values.
    """
    return _interleave([_encode(array, size) for array, size in zip(batch.columns, sizes, strict=True)])


def _encode(array: pa.Array, size: int | None) -> EncodedColumn:
    """Encode one column."""
    if pa.types.is_list(array.type):
        return _encode_lists(array) if size is None else _encode_arrays(array, size)
    if pa.types.is_binary(array.type):
        return _encode_bytes(array)
    if pa.types.is_string(array.type):
        return _encode_unicode(array)
    pool = _wire(array, None)
    width = pool.size // max(len(array), 1)
    return _fixed(pool, width, _nulls(array))


def _fixed(pool: ByteArray, width: int, is_null: npt.NDArray[np.bool_]) -> EncodedColumn:
    """Column whose values all take the same number of bytes."""
    n_row = is_null.size
    start = np.arange(n_row, dtype=np.int64) * width
    return EncodedColumn(pool, start, np.full(n_row, width, np.int64), is_null, 0)


def _wire(array: pa.Array, null_integer: int | None) -> ByteArray:
    """Bytes of single values; NULL is NaN or an integer that stands for it."""
    if pa.types.is_boolean(array.type):
        known = np.where(pc.fill_null(array, False).to_numpy(zero_copy_only=False), _TRUE, _FALSE)
        return np.where(_nulls(array), _UNKNOWN, known).astype(np.uint8)
    filler: Any = np.nan if pa.types.is_floating(array.type) else null_integer or 0
    values = pc.fill_null(array, pa.scalar(filler, array.type)).to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(values.astype(_WIRE_TYPE[array.type])).view(np.uint8)


def _nulls(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Rows without a value."""
    if array.null_count == 0:
        return np.zeros(len(array), bool)
    nulls: npt.NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    return nulls


def _encode_lists(array: pa.Array) -> EncodedColumn:
    """Arrays of any number of elements; one that is missing among them is written as its FIELD says."""
    elements = array.flatten()
    sentinel = NULL_ELEMENT.get(elements.type)
    pool = _wire(elements, int(sentinel) if pa.types.is_integer(elements.type) and sentinel else None)
    width = pool.size // len(elements) if len(elements) else 1
    count = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return EncodedColumn(pool, (np.cumsum(count) - count) * width, count * width, _nulls(array), width)


def _encode_arrays(array: pa.Array, size: int) -> EncodedColumn:
    """Arrays of real numbers with so many elements each; NaN in those that are missing or have others."""
    elements = pc.fill_null(array.flatten(), np.nan).to_numpy(zero_copy_only=False)
    count = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    values = np.full((len(array), size), np.nan, elements.dtype)
    fits = count == size
    values[fits] = elements[np.repeat(fits, count)].reshape(-1, size)
    pool = values.astype(values.dtype.newbyteorder(">")).view(np.uint8).ravel()
    return _fixed(pool, values.itemsize * size, ~fits)


def _encode_bytes(array: pa.Array) -> EncodedColumn:
    """Bytes, or text of ASCII; where all have one length, it is written with the value, as of fixed size."""
    pool, offset = _buffers(array)
    length, is_null = np.diff(offset), _nulls(array)
    if length.size == 0 or np.any(length != length[0]):
        return EncodedColumn(pool, offset[:-1], length, is_null, 1)
    whole = np.empty((length.size, _COUNT + int(length[0])), np.uint8)
    whole[:, :_COUNT] = length[:1].astype(">u4").view(np.uint8)
    whole[:, _COUNT:] = pool.reshape(length.size, -1) if length[0] else 0
    return _fixed(whole.ravel(), whole.shape[1], is_null)


def _encode_unicode(array: pa.Array) -> EncodedColumn:
    """Text of any characters, two bytes each; those beyond the first 65,536 are pairs, as UTF-16 has them."""
    pool, offset = _buffers(array)
    begins = (pool & 0xC0) != 0x80
    units = np.concatenate([[0], np.cumsum(begins.astype(np.int64) + (pool >= 0xF0))])
    wide = np.frombuffer(pool.tobytes().decode("utf-8").encode("utf-16-be"), np.uint8)
    start = 2 * units[offset]
    return EncodedColumn(wide, start[:-1], np.diff(start), _nulls(array), 2)


def _buffers(array: pa.Array) -> tuple[ByteArray, npt.NDArray[np.int64]]:
    """Bytes of all values and, of length n + 1, where each begins; those of NULL are none."""
    if array.null_count:
        array = pc.fill_null(array, pa.scalar("" if pa.types.is_string(array.type) else b"", array.type))
    _, offset_buffer, data = array.buffers()
    offset = np.frombuffer(offset_buffer, np.int32)[array.offset : array.offset + len(array) + 1]
    shifted = offset.astype(np.int64) - offset[0]
    pool = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return pool[int(offset[0]) : int(offset[-1])], shifted


def _interleave(columns: list[EncodedColumn]) -> ByteArray:
    """Lay the values of all columns row by row."""
    bits = np.packbits(np.stack([column.is_null for column in columns], axis=1), axis=1)
    size = np.full(bits.shape[0], bits.shape[1], np.int64)
    for column in columns:
        size += column.length + (_COUNT if column.element_size else 0)
    cursor = np.cumsum(size) - size
    out = np.empty(int(size.sum()), np.uint8)
    mask = _fixed(bits.ravel(), bits.shape[1], np.zeros(bits.shape[0], bool))
    if not any(column.element_size for column in columns):
        width = int(size[0]) if size.size else 0
        _write_table(out.reshape(size.size, width), (mask, *columns))
        return out
    for column in (mask, *columns):
        _write(out, cursor, column)
    return out


def _write_table(out: ByteArray, columns: Sequence[EncodedColumn]) -> None:
    """Write columns whose values all have one size: ``out`` has a row for each row."""
    at = 0
    for column in columns:
        width = column.pool.size // max(out.shape[0], 1)
        out[:, at : at + width] = column.pool.reshape(out.shape[0], width)
        at += width


def _write(out: ByteArray, cursor: npt.NDArray[np.int64], column: EncodedColumn) -> None:
    """Write one value of every row at its cursor, and move the cursors past it."""
    if column.element_size:
        count = (column.length // column.element_size).astype(">u4").view(np.uint8).reshape(-1, _COUNT)
        out[cursor[:, np.newaxis] + np.arange(_COUNT)] = count
        cursor += _COUNT
    before = np.cumsum(column.length) - column.length
    step = np.arange(int(column.length.sum()))
    place = step + np.repeat(cursor - before, column.length)
    out[place] = column.pool[step + np.repeat(column.start - before, column.length)]
    cursor += column.length
