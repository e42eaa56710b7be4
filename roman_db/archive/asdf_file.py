"""Products as ASDF: keywords at ``roman.meta``, a table of astropy beside them, as RAD's source catalogs are.

An ASDF file has its columns one after the other and says their lengths at its head, so it is made of a
finished Parquet file: each column is laid into a file of its own, which is mapped and never read whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import asdf
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from astropy.table import Column, MaskedColumn, Table
from pyarrow import parquet

from roman_db.archive.parquet_file import NO_UNIT
from roman_db.archive.product import Once

#: Rows that are in memory at a time are those of so many values.
_VALUES_AT_A_TIME = 1_000_000
#: Values that a list, or characters that a text, is taken to have before that is known.
_UNKNOWN_WIDTH = 1000


@dataclass(frozen=True)
class Layout:
    """How a product is laid out.

    Parameters
    ----------
    node
        Name of its table below ``roman``.
    once
        Columns of lists that are the same in all rows: they are written once, as a table of their own.
    is_padded
        Whether lists may differ in length, and have NaN behind them up to that of the longest.
    """

    node: str
    once: Once | None = None
    is_padded: bool = False


def write_asdf(
    source: Path, layout: Layout, keywords: Mapping[str, object], scratch: Path, sink: BinaryIO
) -> None:
    """Write a product.

    Parameters
    ----------
    source
        The product as Parquet. Numbers that are NULL become NaN where they are floating, and are masked else;
        lists become columns with two dimensions, and must be of one length.
    layout
        Where its columns go; of one that is padded, lists may be shorter if they are of floating numbers.
    scratch
        Folder for the files of columns.

    Raises
    ------
    ValueError
        If the lists of a column differ in length, or one is NULL, or a column that is to be the same in all
        rows is not.
    """
    shared = layout.once.columns if layout.once else ()
    with parquet.ParquetFile(source) as file:
        fields = list(file.schema_arrow)
        own = [
            _column(file, field, scratch, layout.is_padded) for field in fields if field.name not in shared
        ]
        roman = {"meta": dict(keywords), layout.node: Table(own, copy=False)}
        if layout.once:
            same = [_shared_column(file, field) for field in fields if field.name in shared]
            roman[layout.once.node] = Table(same, copy=False)
        asdf.AsdfFile({"roman": roman}).write_to(sink)


def _shared_column(file: parquet.ParquetFile, field: pa.Field) -> Column:
    """Column of the values of a list that all rows have alike; empty without rows."""
    values: npt.NDArray[Any] | None = None
    for chunk in _chunks(file, field.name, _UNKNOWN_WIDTH):
        lengths = _lengths(chunk)
        rows = _array(chunk, (lengths[0],)) if len(lengths) == 1 and lengths[0] >= 0 else None
        if rows is None or not all(
            np.array_equal(row, rows[0] if values is None else values) for row in rows
        ):
            raise ValueError(f"{field.name}: is to be the same in all rows, and is not")
        values = rows[0].copy()
    if values is None:
        values = np.empty(0, field.type.value_type.to_pandas_dtype())
    return Column(values, **_words(field))


def _words(field: pa.Field) -> dict[str, Any]:
    """Name, unit and description of a column, which is not copied."""
    known = {key.decode(): word.decode() for key, word in (field.metadata or {}).items()}
    unit = None if known.get("unit", NO_UNIT) == NO_UNIT else known["unit"]
    return {"name": field.name, "unit": unit, "description": known.get("description"), "copy": False}


def _column(file: parquet.ParquetFile, field: pa.Field, scratch: Path, is_padded: bool) -> Column:
    """One column, mapped from a file."""
    shape, kind = _shape(file, field, is_padded)
    n_row = file.metadata.num_rows
    values = _mapped(scratch / f"{field.name}.values", (n_row, *shape), kind)
    null = _mapped(scratch / f"{field.name}.null", (n_row if _needs_mask(field.type) else 0,), np.dtype(bool))
    at = 0
    for chunk in _chunks(file, field.name, int(np.prod(shape, initial=1))):
        part = slice(at, at + len(chunk))
        values[part] = _array(chunk, shape)
        if null.size:
            null[part] = chunk.is_null().to_numpy(zero_copy_only=False)
        at += len(chunk)
    words = _words(field)
    return MaskedColumn(values, mask=null, **words) if null.any() else Column(values, **words)


def _shape(
    file: parquet.ParquetFile, field: pa.Field, is_padded: bool
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape of the value of a row, and its type: texts take the length of the longest."""
    if pa.types.is_list(field.type):
        lengths = {
            length for chunk in _chunks(file, field.name, _UNKNOWN_WIDTH) for length in _lengths(chunk)
        }
        is_fitting = is_padded and pa.types.is_floating(field.type.value_type)
        if (len(lengths) > 1 and not is_fitting) or -1 in lengths:
            raise ValueError(
                f"{field.name}: lists of different lengths have no place in ASDF: {sorted(lengths, key=str)}"
            )
        return (max(lengths, default=0),), np.dtype(field.type.value_type.to_pandas_dtype())
    if pa.types.is_string(field.type):
        most = [
            pc.max(pc.utf8_length(chunk)).as_py() or 1 for chunk in _chunks(file, field.name, _UNKNOWN_WIDTH)
        ]
        return (), np.dtype(f"<U{max(most, default=1)}")
    return (), np.dtype(field.type.to_pandas_dtype())


