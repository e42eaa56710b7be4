"""Segments read back from PostgreSQL's binary COPY format into matrices; the reverse of `encode`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

_STREAM_HEAD = 19
_ARRAY_HEAD = 20


@dataclass(frozen=True)
class DecodedRows:
    """Rows of a query ``SELECT object_id, block_id, <arrays of reals> [, flag_run]``.

    Parameters
    ----------
    object_id, block_id
        Shape (n_row,).
    array_at
        Shape (n_row, n_array): place of the first element of every array in the stream.
    flag_at, flag_count
        Shape (n_row,): place and number of the flag runs; no runs where the field is NULL.
    stream
        The bytes that the places point into.
    """

    object_id: npt.NDArray[np.int64]
    block_id: npt.NDArray[np.int64]
    array_at: npt.NDArray[np.int64]
    flag_at: npt.NDArray[np.int64]
    flag_count: npt.NDArray[np.int64]
    stream: npt.NDArray[np.uint8]


def decode_rows(stream: bytes, n_array: int, has_flags: bool) -> DecodedRows:
    """Find the fields of every row of a binary COPY stream."""
    data = np.frombuffer(stream, np.uint8)
    n_row = _count_rows(data)
    places = np.zeros((n_row, 4 + n_array), np.int64)
    _locate(data, places, n_array, has_flags)
    identifiers = _gather_int64(data, places[:, :2])
    return DecodedRows(identifiers[:, 0], identifiers[:, 1], places[:, 4:], places[:, 2], places[:, 3], data)


def fill_reals(
    rows: DecodedRows,
    which: int,
    target: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    columns: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    out: npt.NDArray[np.float32],
) -> None:
    """Scatter one array of every row into a matrix.

    Parameters
    ----------
    which
        Number of the array.
    target
        For every row, the row of ``out`` and the number of its block.
    columns
        Columns of ``out`` that the epochs of all blocks go to, laid end to end, and where each block begins.
    out
        Shape (n_object, n_epoch), changed in place.
    """
    _scatter(rows.stream, rows.array_at[:, which], target[0], target[1], columns[0], columns[1], out)


def fill_flags(
    rows: DecodedRows,
    target: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    columns: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    out: npt.NDArray[np.uint16],
) -> None:
    """Scatter the flag runs of every row into a matrix of bits, as `fill_reals` does reals."""
    _scatter_flags(
        (rows.stream, rows.flag_at, rows.flag_count), target[0], target[1], columns[0], columns[1], out
    )


@compiled()
def _int(data: Any, at: Any, size: Any) -> Any:
    """Signed integer of some bytes in network order."""
    value = np.int64(data[at])
    if value >= 128:
        value -= 256
    for k in range(1, size):
        value = (value << 8) | np.int64(data[at + k])
    return value


@compiled()
def _count_rows(data: Any) -> Any:
    """Number of rows up to the trailer."""
    at, count = _STREAM_HEAD, 0
    while at + 2 <= data.size:
        fields = _int(data, at, 2)
        if fields < 0:
            break
        at += 2
        for _ in range(fields):
            at += 4 + max(_int(data, at, 4), 0)
        count += 1
    return count


@compiled()
def _locate(data: Any, places: Any, n_array: Any, has_flags: Any) -> None:
    """Note the places of object_id, block_id, flag runs, their number and the arrays of every row."""
    at = _STREAM_HEAD
    for i in range(places.shape[0]):
        at += 2
        for k in range(2):
            places[i, k] = at + 4
            at += 12
        for k in range(n_array):
            places[i, 4 + k] = at + 4 + _ARRAY_HEAD
            at += 4 + _int(data, at, 4)
        if has_flags:
            size = _int(data, at, 4)
            places[i, 2] = at + 4 + _ARRAY_HEAD
            places[i, 3] = 0 if size < 0 else (size - _ARRAY_HEAD) // 12
            at += 4 + max(size, 0)


@compiled()
def _gather_int64(data: Any, places: Any) -> Any:
    """Integers of eight bytes at some places."""
    out = np.empty(places.shape, np.int64)
    for i in range(places.shape[0]):
        for k in range(places.shape[1]):
            out[i, k] = _int(data, places[i, k], 8)
    return out


@compiled()
def _scatter(data: Any, at: Any, row: Any, block: Any, column: Any, column_start: Any, out: Any) -> None:
    """Write the elements of every array to their columns."""
    word = np.empty(1, np.uint32)
    value = word.view(np.float32)
    for i in range(at.size):
        first, last = column_start[block[i]], column_start[block[i] + 1]
        place = at[i] + 4
        for c in range(first, last):
            word[0] = (
                (np.uint32(data[place]) << 24)
                | (np.uint32(data[place + 1]) << 16)
                | (np.uint32(data[place + 2]) << 8)
                | np.uint32(data[place + 3])
            )
            out[row[i], column[c]] = value[0]
            place += 8


@compiled()
def _scatter_flags(field: Any, row: Any, block: Any, column: Any, column_start: Any, out: Any) -> None:
    """Write the bits of every run to their columns."""
    data, at, count = field
    for i in range(at.size):
        place = at[i] + 4
        for _ in range(count[i]):
            run = _int(data, place, 8)
            begin = column_start[block[i]] + (run >> 32)
            for c in range(begin, begin + ((run >> 16) & 65535)):
                out[row[i], column[c]] = np.uint16(run & 65535)
            place += 12
