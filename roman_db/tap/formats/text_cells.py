"""Bytes for formats of text: as arrays of numbers, as VOTable writes them."""

from __future__ import annotations

import pyarrow as pa


def without_bytes(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows whose bytes are lists of numbers from 0 to 255."""
    columns = [_numbers(one) if pa.types.is_binary(one.type) else one for one in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _numbers(array: pa.Array) -> pa.Array:
    """Bytes as lists of numbers; NULL stays NULL."""
    return pa.array([None if one is None else list(one) for one in array.to_pylist()], pa.list_(pa.uint8()))
