"""CSV (RFC 4180) and the same with tabs: NULL is an empty field, an empty string is ``""``."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import csv

from roman_db.query.formats.csv_text import csv_batch, csv_schema
from roman_db.tap.answer_rows import Answer, schema_of
from roman_db.tap.formats.sink import taken
from roman_db.tap.formats.text_cells import without_bytes


def write_csv(answer: Answer) -> Iterator[bytes]:
    """Yield lines with commas as rows come, after a line of names."""
    return _lines(answer, ",")


def write_tsv(answer: Answer) -> Iterator[bytes]:
    """Yield lines with tabs as rows come, after a line of names."""
    return _lines(answer, "\t")


def _lines(answer: Answer, delimiter: str) -> Iterator[bytes]:
    """Yield lines; arrays stand in braces, as PostgreSQL reads them."""
    columns = schema_of(answer.columns)
    empty = without_bytes(pa.RecordBatch.from_pylist([], columns))
    schema = csv_schema(empty.schema)
    sink = io.BytesIO()
    with csv.CSVWriter(sink, schema, write_options=csv.WriteOptions(delimiter=delimiter)) as writer:
        yield taken(sink)
        for batch in answer.batches:
            writer.write_batch(csv_batch(without_bytes(batch), schema))
            yield taken(sink)
