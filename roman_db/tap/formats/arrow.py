"""Arrow's streaming format with units, UCDs and descriptions as metadata of the fields.

Whether rows were cut is known at the end, so a last batch without rows has ``query_status`` in its metadata:
OK or OVERFLOW.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa

from roman_db.tap.answer_rows import Answer, schema_of
from roman_db.tap.formats.sink import taken


def write_arrow(answer: Answer) -> Iterator[bytes]:
    """Yield the stream as rows come."""
    schema = schema_of(answer.columns).with_metadata({"query": answer.query})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, schema) as writer:
        yield taken(sink)
        for batch in answer.batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            yield taken(sink)
        status = "OVERFLOW" if answer.is_cut else "OK"
        writer.write_batch(pa.RecordBatch.from_pylist([], schema), custom_metadata={"query_status": status})
    yield taken(sink)
