"""Tables of light curves of any format: text, and what catalogs may be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loaders.catalog.parquet_table import values_of
from loaders.catalog.read import open_catalog, read_catalog, read_chunks, rejecting
from loaders.catalog.table import TableReader
from loaders.external_light_curve.columns import ReadColumn, as_numbers, coded, coded_arrow
from loaders.external_light_curve.table import LightCurveTable, TableFile, joined
from loaders.external_light_curve.text_file import TextFile
from loaders.input_file import read_bytes
from loaders.rejection import Rejected

_HEAD = 4096

_BATCH_ROWS = 100_000
"""Rows of typed formats that are read at a time."""

_BUFFER_BYTES = 1 << 20
"""Bytes of a column that are read from a Parquet file at a time."""


class CatalogTable:
    """A table in FITS, VOTable or ECSV."""

    def __init__(self, reader: TableReader) -> None:
        self._reader = reader
        self.path = reader.file.path
        self.names: Sequence[str] = list(reader.file.columns)
        self._units = {name: info.unit for name, info in reader.file.columns.items() if info.unit}

    def batches(self, texts: Collection[str], numbers: Collection[str] = ()) -> Iterator[LightCurveTable]:
        """Read columns, some thousand rows at a time."""
        for chunk in read_chunks(self._reader, [*texts, *numbers], _BATCH_ROWS):
            columns: dict[str, ReadColumn] = {name: coded(chunk.columns[name]) for name in texts}
            columns |= {name: as_numbers(chunk.columns[name]) for name in numbers}
            rows = np.arange(chunk.first_row, chunk.first_row + len(chunk))
            yield LightCurveTable(self.path, columns, self._units, rows)


class ParquetFile(CatalogTable):
    """A table in Parquet, whose texts are those of its dictionaries: none is made a text for each row."""

    def batches(self, texts: Collection[str], numbers: Collection[str] = ()) -> Iterator[LightCurveTable]:
        """Read columns, some thousand rows at a time; memory holds a page of each."""
        with rejecting(self.path):
            file = pq.ParquetFile(self.path, read_dictionary=list(texts), buffer_size=_BUFFER_BYTES)
        # Of a reader of all row groups Arrow keeps what it read of each to the end.
        groups = range(file.metadata.num_row_groups)
        wanted = [*texts, *numbers]
        first = 0
        with file:
            parts = chain.from_iterable(file.iter_batches(_BATCH_ROWS, [group], wanted) for group in groups)
            while True:
                with rejecting(self.path):
                    batch = next(parts, None)
                    columns = {} if batch is None else _columns(batch, texts)
                if batch is None:
                    return
                rows = np.arange(first, first + batch.num_rows)
                yield LightCurveTable(self.path, columns, self._units, rows)
                first += batch.num_rows


def open_table(path: Path) -> TableFile:
    """Open a table: CSV or other text, ECSV, Parquet, VOTable or FITS, told from the content.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``empty_file``, ``no_rows``, ``unknown_format``,
        ``unreadable_catalog``.
    """
    if not _is_catalog(path):
        return TextFile(path)
    reader = open_catalog(path)
    return ParquetFile(reader) if reader.file.format == "parquet" else CatalogTable(reader)


def read_table(path: Path) -> LightCurveTable:
    """Read all columns of a table that fits into memory: those of floats as numbers, all others as texts.

    Raises
    ------
    Rejected
        As `open_table`.
    """
    if not _is_catalog(path):
        file = TextFile(path)
        return joined(list(file.batches(file.names)))
    arrays, catalog = read_catalog(path)
    columns: dict[str, ReadColumn] = {
        name: as_numbers(array) if array.dtype.kind == "f" else coded(array) for name, array in arrays.items()
    }
    units = {name: info.unit for name, info in catalog.columns.items() if info.unit}
    return LightCurveTable(path, columns, units, np.arange(catalog.n_row))


def _is_catalog(path: Path) -> bool:
    """Whether a file is of a format that catalogs have, and not text."""
    head = read_bytes(path, "one file: a table of light curves", _HEAD)
    if not head:
        raise Rejected(str(path), "the file is empty", "Fetch or write it again", "empty_file")
    is_binary = head.startswith((b"PAR1", b"SIMPLE  ="))
    return is_binary or b"<VOTABLE" in head or head.lstrip().startswith(b"# %ECSV")


def _columns(batch: pa.RecordBatch, texts: Collection[str]) -> dict[str, ReadColumn]:
    """Columns of a batch of Arrow."""
    return {
        name: coded_arrow(batch.column(name)) if name in texts else as_numbers(values_of(batch.column(name)))
        for name in batch.schema.names
    }
