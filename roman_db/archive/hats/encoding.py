"""How columns are written as Parquet: each in the encoding that its values take the least room in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

#: Level of zstd. Higher ones win less than a percent of noise, and take twice the time.
_LEVEL = 1
#: Bytes of a dictionary: all exposures of a field in three elements.
_DICTIONARY = 4 << 20
#: Numbers that many rows, or many light curves, share.
_SHARED = frozenset({"ref_epoch", "midpoint_mjd_tdb", "midpoint_bjd_tdb"})
#: Integers that grow from row to row.
_ASCENDING = frozenset({"_healpix_29", "object_id"})


def writer_options(schema: pa.Schema) -> dict[str, Any]:
    """Options of ``pyarrow.parquet.ParquetWriter`` for a schema.

    Floating-point numbers are split into streams of their bytes, of which the first ones compress; what grows
    from row to row is stored as differences; numbers that come again, texts and small integers as places in a
    dictionary. All of it is compressed by zstd then.
    """
    chosen = {path: _encoding(name, kind) for path, name, kind in _leaves(schema)}
    return {
        "compression": "zstd",
        "compression_level": _LEVEL,
        "use_dictionary": [path for path, encoding in chosen.items() if encoding is None],
        "column_encoding": {path: encoding for path, encoding in chosen.items() if encoding},
        "dictionary_pagesize_limit": _DICTIONARY,
        "write_page_index": True,
    }


def _leaves(schema: pa.Schema) -> Iterator[tuple[str, str, pa.DataType]]:
    """Path in Parquet, name and type of each column of values."""
    for field in schema:
        if pa.types.is_struct(field.type):
            for inner in field.type:
                yield f"{field.name}.{inner.name}.list.element", inner.name, inner.type.value_type
        else:
            yield field.name, field.name, field.type


def _encoding(name: str, kind: pa.DataType) -> str | None:
    """Encoding of a column; None for a dictionary."""
    if name in _ASCENDING:
        return "DELTA_BINARY_PACKED"
    if pa.types.is_floating(kind) and name not in _SHARED:
        return "BYTE_STREAM_SPLIT"
    return None
