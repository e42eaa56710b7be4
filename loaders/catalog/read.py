"""Read a table of sources from Parquet, FITS, VOTable or ECSV, in chunks where the format allows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.parsers.expat import ExpatError

import numpy as np
import pyarrow as pa
import yaml
from astropy.io.ascii import InconsistentTableError
from astropy.utils.exceptions import AstropyUserWarning

from loaders.catalog.astropy_tables import FitsTable, WholeTable, read_ecsv, read_votable
from loaders.catalog.parquet_table import ParquetTable
from loaders.catalog.table import CatalogFile, Column, TableReader
from loaders.input_file import beginning, read_bytes
from loaders.rejection import Rejected

CHUNK_ROWS = 1_000_000
"""Rows of a chunk: some hundred megabytes with a few dozen columns."""

_HEAD = 4096


@dataclass(frozen=True)
class Chunk:
    """Rows of a table that follow one another.

    Parameters
    ----------
    first_row
        Row of the file, from 0, of the first.
    columns
        By name: arrays of one shape (n,), masked where the file has no value.
    """

    first_row: int
    columns: dict[str, Column]

    def __len__(self) -> int:
        return next((len(column) for column in self.columns.values()), 0)


def open_catalog(path: Path | str) -> TableReader:
    """Open a catalog; only its header is read if the format allows.

    Parameters
    ----------
    path
        Parquet, FITS (its first table), VOTable (its first table) or ECSV: told from the content, not from
        the name.

    Returns
    -------
    TableReader
        Its ``file`` describes the table: columns with units and UCDs.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``empty_file``, ``unknown_format``,
        ``unreadable_catalog``, ``no_rows``.
    """
    path = Path(path)
    with rejecting(path):
        reader = _reader(path, _format(path))
    if reader.file.n_row == 0:
        raise Rejected(str(path), "the table has no rows", "Give a table with sources", "no_rows")
    return reader


def read_chunks(reader: TableReader, names: list[str], chunk_rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Read columns of a catalog, chunk after chunk.

    Parameters
    ----------
    reader
        As `open_catalog` gives it.
    names
        Columns to read.
    chunk_rows
        Largest number of rows of a chunk.

    Yields
    ------
    Chunk

    Raises
    ------
    Rejected
        Code ``unreadable_catalog`` where the data are damaged.
    ValueError
        If a column does not exist.
    """
    unknown = sorted(set(names) - set(reader.file.columns))
    if unknown:
        raise ValueError(f"no column {unknown} in {reader.file.path}, it has {sorted(reader.file.columns)}")
    first = 0
    parts = reader.chunks(names, chunk_rows)
    while True:
        with rejecting(reader.file.path):
            columns = next(parts, None)
        if columns is None:
            return
        chunk = Chunk(first, columns)
        yield chunk
        first += len(chunk)


def read_catalog(path: Path | str) -> tuple[dict[str, Column], CatalogFile]:
    """Read a whole catalog, for files that fit into memory.

    Parameters
    ----------
    path
        As for `open_catalog`.

    Returns
    -------
    columns : dict
        All columns by name.
    file : CatalogFile
        Their units and UCDs.

    Raises
    ------
    Rejected
        As `open_catalog` and `read_chunks`.
    """
    reader = open_catalog(path)
    names = list(reader.file.columns)
    chunks = [chunk.columns for chunk in read_chunks(reader, names)]
    return {name: _joined([chunk[name] for chunk in chunks]) for name in names}, reader.file


def _joined(parts: list[Column]) -> Column:
    """Chunks of a column in one array, masked only if any of them is."""
    if not any(isinstance(part, np.ma.MaskedArray) for part in parts):
        return np.concatenate(parts)
    values = np.concatenate([np.ma.getdata(part) for part in parts])
    return np.ma.MaskedArray(values, mask=np.concatenate([np.ma.getmaskarray(part) for part in parts]))


def _format(path: Path) -> str:
    """Tell the format from the first bytes."""
    where = str(path)
    head = read_bytes(path, "one file: a catalog in Parquet, FITS, VOTable or ECSV", _HEAD)
    if not head:
        raise Rejected(where, "the file is empty", "Fetch or write it again", "empty_file")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SIMPLE  ="):
        return "fits"
    if b"<VOTABLE" in head:
        return "votable"
    if head.lstrip().startswith(b"# %ECSV"):
        return "ecsv"
    what = f"neither Parquet, FITS, VOTable nor ECSV: it is {beginning(head)}"
    remedy = "Decompress it" if head.startswith(b"\x1f\x8b") else "Convert it to one of these"
    raise Rejected(where, what, remedy, "unknown_format")


def _reader(path: Path, kind: str) -> TableReader:
    if kind == "parquet":
        return ParquetTable(path)
    if kind == "fits":
        return FitsTable(path)
    table = read_votable(path) if kind == "votable" else read_ecsv(path)
    return WholeTable(path, kind, table)


@contextmanager
def rejecting(path: Path) -> Iterator[None]:
    """Turn what the readers raise on damaged files into a rejection."""
    # Truncated FITS files only cause a warning. It is not raised from a generator's frame: chunks are read
    # by `next` within this context.
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "error", message="File may have been truncated", category=AstropyUserWarning
            )
            # Units that do not follow the standard are reported with their column when they are needed.
            warnings.filterwarnings("ignore", module="astropy.units")
            yield
    except Rejected:
        raise
    except (
        OSError,
        ValueError,
        TypeError,
        IndexError,
        AstropyUserWarning,
        ExpatError,
        InconsistentTableError,
        pa.ArrowException,
        yaml.YAMLError,
    ) as error:
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        what = f"cannot be read: {first_line[:120]}"
        raise Rejected(str(path), what, "Fetch or write the file again", "unreadable_catalog") from error
