"""Arrays of a product that stand in a registered file, beside what the database says of the same objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from roman_db.archive.image_file import copy_registered

#: Column by which rows of both belong together.
_KEY = "object_id"
_ROWS_AT_A_TIME = 64


@dataclass(frozen=True)
class Joined:
    """Columns of the database, then those of the file: what both are, and their rows as they are read."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


def joined(stored: pa.Table, source: Path, sha256: str, scratch: Path) -> Joined:
    """Put the rows of a file beside those of the database.

    Parameters
    ----------
    stored
        What the database says, a row an object, in the order of the file.
    source, sha256
        The file, and the checksum with which it was registered.
    scratch
        Folder for a copy, so that what is read is what was checked.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not what was registered, or, while rows are read, of other objects.
    """
    copy = scratch / "arrays.parquet"
    with copy.open("w+b") as sink:
        copy_registered(source, sha256, sink)
    own = parquet.read_schema(copy)
    added = [field for field in own if field.name != _KEY]
    return Joined(pa.schema([*stored.schema, *added]), _rows(stored, copy, source))


def _rows(stored: pa.Table, copy: Path, source: Path) -> Iterator[pa.RecordBatch]:
    """Yield rows of both, some at a time."""
    at = 0
    with parquet.ParquetFile(copy) as file:
        for batch in file.iter_batches(_ROWS_AT_A_TIME):
            part = stored.slice(at, batch.num_rows).combine_chunks()
            if part.num_rows != batch.num_rows or not pc.all(pc.equal(part[_KEY], batch[_KEY])).as_py():
                raise ValueError(f"{source}: its objects are not those of the database")
            at += batch.num_rows
            added = [batch[name] for name in batch.schema.names if name != _KEY]
            columns = [column.chunk(0) for column in part.columns]
            names = [*part.schema.names, *(name for name in batch.schema.names if name != _KEY)]
            yield pa.RecordBatch.from_arrays([*columns, *added], names)
    if at != stored.num_rows:
        raise ValueError(f"{source}: it has {at} of {stored.num_rows} spectra of the database")
