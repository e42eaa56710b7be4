"""What VOTable has no type for, in formats of text: bytes as arrays of numbers, times as DALI writes them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def without_bytes(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows whose bytes are lists of numbers from 0 to 255."""
    columns = [_numbers(one) if pa.types.is_binary(one.type) else one for one in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _numbers(array: pa.Array) -> pa.Array:
    """Bytes as lists of numbers; NULL stays NULL."""
    return pa.array([None if one is None else list(one) for one in array.to_pylist()], pa.list_(pa.uint8()))


def with_time_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows whose times (UTC) are texts without Z, which DALI 1.1 (section 3.3.3) keeps for civil times."""
    columns = [_time_text(one) if pa.types.is_timestamp(one.type) else one for one in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _time_text(times: pa.Array) -> pa.Array:
    """Times as texts; milliseconds where all are whole ones, else microseconds."""
    milliseconds = times.cast(pa.timestamp("ms", "UTC"), safe=False)
    is_exact = pc.all(pc.equal(milliseconds, times), skip_nulls=True).as_py()
    shortest = times if is_exact is False else milliseconds
    return pc.replace_substring(shortest.cast(pa.timestamp(shortest.type.unit)).cast(pa.string()), " ", "T")
