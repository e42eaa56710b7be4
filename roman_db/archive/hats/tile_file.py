"""The files of one tile: its rows, and those of the margin around it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from roman_db.archive.hats.encoding import writer_options
from roman_db.archive.hats.placing import INDEX, chosen, indexed, separation
from roman_db.archive.hats.tile import DRIFT, FINEST, WITHIN, Tile, contains

IntArray = npt.NDArray[np.int64]

#: Key of the metadata of a file that holds its record.
_RECORD = "roman.tile"


@dataclass(frozen=True)
class Work:
    """A tile to be written.

    Parameters
    ----------
    tile
        The tile.
    ids
        Ranges of identifiers among which its rows and those of its margin are, shape (n, 2).
    margin
        Ranges of pixels of order 29 in which rows belong to the margin unless they are in the tile.
    weight
        What the rows of the ranges weigh together.
    version
        What the content follows from; another content has another.
    strays
        Objects to be looked for beyond the ranges, with the versions of the tiles of their identifiers.
    """

    tile: Tile
    ids: IntArray
    margin: IntArray
    weight: int
    version: str
    strays: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Record:
    """What is known of the files of a tile.

    Parameters
    ----------
    tile, version, strays
        As in `Work`.
    n_row, n_margin_row
        Rows of its files, which are not there without any.
    n_own
        Rows of objects whose identifiers are in the tile, wherever they are.
    far
        Objects whose identifiers are in the tile and that have moved farther than others look for them, with
        the pixels of order 29 in which they are.
    """

    tile: Tile
    version: str
    strays: tuple[tuple[int, str], ...]
    n_row: int
    n_margin_row: int
    n_own: int
    far: tuple[tuple[int, int], ...]

    def is_of(self, work: Work) -> bool:
        """Whether the files are what they should be."""
        return self.version == work.version and self.strays == work.strays

    def text(self) -> str:
        """All of it as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def of(cls, text: str | bytes) -> Record:
        """Record from such a text."""
        found = json.loads(text)
        pairs = {name: tuple((one, other) for one, other in found[name]) for name in ("strays", "far")}
        return cls(**found | pairs | {"tile": Tile(**found["tile"])})


def record_of(metadata: parquet.FileMetaData) -> Record | None:
    """Record of a tile from its file; None if the file has none."""
    text = (metadata.metadata or {}).get(_RECORD.encode())
    return None if text is None else Record.of(text)


def stored_schema(schema: pa.Schema) -> pa.Schema:
    """Schema of the files of a catalog: the pixel of each row, then its columns."""
    return pa.schema([INDEX, *schema])


def write_tile(work: Work, schema: pa.Schema, tables: Iterable[pa.Table], rows: Path, margin: Path) -> Record:
    """Write the files of a tile; those that would be empty are not.

    Parameters
    ----------
    work
        The tile.
    schema
        Stored schema of the catalog.
    tables
        Rows of the ranges, one table after the other in the order of their places.
    rows, margin
        Where the rows of the tile and of its margin go.
    """
    inner, outer = _Sink(rows, schema), _Sink(margin, schema)
    far: dict[int, int] = {}
    n_own = 0
    try:
        for table in tables:
            placed = indexed(table, schema)
            pixel = placed[INDEX.name].to_numpy()
            inside = contains(np.array([work.tile.ids]), pixel)
            inner.write(chosen(placed, inside))
            outer.write(chosen(placed, contains(work.margin, pixel) & ~inside))
            own = contains(np.array([work.tile.ids]), placed["object_id"].to_numpy())
            n_own += int(np.count_nonzero(own))
            far |= _far(placed, own)
        counts = inner.n_row, outer.n_row, n_own
        record = Record(work.tile, work.version, work.strays, *counts, tuple(sorted(far.items())))
        inner.describe({_RECORD: record.text()})
    finally:
        inner.close()
        outer.close()
    return record


def _far(rows: pa.Table, own: npt.NDArray[np.bool_]) -> dict[int, int]:
    """Objects of some rows that have moved farther than others look for them, and the pixels they are in."""
    object_id, pixel = (rows[name].to_numpy()[own] for name in ("object_id", INDEX.name))
    moved = (object_id ^ pixel) >> 2 * (FINEST - WITHIN) != 0
    object_id, pixel = object_id[moved], pixel[moved]
    is_far = separation(object_id, pixel) > DRIFT
    return dict(zip(object_id[is_far].tolist(), pixel[is_far].tolist(), strict=True))


class _Sink:
    """A Parquet file that begins to exist with its first row."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path, self._schema = path, schema
        self._writer: parquet.ParquetWriter | None = None
        self.n_row = 0

    def write(self, table: pa.Table) -> None:
        """Add a row group."""
        if table.num_rows == 0:
            return
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._path, self._schema, **writer_options(self._schema))
        self._writer.write_table(table, row_group_size=table.num_rows)
        self.n_row += table.num_rows

    def describe(self, metadata: dict[str, str]) -> None:
        """Add metadata of the file, if there is one."""
        if self._writer is not None:
            self._writer.add_key_value_metadata(metadata)

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.close()
