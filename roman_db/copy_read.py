"""Rows out of the database by binary COPY, decoded into Arrow columns.

ADBC does the same for any query; this takes less of the client's time, and knows fewer types.
"""

from __future__ import annotations

import io
from typing import cast

import numba
import numpy as np
import numpy.typing as npt
import psycopg2.extensions
import pyarrow as pa
import sqlalchemy as sa

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
    start = _located(data, len(HEADER), len(schema))
    columns = [_column(data, start[number], field.type) for number, field in enumerate(schema)]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(data: ByteArray, start: IntArray, kind: pa.DataType) -> pa.Array:
    """One column; ``start`` is where the length of each field stands."""
    length = _numbers(data, start, np.dtype(np.int32), np.zeros(0, np.bool_))
    null = length < 0
    if pa.types.is_string(kind):
        return _texts(data, start + 4, np.maximum(length, 0), null)
    if pa.types.is_list(kind):
        return _lists(data, start + 4, null, kind.value_type)
    values = _numbers(data, start + 4, np.dtype(_width(kind)), null).view(_numpy(kind))
    return pa.array(values if values.dtype != np.uint8 else values.astype(bool), kind, mask=null)


def _width(kind: pa.DataType) -> str:
    """Integer of the width of a type."""
    return "u1" if pa.types.is_boolean(kind) else f"i{kind.bit_width // 8}"


def _numpy(kind: pa.DataType) -> np.dtype[np.generic]:
    """Type of numpy that a type of Arrow has the bytes of."""
    return np.dtype(np.uint8) if pa.types.is_boolean(kind) else np.dtype(kind.to_pandas_dtype())


def _numbers(
    data: ByteArray, at: IntArray, kind: np.dtype[np.generic], null: npt.NDArray[np.bool_]
) -> IntArray:
    """Integers of a width in network order that stand at some places; zero where a field is NULL."""
    out = np.zeros(at.size, kind)
    _gather(data, at, null, out.view(np.uint8).reshape(at.size, kind.itemsize))
    return out


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
    width = np.dtype(_width(kind))
    out, missing = np.zeros(offset[-1], width), np.zeros(offset[-1], np.bool_)
    _elements(data, at, offset, missing, out.view(np.uint8).reshape(out.size, width.itemsize))
    values = out.view(_numpy(kind))
    if missing.any() and pa.types.is_floating(kind):
        values[missing] = np.nan
    lists = pa.ListArray.from_arrays(pa.array(offset), pa.array(values))
    return pa.compute.if_else(pa.array(null), None, lists) if null.any() else lists


def _located(data: ByteArray, first: int, n_field: int) -> IntArray:
    """Where the length of each field of each row stands, shape (fields, rows)."""
    width = np.uint32 if data.size < _FOUR_BYTES else np.int64
    start = np.empty((n_field, _count_rows(data, first, n_field)), width)
    _locate(data, first, start)
    return start


@numba.njit(cache=True, nogil=True)
def _int32(data: ByteArray, at: int) -> int:
    """Signed integer of four bytes in network order."""
    value = np.uint32(data[at]) << 24 | np.uint32(data[at + 1]) << 16 | np.uint32(data[at + 2]) << 8
    return int(np.int32(value | np.uint32(data[at + 3])))


@numba.njit(cache=True, nogil=True)
def _count_rows(data: ByteArray, first: int, n_field: int) -> int:
    """Number of rows of a stream, which ends with -1 in the place of a number of fields."""
    at, count = first, 0
    while data[at] != 255:
        at += _COUNT
        for _ in range(n_field):
            at += 4 + max(_int32(data, at), 0)
        count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _locate(data: ByteArray, first: int, start: IntArray) -> None:
    """Write where the fields of all rows stand."""
    at = first
    for row in range(start.shape[1]):
        at += _COUNT
        for field in range(start.shape[0]):
            start[field, row] = at
            at += 4 + max(_int32(data, at), 0)


@numba.njit(cache=True, nogil=True)
def _gather(data: ByteArray, at: IntArray, null: npt.NDArray[np.bool_], out: ByteArray) -> None:
    """Copy values from network order, but where they are NULL."""
    width = out.shape[1]
    for row in range(at.size):
        if null.size == 0 or not null[row]:
            for byte in range(width):
                out[row, byte] = data[at[row] + width - 1 - byte]


@numba.njit(cache=True, nogil=True)
def _copy(data: ByteArray, at: IntArray, offset: npt.NDArray[np.int32], out: ByteArray) -> None:
    """Copy texts end to end."""
    for row in range(at.size):
        for byte in range(offset[row + 1] - offset[row]):
            out[offset[row] + byte] = data[at[row] + byte]


@numba.njit(cache=True, nogil=True)
def _sizes(data: ByteArray, at: IntArray, null: npt.NDArray[np.bool_], size: npt.NDArray[np.int32]) -> None:
    """Write the number of elements of arrays: none without a dimension."""
    for row in range(at.size):
        if not null[row] and _int32(data, at[row]) > 0:
            size[row] = _int32(data, at[row] + 12)


@numba.njit(cache=True, nogil=True)
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
