"""Rows out of the database by binary COPY, decoded into Arrow columns.

ADBC does the same for any query; this takes less of the client's time, and knows fewer types.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import psycopg2.extensions
import pyarrow as pa
import sqlalchemy as sa

from roman_db.compiled import compiled
from roman_db.copy_binary import HEADER

ByteArray = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]

#: Numbers of types (``pg_type``) with their counterparts: of one value, and of the elements of an array.
_FIXED = {
    16: pa.bool_(), 21: pa.int16(), 23: pa.int32(), 20: pa.int64(), 700: pa.float32(), 701: pa.float64(),
}  # fmt: skip
_TEXT = frozenset((25, 1042, 1043, 19))
_ARRAY = {1005: 21, 1007: 23, 1016: 20, 1021: 700, 1022: 701}
_BUFFER = 1 << 20
#: Size of a stream in which places take more than four bytes.
_FOUR_BYTES = 1 << 32
#: Fields begin after the number of fields of their row.
_COUNT = 2


class UnknownType(TypeError):
    """A column of a type that is not read here."""


def arrow_type(type_oid: int) -> pa.DataType:
    """Counterpart in Arrow of a type of PostgreSQL.

    Raises
    ------
    UnknownType
        If it is none of booleans, integers, reals, texts and arrays of numbers.
    """
    if type_oid in _FIXED:
        return _FIXED[type_oid]
    if type_oid in _TEXT:
        return pa.string()
    if type_oid in _ARRAY:
        return pa.list_(_FIXED[_ARRAY[type_oid]])
    raise UnknownType(f"a column of type {type_oid} (pg_type) cannot be read here: cast it in the query")


def read_table(connection: sa.Connection, sql: str, schema: pa.Schema) -> pa.Table:
    """All rows of a query, whose columns have the types that a schema names for them.

    NULL in arrays of numbers becomes zero for integers and NaN for reals.
    """
    raw = cast(psycopg2.extensions.connection, connection.connection.driver_connection)
    stream = io.BytesIO()
    with raw.cursor() as cursor:
        cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT binary)", stream, _BUFFER)
    return decode(stream.getbuffer(), schema)


def decode(stream: bytes | memoryview, schema: pa.Schema) -> pa.Table:
    """Rows of a binary COPY stream as a table."""
    data = np.frombuffer(stream, np.uint8)
    n_row = _count_rows(data, len(HEADER), len(schema))
    fixed = _Fixed.of(schema.types, n_row)
    n_other = np.count_nonzero(fixed.layout[0] == 0)
    start = np.empty((n_other, n_row), np.uint32 if data.size < _FOUR_BYTES else np.int64)
    _split(data, len(HEADER), fixed.layout, fixed.body, fixed.is_null, start)
    others = iter(start)
    columns = [
        fixed.column(number, kind) if _width(kind) else _column(data, next(others), kind)
        for number, kind in enumerate(schema.types)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


@dataclass(frozen=True)
class _Fixed:
    """Columns of one width, one after the other in the bytes of one array.

    Parameters
    ----------
    layout
        Shape (2, columns): bytes of a value, 0 for texts and arrays; where the first value is.
    body
        The values; where a field is NULL, zero.
    is_null
        Shape (columns, rows).
    """

    layout: IntArray
    body: ByteArray
    is_null: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, kinds: Sequence[pa.DataType], n_row: int) -> _Fixed:
        """Room for columns of these types."""
        width = np.array([_width(kind) for kind in kinds], np.int64)
        # Each column begins at a multiple of eight bytes.
        size = -(-width * n_row // 8) * 8
        layout = np.stack([width, np.cumsum(size) - size])
        return cls(layout, np.zeros(size.sum(), np.uint8), np.zeros((len(kinds), n_row), np.bool_))

    def column(self, number: int, kind: pa.DataType) -> pa.Array:
        """One column."""
        is_null = self.is_null[number]
        width, begin = self.layout[:, number]
        values = self.body[begin : begin + width * is_null.size]
        mask = is_null if is_null.any() else None
        if pa.types.is_boolean(kind):
            return pa.array(values.astype(bool), kind, mask=mask)
        return pa.array(values.view(kind.to_pandas_dtype()), kind, mask=mask)


def _column(data: ByteArray, start: IntArray, kind: pa.DataType) -> pa.Array:
    """One column of texts or arrays; ``start`` is where the length of each field stands."""
    length = np.empty(start.size, np.int32)
    _lengths(data, start, length)
    null = length < 0
    if pa.types.is_string(kind):
        return _texts(data, start + 4, np.maximum(length, 0), null)
    return _lists(data, start + 4, null, kind.value_type)


def _width(kind: pa.DataType) -> int:
    """Bytes of a value; 0 of texts and arrays."""
    if pa.types.is_boolean(kind):
        return 1
    return 0 if pa.types.is_string(kind) or pa.types.is_list(kind) else kind.bit_width // 8


def _texts(data: ByteArray, at: IntArray, length: IntArray, null: npt.NDArray[np.bool_]) -> pa.Array:
    """Texts that stand at some places."""
    offset = np.zeros(at.size + 1, np.int32)
    np.cumsum(length, out=offset[1:])
    body = np.empty(offset[-1], np.uint8)
    _copy(data, at, offset, body)
    text = pa.StringArray.from_buffers(at.size, pa.py_buffer(offset), pa.py_buffer(body))
    return pa.compute.if_else(pa.array(null), None, text) if null.any() else text


def _lists(data: ByteArray, at: IntArray, null: npt.NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    """Arrays of one dimension that stand at some places."""
    size = np.zeros(at.size, np.int32)
    _sizes(data, at, null, size)
    offset = np.zeros(at.size + 1, np.int32)
    np.cumsum(size, out=offset[1:])
    width = _width(kind)
    out, missing = np.zeros(offset[-1] * width, np.uint8), np.zeros(offset[-1], np.bool_)
    _elements(data, at, offset, missing, out.reshape(missing.size, width))
    values = out.view(kind.to_pandas_dtype())
    if missing.any() and pa.types.is_floating(kind):
        values[missing] = np.nan
    lists = pa.ListArray.from_arrays(pa.array(offset), pa.array(values))
    return pa.compute.if_else(pa.array(null), None, lists) if null.any() else lists


@compiled()
def _int32(data: ByteArray, at: int) -> int:
    """Signed integer of four bytes in network order."""
    value = np.uint32(data[at]) << 24 | np.uint32(data[at + 1]) << 16 | np.uint32(data[at + 2]) << 8
    return int(np.int32(value | np.uint32(data[at + 3])))


@compiled()
def _count_rows(data: ByteArray, first: int, n_field: int) -> int:
    """Number of rows of a stream, which ends with -1 in the place of a number of fields."""
    at, count = first, 0
    while data[at] != 255:
        at += _COUNT
        for _ in range(n_field):
            at += 4 + max(_int32(data, at), 0)
        count += 1
    return count


@compiled()
def _split(
    data: ByteArray,
    first: int,
    layout: IntArray,
    body: ByteArray,
    is_null: npt.NDArray[np.bool_],
    start: IntArray,
) -> None:
    """Copy values of one width from network order, and write where the other fields stand."""
    at = first
    for row in range(is_null.shape[1]):
        at += _COUNT
        other = 0
        for field in range(layout.shape[1]):
            length = _int32(data, at)
            if layout[0, field] == 0:
                start[other, row] = at
                other += 1
            elif length < 0:
                is_null[field, row] = True
            else:
                place = layout[1, field] + row * length
                for byte in range(length):
                    body[place + byte] = data[at + 3 + length - byte]
            at += 4 + max(length, 0)


@compiled()
def _lengths(data: ByteArray, at: IntArray, out: npt.NDArray[np.int32]) -> None:
    """Lengths of fields: -1 of NULL."""
    for row in range(at.size):
        out[row] = _int32(data, at[row])


@compiled()
def _copy(data: ByteArray, at: IntArray, offset: npt.NDArray[np.int32], out: ByteArray) -> None:
    """Copy texts end to end."""
    for row in range(at.size):
        for byte in range(offset[row + 1] - offset[row]):
            out[offset[row] + byte] = data[at[row] + byte]


@compiled()
def _sizes(data: ByteArray, at: IntArray, null: npt.NDArray[np.bool_], size: npt.NDArray[np.int32]) -> None:
    """Write the number of elements of arrays: none without a dimension."""
    for row in range(at.size):
        if not null[row] and _int32(data, at[row]) > 0:
            size[row] = _int32(data, at[row] + 12)


@compiled()
def _elements(
    data: ByteArray,
    at: IntArray,
    offset: npt.NDArray[np.int32],
    missing: npt.NDArray[np.bool_],
    out: ByteArray,
) -> None:
    """Copy the elements of arrays from network order, each behind its length, all behind 20 bytes."""
    width = out.shape[1]
    for row in range(at.size):
        place = at[row] + 20
        for number in range(offset[row], offset[row + 1]):
            missing[number] = _int32(data, place) < 0
            place += 4
            if not missing[number]:
                for byte in range(width):
                    out[number, byte] = data[place + width - 1 - byte]
                place += width
