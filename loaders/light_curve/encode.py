"""Segments as rows of PostgreSQL's binary COPY format, written straight from matrices.

A row is the number of its fields and, for each field, its length and its bytes in network order; an array of
reals is a header (dimensions, NULL flag, element type, length, lower bound) and then length and bytes of
every element. The PostgreSQL manual describes the former under COPY; ``array_recv`` in its source defines the
latter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.light_curve.flag_run import FlagRuns
from roman_db.compiled import compiled

_OID_REAL, _OID_BIGINT = 700, 20
_ARRAY_HEAD = 20
_OBJECTS_A_CHUNK = 1_024

ByteArray = npt.NDArray[np.uint8]
Word = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class SegmentRows:
    """Rows of one segment table on one block: keys, then one array of reals a column.

    Parameters
    ----------
    object_id
        Shape (n_object,).
    block_id, start_mjd
        Key of the block.
    arrays
        One matrix of shape (n_object, n_epoch) for each column of reals, in the order of the columns.
    flag_runs
        Last column of the table, or None where the table has none.
    """

    object_id: npt.NDArray[np.int64]
    block_id: int
    start_mjd: int
    arrays: Sequence[npt.NDArray[np.float32]]
    flag_runs: FlagRuns | None = None

    def __post_init__(self) -> None:
        shapes = {array.shape for array in self.arrays}
        if len(shapes) != 1 or shapes.pop()[0] != self.object_id.size:
            raise ValueError(
                f"{self.object_id.size} objects need matrices of one shape, "
                f"got {[array.shape for array in self.arrays]}"
            )
        if types := [str(array.dtype) for array in self.arrays if array.dtype != np.float32]:
            raise ValueError(f"matrices must be float32, got {types}")


def encode_segments(rows: SegmentRows) -> Iterator[memoryview]:
    """Yield the rows in chunks, without header and trailer of the stream."""
    n_epoch = rows.arrays[0].shape[1]
    heads = _row_head(rows), _array_head(_OID_REAL, n_epoch, 4)
    for first in range(0, rows.object_id.size, _OBJECTS_A_CHUNK):
        part = slice(first, min(first + _OBJECTS_A_CHUNK, rows.object_id.size))
        packed = np.empty((part.stop - part.start, len(rows.arrays), n_epoch), np.uint64)
        for k, array in enumerate(rows.arrays):
            _pack_reals(array[part], packed[:, k])
        yield _encode_chunk(rows, part, packed, heads).data


def _encode_chunk(
    rows: SegmentRows, part: slice, packed: Word, heads: tuple[ByteArray, ByteArray]
) -> ByteArray:
    """Lay the rows of some objects."""
    fixed = heads[0].size + packed.shape[1] * (heads[1].size + 8 * packed.shape[2])
    tail, tail_start = _flag_fields(rows.flag_runs, part, packed.shape[0])
    size = fixed + np.diff(tail_start)
    end = np.cumsum(size)
    out = np.empty(int(end[-1]), np.uint8)
    identifiers = rows.object_id[part].astype(">i8").view(np.uint8).reshape(-1, 8)
    _write_rows(out, end - size, identifiers, heads, packed, (tail, tail_start))
    return out


def _row_head(rows: SegmentRows) -> ByteArray:
    """Bytes before the first array, with room for the object_id."""
    n_field = 3 + len(rows.arrays) + (rows.flag_runs is not None)
    head = np.zeros(
        1,
        [("n", ">i2"), ("l1", ">i4"), ("o", ">i8"), ("l2", ">i4"), ("b", ">i8"), ("l3", ">i4"), ("s", ">i4")],
    )
    head[0] = (n_field, 8, 0, 8, rows.block_id, 4, rows.start_mjd)
    return head.view(np.uint8)


def _array_head(oid: int, count: int, width: int) -> ByteArray:
    """Length and header of an array field."""
    size = _ARRAY_HEAD + count * (4 + width)
    return np.array([size, 1, 0, oid, count, 1], ">i4").view(np.uint8)


@compiled()
def _pack_reals(values: npt.NDArray[np.float32], out: Word) -> None:
    """Write length (4) and big-endian bytes of every value as one little-endian word, shape as given."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            x = bits[i, j]
            swapped = (x >> 24) | ((x >> 8) & 0xFF00) | ((x & 0xFF00) << 8) | ((x & 0xFF) << 24)
            out[i, j] = (np.uint64(swapped) << np.uint64(32)) | np.uint64(0x04000000)


def _flag_fields(
    runs: FlagRuns | None, part: slice, n_object: int
) -> tuple[ByteArray, npt.NDArray[np.int64]]:
    """Bytes of the flag fields of some objects, and where each begins; NULL where an object has no run."""
    start = np.zeros(n_object + 1, np.int64)
    if runs is None:
        return np.empty(0, np.uint8), start
    edges = runs.start[part.start : part.stop + 1]
    count = np.diff(edges)
    np.cumsum(np.where(count > 0, 4 + _ARRAY_HEAD + 12 * count, 4), out=start[1:])
    words = runs.run[edges[0] : edges[-1]].astype(">i8").view(np.uint8)
    tail = np.empty(int(start[-1]), np.uint8)
    _write_flags(tail, start, count, words, _array_head(_OID_BIGINT, 0, 8))
    return tail, start


@compiled()
def _write_flags(tail: Any, start: Any, count: Any, words: Any, head: Any) -> None:
    """Write a NULL or an array of runs for every object."""
    word = 0
    for i in range(count.size):
        at = start[i]
        if count[i] == 0:
            tail[at : at + 4] = 255
            continue
        _write_bytes(tail, at, head)
        _write_int(tail, at, _ARRAY_HEAD + 12 * count[i])
        _write_int(tail, at + 16, count[i])
        at += head.size
        for _ in range(count[i]):
            _write_int(tail, at, 8)
            _write_bytes(tail, at + 4, words[8 * word : 8 * word + 8])
            word += 1
            at += 12


@compiled()
def _write_bytes(out: Any, at: Any, source: Any) -> None:
    """Write bytes; assigned as a slice they would bring compiled text of errors that cannot be."""
    part = out[at : at + source.size]
    for k in range(part.size):
        part[k] = source[k]


@compiled()
def _write_int(out: Any, at: Any, value: Any) -> None:
    """Write four bytes in network order."""
    for k in range(4):
        out[at + k] = (value >> (24 - 8 * k)) & 255


@compiled()
def _write_rows(out: Any, row_start: Any, identifiers: Any, heads: Any, packed: Any, tails: Any) -> None:
    """Write head, arrays and flags of every row."""
    row_head, array_head = heads
    tail, tail_start = tails
    width = 8 * packed.shape[2]
    body = packed.view(np.uint8)
    for i in range(row_start.size):
        at = row_start[i]
        _write_bytes(out, at, row_head)
        _write_bytes(out, at + 6, identifiers[i])
        at += row_head.size
        for k in range(packed.shape[1]):
            _write_bytes(out, at, array_head)
            at += array_head.size
            _write_bytes(out, at, body[i, k])
            at += width
        _write_bytes(out, at, tail[tail_start[i] : tail_start[i + 1]])
