"""Products as Parquet, with the metadata that roman_datamodels writes: ``roman.meta.*``, units of fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

#: What roman_datamodels writes where a column has no unit.
NO_UNIT = "None"


def write_parquet(
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    keywords: Mapping[str, object],
    sink: BinaryIO,
) -> int:
    """Write a product, one row group a batch, and return the number of rows.

    Parameters
    ----------
    schema
        Fields with unit and description as metadata.
    keywords
        Keywords of the product, each written as ``roman.meta.<name>``.
    """
    stored = stored_schema(schema, keywords)
    n_row = 0
    with parquet.ParquetWriter(sink, stored, compression="zstd") as writer:
        for batch in batches:
            n_row += batch.num_rows
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=stored))
    return n_row


def stored_schema(schema: pa.Schema, keywords: Mapping[str, object]) -> pa.Schema:
    """Schema with the keywords, and with a unit at every field."""
    fields = [field.with_metadata({b"unit": NO_UNIT.encode(), **(field.metadata or {})}) for field in schema]
    return pa.schema(fields, metadata={f"roman.meta.{name}": str(value) for name, value in keywords.items()})
