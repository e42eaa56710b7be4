"""Parquet with units, UCDs and descriptions.

They stand twice: as metadata of each field, and as a VOTable without rows in the metadata of the file, where
the convention VOParquet 1.0 (IVOA Note, 2025) has TOPCAT, STILTS and astropy look for them.
"""

from __future__ import annotations

from typing import BinaryIO

from pyarrow import parquet

from roman_db.query.formats.votable import header
from roman_db.query.stream import Result


def write_parquet(result: Result, sink: BinaryIO) -> None:
    """Write a result, one row group a batch."""
    schema = result.schema.with_metadata(
        {
            "IVOA.VOTable-Parquet.version": "1.0",
            "IVOA.VOTable-Parquet.content": header(result.schema),
            "query": result.sql,
        }
    )
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in result.batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
