"""What a catalog has beside its tiles: footers of all files in one, the schema alone, a row of some tiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from roman_db.archive.hats.encoding import writer_options
from roman_db.archive.hats.place import Place, side_by_side
from roman_db.archive.hats.tile import Tile
from roman_db.query.error import QueryError

#: Columns of row groups up to which the footers of all files are put in one: some 100 MB of memory.
_MOST_FOOTERS = 400_000
_REMEDY = "give the command with --anew, which writes all tiles"
#: Tiles of which the thumbnail has a row at most.
_THUMBNAIL_TILES = 100


@dataclasses.dataclass(frozen=True)
class Dataset:
    """The files of a catalog.

    Parameters
    ----------
    place, folder
        Where the catalog is.
    schema
        Stored schema.
    tiles
        Tiles that have files, in the order of their pixels on the sky.
    """

    place: Place
    folder: str
    schema: pa.Schema
    tiles: Sequence[Tile]

    def path(self, tile: Tile) -> str:
        """Path of the file of a tile."""
        return f"{self.folder}/dataset/{tile.path}"

    def footer(self, tile: Tile) -> parquet.FileMetaData:
        """Footer of the file of a tile.

        Raises
        ------
        QueryError
            If the file is none that Parquet knows.
        """
        with self.place.open(self.path(tile)) as stream:
            try:
                return parquet.read_metadata(stream)
            except pa.ArrowInvalid as error:
                raise QueryError(f"{self._named(tile)} is damaged ({error}): {_REMEDY}") from error

    def _named(self, tile: Tile) -> str:
        """File of a tile in a message."""
        return f"{self.place.url}/{self.path(tile)}"

    def write_metadata(self, scratch: Path, n_row: Callable[[Tile], int]) -> None:
        """Write ``_common_metadata`` and ``_metadata``; the second not where it would be too large to read.

        Raises
        ------
        QueryError
            If a file does not have as many rows as it should.
        """
        draft = scratch / "metadata"
        parquet.write_metadata(self.schema, draft)
        self.place.put(draft, f"{self.folder}/dataset/_common_metadata")
        footers: list[parquet.FileMetaData] = []
        n_column = 0
        footers_of = side_by_side(self.footer, self.tiles)
        for tile, footer in zip(self.tiles, footers_of, strict=True):
            if footer.num_rows != n_row(tile):
                what = f"has {footer.num_rows} rows, {n_row(tile)} were written"
                raise QueryError(f"{self._named(tile)} {what}: {_REMEDY}")
            n_column += footer.num_row_groups * footer.num_columns
            if n_column <= _MOST_FOOTERS:
                footer.set_file_path(tile.path)
                footers.append(footer)
        if n_column <= _MOST_FOOTERS:
            parquet.write_metadata(self.schema, draft, metadata_collector=footers)
            self.place.put(draft, f"{self.folder}/dataset/_metadata")

    def write_thumbnail(self, scratch: Path) -> None:
        """Write the first row of some tiles, spread over all, one after the other."""
        draft = scratch / "thumbnail"
        step = -(-len(self.tiles) // _THUMBNAIL_TILES)
        with parquet.ParquetWriter(draft, self.schema, **writer_options(self.schema)) as writer:
            for tile in self.tiles[:: max(step, 1)]:
                with self.place.open(self.path(tile)) as stream:
                    batch = next(parquet.ParquetFile(stream).iter_batches(batch_size=1))
                    writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=self.schema))
        self.place.put(draft, f"{self.folder}/data_thumbnail.parquet")