def _lengths(chunk: pa.Array) -> list[int]:
    """Distinct lengths of the lists of a chunk; -1 is that of NULL."""
    return list(pc.unique(pc.fill_null(pc.list_value_length(chunk), -1)).to_pylist())


def _chunks(file: parquet.ParquetFile, name: str, width: int) -> Iterator[pa.Array]:
    """Yield the values of a column, so many rows at a time as there is room for."""
    rows = max(1, _VALUES_AT_A_TIME // max(width, 1))
    for batch in file.iter_batches(rows, columns=[name]):
        yield batch.column(0)


def _array(chunk: pa.Array, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Values of a chunk; NULL is NaN, zero, False or an empty text."""
    if shape:
        return _rows(chunk, shape[0])
    if pa.types.is_floating(chunk.type):
        filled = pc.fill_null(chunk, float("nan"))
    else:
        filled = pc.fill_null(chunk, "" if pa.types.is_string(chunk.type) else pa.scalar(0).cast(chunk.type))
    return np.asarray(filled.to_numpy(zero_copy_only=False))


def _rows(chunk: pa.Array, width: int) -> npt.NDArray[Any]:
    """Lists of a chunk as rows; behind those that are shorter stands NaN."""
    values = np.asarray(chunk.flatten().to_numpy(zero_copy_only=False))
    if pa.types.is_string(chunk.type.value_type):
        values = values.astype(str)
    if values.size == len(chunk) * width:
        return values.reshape(len(chunk), width)
    inside = np.arange(width) < pc.list_value_length(chunk).to_numpy()[:, None]
    found = np.full(inside.shape, np.nan, values.dtype)
    found[inside] = values
    return found


def _needs_mask(kind: pa.DataType) -> bool:
    """Whether what is missing cannot be said by the value itself."""
    return not (pa.types.is_floating(kind) or pa.types.is_list(kind))


def _mapped(path: Path, shape: tuple[int, ...], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Array in a file, for which there is room; without one where there is nothing to hold."""
    if 0 in shape:
        return np.empty(shape, kind)
    with path.open("wb") as stream:
        # A map of a file without room on the disk ends the process when it is written to.
        os.posix_fallocate(stream.fileno(), 0, int(np.prod(shape)) * kind.itemsize)
    return np.memmap(path, kind, "r+", shape=shape)
