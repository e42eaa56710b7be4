"""The rows of an answer as Arrow batches of the types that its columns are declared to have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from roman_db.service_failure import Failure
from roman_db.tap.adql import OutputColumn

_SCALARS = {
    "boolean": pa.bool_(),
    "short": pa.int16(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
}


@dataclass(frozen=True)
class Descriptor:
    """What a VOTable says of a service that takes the values of a column (DataLink 1.1, section 4).

    Parameters
    ----------
    column
        Name of the column.
    identifier
        ID of its FIELD.
    resource
        The RESOURCE that refers to it.
    """

    column: str
    identifier: str
    resource: str


@dataclass
class Answer:
    """What a query gives, while it comes.

    Parameters
    ----------
    query
        Its text.
    columns
        Descriptions of the columns.
    batches
        The rows, in the types of `schema_of`; to be read once.
    warnings
        What the author should know though the query runs.
    is_cut
        Whether there are more rows than may be handed out; known when all are read.
    failure
        Why no more rows came, where a format says so itself and ends well.
    n_row
        Rows that came so far.
    descriptor
        Service that a VOTable describes; None for none.
    sky_area
        Area of the sky of which the rows so far tell, in square degrees; None where that is not known.
    most_bytes
        Most bytes of rows that a format may keep on disk before it is written; None for any number.
    """

    query: str
    columns: Sequence[OutputColumn]
    batches: Iterator[pa.RecordBatch] = field(default_factory=lambda: iter(()))
    warnings: Sequence[str] = ()
    is_cut: bool = False
    failure: Failure | None = None
    n_row: int = 0
    descriptor: Descriptor | None = None
    sky_area: float | None = None
    most_bytes: int | None = None


def schema_of(columns: Iterable[OutputColumn]) -> pa.Schema:
    """Arrow schema of columns; unit, UCD and description are metadata."""
    fields = []
    for column in columns:
        known = {"unit": column.unit, "ucd": column.ucd, "description": column.description}
        metadata = {key: value for key, value in known.items() if value}
        fields.append(pa.field(column.name, _arrow_type(column), metadata=metadata))
    return pa.schema(fields)


def _arrow_type(column: OutputColumn) -> pa.DataType:
    """Type of Arrow that stands for a type of VOTable."""
    if column.xtype == "timestamp":
        return pa.timestamp("us", "UTC")
    if column.datatype in ("char", "unicodeChar"):
        return pa.string()
    if column.datatype == "unsignedByte":
        return pa.binary()
    scalar = _SCALARS[column.datatype]
    return scalar if column.arraysize in (None, "1") else pa.list_(pa.field("item", scalar))


def as_seen(columns: Sequence[OutputColumn], batch: pa.RecordBatch) -> tuple[OutputColumn, ...]:
    """Columns of which those with characters beyond ASCII in a batch are declared to have any characters."""
    return tuple(
        column if is_ascii(values) else replace(column, datatype="unicodeChar")
        for column, values in zip(columns, batch.columns, strict=True)
    )


def is_ascii(values: pa.Array) -> bool:
    """Whether texts have characters of ASCII alone; so have values that are no texts."""
    if not pa.types.is_string(values.type):
        return True
    found = pc.all(pc.string_is_ascii(values), skip_nulls=True).as_py()
    return found is not False


def conformed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Rows of the server in the declared types.

    Raises
    ------
    pyarrow.ArrowInvalid
        If a value does not fit its declared type.
    """
    return pa.RecordBatch.from_arrays(
        [_cast(array, field.type) for array, field in zip(batch.columns, schema, strict=True)], schema=schema
    )


def _cast(array: pa.Array, target: pa.DataType) -> pa.Array:
    """Values in another type; numbers of any precision come as text in a type of their own."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    return array if array.type.equals(target) else array.cast(target)
