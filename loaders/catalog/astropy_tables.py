"""Catalogs in the formats that astropy reads: FITS in chunks, VOTable and ECSV as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.io.votable import parse_single_table
from astropy.table import Column as AstropyColumn
from astropy.table import Table

from loaders.catalog.table import CatalogFile, Column, ColumnInfo, stated
from loaders.rejection import Rejected

_TEXT_KINDS = "SUO"
_KINDS = f"biuf{_TEXT_KINDS}"


class FitsTable:
    """The first binary or ASCII table of a FITS file as a catalog.

    Parameters
    ----------
    path
        File.

    Raises
    ------
    Rejected
        Code ``unreadable_catalog`` if there is no table.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with fits.open(path) as hdus:
            self._index = _table_index(hdus, path)
            header, definitions = hdus[self._index].header, hdus[self._index].columns
            columns = {
                definition.name: ColumnInfo(
                    definition.name,
                    stated(definition.unit),
                    stated(header.get(f"TUCD{number}")),
                    definition.dtype.kind in _TEXT_KINDS,
                )
                for number, definition in enumerate(definitions, 1)
                if definition.dtype.subdtype is None and not definition.dtype.hasobject
            }
            self._nulls = {definition.name: definition.null for definition in definitions}
            self._file = CatalogFile(path, "fits", int(header["NAXIS2"]), columns)

    @property
    def file(self) -> CatalogFile:
        """Header of the catalog."""
        return self._file

    def chunks(self, names: Sequence[str], chunk_rows: int) -> Iterator[dict[str, Column]]:
        """Read columns of some rows at a time through a memory map."""
        with fits.open(self._path, memmap=True) as hdus:
            data = hdus[self._index].data
            for start in range(0, self._file.n_row, chunk_rows):
                part = data[start : start + chunk_rows]
                yield {name: self._values(part, name) for name in names}

    def _values(self, part: fits.FITS_rec, name: str) -> Column:
        """Copy a column into native byte order, its null value masked."""
        stored = np.asarray(part[name])
        values = stored.astype(stored.dtype.newbyteorder("="))
        null = self._nulls[name]
        return values if null is None else np.ma.MaskedArray(values, mask=values == null)


class WholeTable:
    """A table in memory as a catalog.

    Parameters
    ----------
    path
        File that it was read from.
    kind
        ``votable`` or ``ecsv``.
    table
        Columns with units and, in their ``meta``, UCDs.
    """

    def __init__(self, path: Path, kind: str, table: Table) -> None:
        self._table = table
        columns = {
            name: ColumnInfo(
                name, stated(column.unit), stated(column.meta.get("ucd")), column.dtype.kind in _TEXT_KINDS
            )
            for name, column in table.columns.items()
            if isinstance(column, AstropyColumn) and column.ndim == 1 and column.dtype.kind in _KINDS
        }
        self._file = CatalogFile(path, kind, len(table), columns)

    @property
    def file(self) -> CatalogFile:
        """Header of the catalog."""
        return self._file

    def chunks(self, names: Sequence[str], chunk_rows: int) -> Iterator[dict[str, Column]]:
        """Cut the table into chunks."""
        for start in range(0, len(self._table), chunk_rows):
            rows = slice(start, start + chunk_rows)
            yield {name: _plain(self._table[name][rows]) for name in names}


def read_votable(path: Path) -> Table:
    """Read the first table of a VOTable file."""
    return parse_single_table(path).to_table(use_names_over_ids=True)


def read_ecsv(path: Path) -> Table:
    """Read an ECSV file."""
    return Table.read(path, format="ascii.ecsv")


def _table_index(hdus: fits.HDUList, path: Path) -> int:
    """Index of the first table in a FITS file."""
    for index, hdu in enumerate(hdus):
        if isinstance(hdu, fits.BinTableHDU | fits.TableHDU):
            return index
    raise Rejected(str(path), "the FITS file has no table", "Give a file with a table", "unreadable_catalog")


def _plain(column: AstropyColumn) -> Column:
    """Values of a column without astropy's wrapping."""
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.MaskedArray(column.data.data, mask=np.ma.getmaskarray(column))
    return np.asarray(column)
