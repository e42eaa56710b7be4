"""Uploaded files as rows: VOTable, FITS, Parquet and CSV, told apart by how they begin."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.io import fits, votable
from astropy.table import MaskedColumn, Table
from pyarrow import csv

from roman_db.service_failure import BadRequest
from roman_db.tap.uploads.limits import UploadLimits
from roman_db.tap.uploads.parquet_file import read_rows
from roman_db.tap.uploads.upload import Column
from roman_db.tap.uploads.votable_check import checked_votable

Read = tuple[list[Column], pa.Table]
#: Bytes in memory of a character of FITS.
_CHARACTER = 4


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
            columns, rows = reader(content, limits)
        limits.check_shape(rows.num_rows, len(columns))
    except BadRequest as error:
        raise BadRequest(f"UPLOAD {name}: {error}") from error
    except MemoryError:
        raise BadRequest(f"UPLOAD {name}: the {kind} is too large") from None
    except Exception as error:
        words = " ".join(str(error).split())[:200]
        raise BadRequest(f"UPLOAD {name}: the {kind} cannot be read: {words}") from error
    if not columns:
        raise BadRequest(f"UPLOAD {name}: the {kind} has no columns")
    return columns, rows


def _reader(content: bytes) -> tuple[str, Callable[[bytes, UploadLimits], Read]]:
    """What a file is, and who reads it."""
    if content.startswith(b"PAR1"):
        return "Parquet file", _read_parquet
    if content.startswith(b"SIMPLE  ="):
        return "FITS file", _read_fits
    if content.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"<"):
        return "VOTable", _read_votable
    return "CSV file", _read_csv


def _read_parquet(content: bytes, limits: UploadLimits) -> Read:
    """Columns have units and UCDs where we wrote them: as metadata of the fields."""
    rows = read_rows(content, limits)
    return [_of_field(field) for field in rows.schema], rows


def _of_field(field: pa.Field) -> Column:
    known = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    return Column(field.name, known.get("unit"), known.get("ucd"), known.get("description"))


def _read_csv(content: bytes, _: UploadLimits) -> Read:
    """The first line has the names."""
    rows = csv.read_csv(io.BytesIO(content), parse_options=csv.ParseOptions(newlines_in_values=True))
    return [Column(name) for name in rows.schema.names], rows


def _read_fits(content: bytes, limits: UploadLimits) -> Read:
    """The first table of the file; UCDs are in TUCD."""
    with fits.open(io.BytesIO(content), memmap=False) as file:
        table = next((one for one in file if isinstance(one, fits.BinTableHDU | fits.TableHDU)), None)
        if table is None:
            raise BadRequest("the FITS file has no table")
        _check_fits(table, limits)
        ucds = [table.header.get(f"TUCD{number + 1}") for number in range(len(table.columns))]
        read = Table.read(table)
    return _of_table(read, ucds)


def _check_fits(table: fits.BinTableHDU | fits.TableHDU, limits: UploadLimits) -> None:
    """Look at a header before the rows are read: columns of text may overlap, arrays lie elsewhere."""
    n_row = int(table.header["NAXIS2"])
    limits.check_shape(n_row, len(table.columns))
    types = [np.dtype(column.dtype) for column in table.columns]
    for column, type_ in zip(table.columns, types, strict=True):
        if type_.subdtype is not None:
            raise _arrays(column.name)
    limits.check_memory(n_row * sum(one.itemsize * (_CHARACTER if one.kind == "S" else 1) for one in types))


def _read_votable(content: bytes, limits: UploadLimits) -> Read:
    """The first table of the document."""
    checked = checked_votable(content, limits)
    first = votable.parse(io.BytesIO(checked), verify="ignore").get_first_table()
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
        raise _arrays(column.name)
    values = np.asarray(column)
    missing = np.asarray(column.mask) if isinstance(column, MaskedColumn) else None
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind in "UO":
        texts = [None if missing is not None and missing[k] else str(one) for k, one in enumerate(values)]
        return pa.array(texts, pa.string())
    native = values.astype(values.dtype.newbyteorder("="))
    return pa.array(native, mask=missing, from_pandas=False)


def _arrays(name: str) -> BadRequest:
    return BadRequest(f"column {name[:60]} has arrays: leave it out")
