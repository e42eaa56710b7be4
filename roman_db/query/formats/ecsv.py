"""ECSV (Astropy Proposal for Enhancement 6), for results that fit into memory and have no arrays."""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from astropy.table import MaskedColumn, Table

from roman_db.query.stream import Result


def write_ecsv(result: Result, sink: BinaryIO) -> None:
    """Write a result with units, UCDs and descriptions; a missing value is an empty string."""
    rows = pa.Table.from_batches(result.batches, schema=result.schema)
    table = Table([_column(rows[field.name], field) for field in result.schema])
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    sink.write(text.getvalue().encode())


def _column(values: pa.ChunkedArray, field: pa.Field) -> MaskedColumn:
    """Column with what is known of it."""
    known = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    filled = values.fill_null("" if pa.types.is_string(field.type) else 0)
    data = filled.to_numpy()
    return MaskedColumn(
        data.astype(str) if data.dtype == np.object_ else data,
        name=field.name,
        mask=values.is_null().to_numpy(),
        unit=known.get("unit"),
        description=known.get("description"),
        meta={"ucd": known["ucd"]} if "ucd" in known else None,
    )
