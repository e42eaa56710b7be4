"""Uploaded files as rows: VOTable, FITS, Parquet and CSV, told apart by how they begin."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.io import fits, votable
from astropy.table import MaskedColumn, Table
from pyarrow import csv, parquet

from roman_db.service_failure import BadRequest
from roman_db.tap.uploads.upload import Column

Read = tuple[list[Column], pa.Table]


@dataclass(frozen=True)
class UploadLimits:
    """Bytes of all files of a request, rows and columns of each, and whether addresses are fetched."""

    size: int
    rows: int
    columns: int
    fetches: bool = False


def read_file(name: str, content: bytes, limits: UploadLimits) -> Read:
    """Columns and rows of a file.

    Raises
    ------
    BadRequest
        If it is no table, or too large a one.
    """
    kind, reader = _reader(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is not to the letter of a standard is read all the same
            columns, rows = reader(content)
    except BadRequest:
        raise
    except MemoryError:
        raise BadRequest(f"UPLOAD {name}: the {kind} is too large") from None
    except Exception as error:
        words = " ".join(str(error).split())[:200]
        raise BadRequest(f"UPLOAD {name}: the {kind} cannot be read: {words}") from error
    for what, found, most in (
        ("rows", rows.num_rows, limits.rows),
        ("columns", len(columns), limits.columns),
    ):
        if found > most:
            raise BadRequest(f"UPLOAD {name}: a table has at most {most} {what}, this one has {found}")
    if not columns:
        raise BadRequest(f"UPLOAD {name}: the {kind} has no columns")
    return columns, rows


def _reader(content: bytes) -> tuple[str, Callable[[bytes], Read]]:
    """What a file is, and who reads it."""
    if content.startswith(b"PAR1"):
        return "Parquet file", _read_parquet
    if content.startswith(b"SIMPLE  ="):
        return "FITS file", _read_fits
    if content.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"<"):
        return "VOTable", _read_votable
    return "CSV file", _read_csv


def _read_parquet(content: bytes) -> Read:
    """Columns have units and UCDs where we wrote them: as metadata of the fields."""
    rows = parquet.read_table(pa.BufferReader(content), partitioning=None)
    return [_of_field(field) for field in rows.schema], rows


def _of_field(field: pa.Field) -> Column:
    known = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    return Column(field.name, known.get("unit"), known.get("ucd"), known.get("description"))


def _read_csv(content: bytes) -> Read:
    """The first line has the names."""
    rows = csv.read_csv(io.BytesIO(content), parse_options=csv.ParseOptions(newlines_in_values=True))
    return [Column(name) for name in rows.schema.names], rows


def _read_fits(content: bytes) -> Read:
    """The first table of the file; UCDs are in TUCD."""
    with fits.open(io.BytesIO(content), memmap=False) as file:
        table = next((one for one in file if isinstance(one, fits.BinTableHDU | fits.TableHDU)), None)
        if table is None:
            raise BadRequest("UPLOAD: the FITS file has no table")
        ucds = [table.header.get(f"TUCD{number + 1}") for number in range(len(table.columns))]
        read = Table.read(table)
    return _of_table(read, ucds)


def _read_votable(content: bytes) -> Read:
    """The first table of the document."""
    _refuse_links(content)
    first = votable.parse(io.BytesIO(content), verify="ignore").get_first_table()
    names = [field.name or field.ID for field in first.fields]
    columns, rows = _of_table(first.to_table(), [field.ucd for field in first.fields])
    for place, field in enumerate(first.fields):
        if field.xtype == "timestamp":
            rows = rows.set_column(place, rows.schema.names[place], _times(rows.column(place)))
    renamed = zip(names, columns, strict=True)
    return [Column(name, one.unit, one.ucd, one.description) for name, one in renamed], rows


def _times(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times in UTC of texts as DALI 1.1, section 3.3.3, has them; an empty one is NULL."""
    plain = pc.replace_substring_regex(texts, "Z$", "")
    times = pc.if_else(pc.equal(plain, ""), None, plain).cast(pa.timestamp("us"))
    return pc.assume_timezone(times, "UTC")


def _refuse_links(content: bytes) -> None:
    """Refuse a document that has its rows elsewhere, or grows when it is read."""

    def element(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] != "LINK" and "href" in attributes:
            raise BadRequest("UPLOAD: the rows of a VOTable must be in it, not behind a link")

    def document_type(*_: object) -> None:
        raise BadRequest("UPLOAD: a VOTable has no document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    parser.StartDoctypeDeclHandler = document_type
    parser.Parse(content, True)


def _of_table(table: Table, ucds: Sequence[str | None]) -> Read:
    """Columns and rows of a table of astropy."""
    columns = [
        Column(column.name, None if column.unit is None else str(column.unit), ucd, column.description)
        for column, ucd in zip(table.itercols(), ucds, strict=True)
    ]
    arrays = [_array(column) for column in table.itercols()]
    return columns, pa.table(arrays, names=[str(number) for number in range(len(arrays))])


def _array(column: Any) -> pa.Array:
    """Values of a column; what is masked is NULL."""
    if column.ndim != 1 or (column.dtype.kind == "O" and any(isinstance(one, np.ndarray) for one in column)):
        raise BadRequest(f"column {column.name[:60]} of an upload has arrays: leave it out")
    values = np.asarray(column)
    missing = np.asarray(column.mask) if isinstance(column, MaskedColumn) else None
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind in "UO":
        texts = [None if missing is not None and missing[k] else str(one) for k, one in enumerate(values)]
        return pa.array(texts, pa.string())
    native = values.astype(values.dtype.newbyteorder("="))
    return pa.array(native, mask=missing, from_pandas=False)
