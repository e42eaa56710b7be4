"""PostgreSQL's binary COPY format, made from arrays.

The format is that of the PostgreSQL manual, section COPY, "Binary Format": a header, then for each row the
number of fields and for each field its length (-1 for NULL) and its bytes in network order, then a trailer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

#: Microseconds between the epochs of numpy (1970) and PostgreSQL (2000).
_EPOCH_SHIFT_US = 946_684_800_000_000
_WIRE_TYPE = {
    "smallint": ">i2",
    "integer": ">i4",
    "bigint": ">i8",
    "real": ">f4",
    "double precision": ">f8",
    "boolean": "u1",
    "timestamp with time zone": ">i8",
}
_ELEMENT_OID = {"smallint": 21, "integer": 23, "bigint": 20, "real": 700, "double precision": 701}
_ROWS_A_CHUNK = 65_536

ByteArray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class EncodedColumn:
    """The bytes of one column: ``pool[start[i] : start[i] + length[i]]`` is row i, length -1 is NULL."""

    pool: ByteArray
    start: npt.NDArray[np.int64]
    length: npt.NDArray[np.int32]


def encode_column(values: Any, sql_type: str) -> EncodedColumn:
    """Encode the values of one column.

    Parameters
    ----------
    values
        Array or sequence of n values. Masked elements and None are NULL. NaN is NULL in a floating column,
        for "not measured" is stored as nothing; in arrays NaN stays NaN.
    sql_type
        Type as PostgreSQL's ``format_type`` names it.

    Raises
    ------
    ValueError
        If the type is not known or an integer does not fit it.
    """
    if sql_type in _WIRE_TYPE:
        return _encode_fixed(values, sql_type)
    return _encode_variable([_variable_bytes(value, sql_type) for value in values])


def encode_rows(columns: Sequence[EncodedColumn]) -> Iterator[memoryview]:
    """Yield the binary COPY stream of the rows in chunks."""
    n_row = columns[0].length.size
    yield memoryview(HEADER)
    for first in range(0, n_row, _ROWS_A_CHUNK):
        part = slice(first, min(first + _ROWS_A_CHUNK, n_row))
        yield _interleave(tuple(_slice(column, part) for column in columns)).data
    yield memoryview(TRAILER)


class ChunkReader:
    """A readable file over an iterator of byte chunks, for psycopg2's ``copy_expert``."""

    def __init__(self, chunks: Iterator[memoryview]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes; empty at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk.cast("B")
        if size < 0:
            size = len(self._rest)
        head, self._rest = self._rest[:size], self._rest[size:]
        return bytes(head)

    def readline(self, size: int = -1) -> bytes:
        """Binary data has no lines; psycopg2 asks for the method and never calls it."""
        return self.read(size)


def _encode_fixed(values: Any, sql_type: str) -> EncodedColumn:
    """Encode a column whose values all take the same number of bytes."""
    array, null = _values_and_null(values, sql_type)
    wire = np.dtype(_WIRE_TYPE[sql_type])
    width = wire.itemsize
    _check_range(array[~null], wire, sql_type)
    pool = np.where(null, np.zeros(1, array.dtype), array).astype(wire).view(np.uint8)
    length = np.where(null, -1, width).astype(np.int32)
    return EncodedColumn(pool, np.arange(array.size, dtype=np.int64) * width, length)


def _values_and_null(values: Any, sql_type: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Split values into a plain array and a mask of NULLs."""
    if isinstance(values, np.ma.MaskedArray):
        array, null = values.data, np.ma.getmaskarray(values).copy()
    else:
        array = np.asarray(values)
        null = np.zeros(array.shape, bool)
    if array.dtype == object:
        null |= np.array([value is None for value in array], bool)
        array = _without_objects(array, null, sql_type)
    if array.dtype.kind == "M":
        null |= np.isnat(array)
        array = array.astype("datetime64[us]").astype(np.int64) - _EPOCH_SHIFT_US
    if array.dtype.kind == "f":
        null |= np.isnan(array)
    return array, null


def _without_objects(array: npt.NDArray[Any], null: npt.NDArray[np.bool_], sql_type: str) -> npt.NDArray[Any]:
    """Array of a plain type; what is NULL becomes zero."""
    if sql_type == "timestamp with time zone":
        moments = [None if missing else _naive_utc(value) for value, missing in zip(array, null, strict=True)]
        return np.array(moments, "datetime64[us]")
    kind = np.float64 if sql_type in ("real", "double precision") else np.int64
    try:
        return np.array([0 if missing else value for value, missing in zip(array, null, strict=True)], kind)
    except OverflowError as error:
        given = array[~null]
        raise ValueError(f"values from {min(given)} to {max(given)} do not fit {sql_type}") from error


def _naive_utc(moment: datetime) -> datetime:
    """Moment in UTC without its time zone, as numpy wants it; one without a time zone is in UTC already."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _check_range(array: npt.NDArray[Any], wire: np.dtype[Any], sql_type: str) -> None:
    """Raise if a finite number is too large for its type, or an integer is none."""
    number = array[np.isfinite(array)] if wire.kind == "f" else array
    if wire.kind not in "if" or number.size == 0:
        return
    least, most = _limits(wire)
    # Numbers of Python, which compares integers with floating-point ones exactly.
    low, high = number.min().item(), number.max().item()
    if low < least or high > most:
        raise ValueError(f"values from {low} to {high} do not fit {sql_type}")
    if wire.kind == "i" and number.dtype.kind == "f" and np.any(number % 1):
        raise ValueError(f"{number[number % 1 != 0][0]} is no {sql_type}")


def _limits(wire: np.dtype[Any]) -> tuple[float, float]:
    """Least and largest finite number of a type."""
    if wire.kind == "i":
        return int(np.iinfo(wire).min), int(np.iinfo(wire).max)
    return float(np.finfo(wire).min), float(np.finfo(wire).max)


def _encode_variable(items: Sequence[bytes | None]) -> EncodedColumn:
    """Encode a column whose values have lengths of their own."""
    length = np.fromiter((-1 if item is None else len(item) for item in items), np.int32, len(items))
    size = np.maximum(length, 0).astype(np.int64)
    pool = np.frombuffer(b"".join(item for item in items if item is not None), np.uint8)
    return EncodedColumn(pool, np.cumsum(size) - size, length)


def _variable_bytes(value: Any, sql_type: str) -> bytes | None:
    """Encode one value of a type without a fixed width."""
    if value is None or value is np.ma.masked:
        return None
    if sql_type == "text":
        return str(value).encode()
    if sql_type == "bytea":
        return bytes(value)
    if sql_type == "jsonb":
        return b"\x01" + json.dumps(value, allow_nan=False).encode()
    if sql_type.endswith("[]"):
        return array_bytes(np.asarray(value), sql_type[:-2])
    if sql_type == "int8multirange":
        return _multirange_bytes(np.asarray(value, np.int64).reshape(-1, 2))
    raise ValueError(f"no binary encoding for type {sql_type!r}")


def array_bytes(values: npt.NDArray[Any], element_type: str) -> bytes:
    """Encode a one-dimensional array without NULLs.

    Raises
    ------
    ValueError
        If it has more dimensions or a NULL, or an element does not fit the type.
    """
    if values.ndim != 1 or values.dtype == object:
        raise ValueError(f"expected one dimension and no NULL, got shape {values.shape} of {values.dtype}")
    wire = np.dtype(_WIRE_TYPE[element_type])
    _check_range(values, wire, element_type)
    items = np.empty(values.size, [("length", ">i4"), ("value", wire)])
    items["length"], items["value"] = wire.itemsize, values
    dimensions = 0 if values.size == 0 else 1
    head = np.array([dimensions, 0, _ELEMENT_OID[element_type]], ">i4").tobytes()
    return head if dimensions == 0 else head + np.array([values.size, 1], ">i4").tobytes() + items.tobytes()


def _multirange_bytes(ranges: npt.NDArray[np.int64]) -> bytes:
    """Encode half-open ranges, shape (n, 2), ascending and disjoint."""
    fields = [("size", ">i4"), ("flags", "u1"), ("a", ">i4"), ("lo", ">i8"), ("b", ">i4"), ("hi", ">i8")]
    items = np.empty(len(ranges), fields)
    lower_inclusive = 2
    items["size"], items["flags"], items["a"], items["b"] = 25, lower_inclusive, 8, 8
    items["lo"], items["hi"] = ranges[:, 0], ranges[:, 1]
    return np.array(len(ranges), ">i4").tobytes() + items.tobytes()


def _slice(column: EncodedColumn, part: slice) -> EncodedColumn:
    """Rows of a column."""
    return EncodedColumn(column.pool, column.start[part], column.length[part])


def _interleave(columns: tuple[EncodedColumn, ...]) -> ByteArray:
    """Lay the fields of all columns row by row."""
    length = np.stack([column.length for column in columns])
    size = 2 + (4 + np.maximum(length, 0)).sum(axis=0, dtype=np.int64)
    row_start = np.cumsum(size) - size
    out = np.empty(int(size.sum()), np.uint8)
    cursor = row_start.copy()
    _write_count(out, cursor, len(columns))
    for column in columns:
        _write_field(out, cursor, column.pool, column.start, column.length)
    return out


@compiled()
def _write_count(out: ByteArray, cursor: npt.NDArray[np.int64], count: int) -> None:
    """Write the number of fields at the head of every row."""
    for i in range(cursor.size):
        out[cursor[i]] = count >> 8
        out[cursor[i] + 1] = count & 255
        cursor[i] += 2


@compiled()
def _write_field(
    out: ByteArray,
    cursor: npt.NDArray[np.int64],
    pool: ByteArray,
    start: npt.NDArray[np.int64],
    length: npt.NDArray[np.int32],
) -> None:
    """Write one field of every row and move the cursors past it."""
    for i in range(cursor.size):
        at, size = cursor[i], length[i]
        for k in range(4):
            out[at + k] = (size >> (24 - 8 * k)) & 255
        at += 4
        for k in range(max(size, 0)):
            out[at + k] = pool[start[i] + k]
        cursor[i] = at + max(size, 0)
