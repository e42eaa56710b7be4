"""What contributed tables and window functions must be: Parquet whose columns are described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from loaders.contribution.manifest import Match
from loaders.contribution.units import NONE, unit_fault

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_MOST_COLUMNS = 1000
#: Type of Arrow by name: PostgreSQL's, VOTable's, and VOTable's arraysize.
_TYPES = {
    "bool": ("boolean", "boolean", None),
    "int16": ("smallint", "short", None),
    "int32": ("integer", "int", None),
    "int64": ("bigint", "long", None),
    "float": ("real", "float", None),
    "double": ("double precision", "double", None),
    "string": ("text", "char", "*"),
}
_WINDOW = ("start_mjd", "end_mjd")


@dataclass(frozen=True)
class ColumnOf:
    """A column of a contributed table: its types, and what it means."""

    name: str
    postgresql: str
    datatype: str
    arraysize: str | None
    unit: str | None
    ucd: str | None
    description: str


def columns_of(path: Path) -> list[ColumnOf]:
    """Columns of a table that was found to be right."""
    return [_column(field) for field in parquet.read_schema(path)]


def rows(path: Path) -> pa.RecordBatchReader:
    """Rows of a table with their numbers from 1 before them."""
    file = parquet.ParquetFile(path)
    schema = pa.schema(
        [pa.field("row_number", pa.int64()), *(pa.field(f.name, f.type) for f in file.schema_arrow)]
    )
    return pa.RecordBatchReader.from_batches(schema, _numbered(file, schema))


def table_faults(path: Path, match: Match | None) -> Iterator[str]:
    """Yield what is wrong with a table."""
    file = parquet.ParquetFile(path)
    schema = file.schema_arrow
    if not schema.names or len(schema.names) > _MOST_COLUMNS:
        yield f"it has {len(schema.names)} columns, and 1 to {_MOST_COLUMNS} are right"
    if file.metadata.num_rows == 0:
        yield "it has no rows"
    repeated = {name for name in schema.names if schema.names.count(name) > 1}
    yield from (f"column {name!r} is there several times" for name in sorted(repeated))
    for field in schema:
        yield from _column_faults(field)
    if match is not None:
        yield from _position_faults(file, match)


def window_faults(path: Path) -> Iterator[str]:
    """Yield what is wrong with a window function: when something could be seen, one row an interval."""
    yield from table_faults(path, None)
    schema = parquet.read_schema(path)
    for name in _WINDOW:
        if name not in schema.names or schema.field(name).type != pa.float64():
            yield f"a window function has a column {name} of doubles"
            return
        if _said(schema.field(name), "unit") != "d":
            yield f"column {name}: its unit is d"
    start, end = (parquet.read_table(path, columns=[name]).column(0).to_numpy() for name in _WINDOW)
    if not (np.isfinite(start).all() and np.isfinite(end).all() and (end > start).all()):
        yield "each interval of a window function ends after it begins"


def _column_faults(field: pa.Field) -> Iterator[str]:
    """Yield what is wrong with the description of a column."""
    if _NAME.fullmatch(field.name) is None or field.name == "row_number":
        yield f"column {field.name!r}: a name is lower case, letters, digits and underscores, not row_number"
    if str(field.type) not in _TYPES:
        yield f"column {field.name!r}: {field.type} is none of {', '.join(_TYPES)}"
    if not _said(field, "description"):
        yield f"column {field.name!r}: says no description in the metadata of its field"
    if pa.types.is_floating(field.type) and (words := unit_fault(_said(field, "unit"))) is not None:
        yield f"column {field.name!r}: {words}"


def _position_faults(file: parquet.ParquetFile, match: Match) -> Iterator[str]:
    """Yield what is wrong with the positions that objects are to be matched with."""
    for name, least, most in ((match.ra, 0.0, 360.0), (match.dec, -90.0, 90.0)):
        if name not in file.schema_arrow.names or file.schema_arrow.field(name).type != pa.float64():
            yield f"column {name!r}, which match names, is not there as doubles"
            continue
        if _said(file.schema_arrow.field(name), "unit") != "deg":
            yield f"column {name!r}, which match names: its unit is deg"
        outside = sum(_outside(batch.column(0), least, most) for batch in file.iter_batches(columns=[name]))
        if outside:
            yield f"column {name!r}, which match names: {outside} values are not from {least:g} to {most:g}"


def _outside(values: pa.Array, least: float, most: float) -> int:
    """Number of values that are not in a range; what is missing or NaN is not."""
    inside = pc.and_(pc.greater_equal(values, least), pc.less_equal(values, most))
    return len(values) - int(pc.sum(pc.fill_null(inside, False)).as_py() or 0)


def _column(field: pa.Field) -> ColumnOf:
    """A column from its field."""
    postgresql, datatype, arraysize = _TYPES[str(field.type)]
    unit = _said(field, "unit")
    described = _said(field, "description") or ""
    return ColumnOf(
        field.name,
        postgresql,
        datatype,
        arraysize,
        None if unit == NONE else unit,
        _said(field, "ucd"),
        described,
    )


def _said(field: pa.Field, word: str) -> str | None:
    """What the metadata of a field say."""
    value = (field.metadata or {}).get(word.encode())
    return None if value is None else value.decode(errors="replace")


def _numbered(file: parquet.ParquetFile, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield batches with the numbers of their rows."""
    first = 1
    for batch in file.iter_batches():
        numbers = pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64))
        first += batch.num_rows
        yield pa.RecordBatch.from_arrays([numbers, *batch.columns], schema=schema)
