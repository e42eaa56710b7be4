"""Tables of Parquet as astropy has them, with units; NaN stays NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from astropy.table import Column, MaskedColumn, Table

from roman_db.client.failure import ServiceFailed


def table_of(rows: pa.Table) -> Table:
    """Table with units, UCDs (``.meta["ucd"]``) and descriptions.

    Parameters
    ----------
    rows
        As the service sends them in Parquet. Missing floating-point numbers become NaN, other missing values
        are masked.
    """
    return Table([_column(rows.field(name), rows[name]) for name in rows.column_names])


def is_cut(metadata: dict[bytes, bytes] | None) -> bool:
    """Whether there are more rows than a file has; raises `ServiceFailed` where it does not say."""
    status = (metadata or {}).get(b"query_status")
    if status is None:
        raise ServiceFailed("the answer does not say whether it is whole (query_status): ask again")
    return status == b"OVERFLOW"


def without_mask(table: Table) -> Table:
    """Table whose missing floating-point numbers are NaN; columns of other types stay masked."""
    for name in table.colnames:
        column = table[name]
        if not isinstance(column, MaskedColumn):
            continue
        about = {"unit": column.unit, "description": column.description, "meta": column.meta}
        if column.dtype.kind == "f":
            table[name] = Column(column.filled(np.nan), **about)
        elif not np.any(column.mask):
            table[name] = Column(column.data.data, **about)
    return table


def _column(field: pa.Field, values: pa.ChunkedArray) -> Column:
    said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    about: dict[str, Any] = {
        "unit": said.get("unit"),
        "description": said.get("description"),
        "name": field.name,
    }
    data, mask = _array(values)
    made = Column(data, **about) if mask is None else MaskedColumn(data, mask=mask, **about)
    if "ucd" in said:
        made.meta["ucd"] = said["ucd"]
    return made


def _array(values: pa.ChunkedArray) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
    """Values, and which are missing (None: none is)."""
    kind = values.type
    if pa.types.is_floating(kind):
        return values.to_numpy(), None
    mask = values.is_null().to_numpy() if values.null_count else None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _texts(values), mask
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        filled = values if mask is None else values.fill_null(False if pa.types.is_boolean(kind) else 0)
        return filled.to_numpy(), mask
    listed = np.empty(len(values), dtype=object)
    listed[:] = values.to_pylist()
    return listed, mask


def _texts(values: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Texts of numpy: few different ones are many rows, so each is made once."""
    coded = values.fill_null("").combine_chunks().dictionary_encode()
    different = np.array(coded.dictionary.to_pylist() or [""], dtype=np.str_)
    texts: np.ndarray[Any, Any] = different[coded.indices.to_numpy()]
    return texts
