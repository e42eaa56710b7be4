"""CSV (RFC 4180) with a header line: NULL is an empty field, an empty string is ``""``."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv

from roman_db.query.formats.text import POSTGRESQL, as_text
from roman_db.query.stream import Result


def write_csv(result: Result, sink: BinaryIO) -> None:
    """Write a result; arrays stand in braces, as PostgreSQL reads them."""
    schema = csv_schema(result.schema)
    with csv.CSVWriter(sink, schema) as writer:
        for batch in result.batches:
            writer.write_batch(csv_batch(batch, schema))


def csv_schema(schema: pa.Schema) -> pa.Schema:
    """Schema of what the writer is given."""
    return pa.schema([pa.field(field.name, _csv_type(field.type)) for field in schema])


def csv_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Rows as the writer is given them."""
    return pa.RecordBatch.from_arrays([_csv_column(column) for column in batch.columns], schema=schema)


def _csv_type(arrow_type: pa.DataType) -> pa.DataType:
    """Type that the writer is given; it knows no lists."""
    return pa.string() if pa.types.is_list(arrow_type) else arrow_type


def _csv_column(array: pa.Array) -> pa.Array:
    """Column in the type that the writer is given."""
    return as_text(array, POSTGRESQL) if pa.types.is_list(array.type) else array
