"""Uploaded Parquet as rows; whether they have room is known before they are unpacked.

Numbers take as much memory as their types and their count say. Text is read as a dictionary (each different
value once, as most files have it) and counted with its repetitions before it is written out.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from roman_db.tap.uploads.limits import UploadLimits
from roman_db.tap.uploads.upload import check_type

#: Bytes of the place of a text in a dictionary.
_PLACE = 4


def read_rows(content: bytes, limits: UploadLimits) -> pa.Table:
    """Rows of a file, text as dictionaries.

    Raises
    ------
    BadRequest
        If it has more rows, columns or values than it may, or values that no query can use.
    """
    file = parquet.ParquetFile(pa.BufferReader(content))
    schema, metadata = file.schema_arrow, file.metadata
    limits.check_shape(_n_row(metadata), metadata.num_columns)
    for field in schema:
        check_type(field.name, field.type)
    limits.check_memory(max(_unpacked(metadata), _n_row(metadata) * sum(map(_width, schema.types))))
    texts = [place for place, type_ in enumerate(schema.types) if _is_text(type_)]
    rows = parquet.ParquetFile(pa.BufferReader(content), read_dictionary=texts).read()
    limits.check_memory(sum(map(_size, rows.columns)))
    return rows


def _n_row(metadata: parquet.FileMetaData) -> int:
    """Most values of a column: a file may say that it has fewer rows than it has values."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    values: int = sum(max(group.column(k).num_values for k in range(group.num_columns)) for group in groups)
    return max(int(metadata.num_rows), values)


def _unpacked(metadata: parquet.FileMetaData) -> int:
    """Bytes of the pages when they are unpacked, in which values that repeat are not written out."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    return sum(
        max(group.column(k).total_uncompressed_size, 0) for group in groups for k in range(group.num_columns)
    )


def _is_text(type_: pa.DataType) -> bool:
    plain = type_.value_type if pa.types.is_dictionary(type_) else type_
    return bool(
        pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain)
    )


def _width(type_: pa.DataType) -> int:
    """Bytes of a value in memory; of text those of its place alone."""
    if _is_text(type_) or pa.types.is_null(type_):
        return _PLACE
    plain = type_.value_type if pa.types.is_dictionary(type_) else type_
    return -(-int(plain.bit_width) // 8)


def _size(column: pa.ChunkedArray) -> int:
    """Bytes of a column when its text is written out."""
    if not pa.types.is_dictionary(column.type) or not _is_text(column.type):
        return int(column.nbytes)
    lengths = (pc.binary_length(one.dictionary).take(one.indices) for one in column.chunks)
    return sum(_PLACE * len(one) + (pc.sum(one).as_py() or 0) for one in lengths)
