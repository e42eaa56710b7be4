"""States of a collection: the one that is published, and the one that is being made.

Each state is a catalog in a folder of its own with a number, and its margin in another. Which one is current
is said by ``collection.properties``, one small file, so that readers see the one or the other. Files of tiles
that have not changed are shared by both: links in a folder, copies that an object store makes by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from roman_db.archive.hats.dataset import Dataset
from roman_db.archive.hats.place import Place, side_by_side
from roman_db.archive.hats.properties import (
    Facts,
    catalog_properties,
    collection_properties,
    margin_properties,
    partition_info,
    text_of,
    values_of,
)
from roman_db.archive.hats.tile import Tile
from roman_db.archive.hats.tile_file import Record, record_of
from roman_db.query.error import QueryError

_CURRENT = "collection.properties"
_RECORDS = "tiles.jsonl"


@dataclass(frozen=True)
class Layout:
    """What all states of a collection have in common.

    Parameters
    ----------
    place
        Where the collection is.
    name
        Name of the catalog.
    schema
        Stored schema of its files.
    margin
        Width of its margin, arcsec; 0 for none.
    is_object
        Whether a row is an object on the sky.
    """

    place: Place
    name: str
    schema: pa.Schema
    margin: float
    is_object: bool


class State:
    """One state of a collection."""

    def __init__(self, layout: Layout, number: int) -> None:
        self._layout, self._place = layout, layout.place
        self.number = number
        self.folder = f"{layout.name}_{number:04d}"
        self.margin_folder = f"{self.folder}_margin"

    def path(self, tile: Tile) -> str:
        """Path of the file of a tile."""
        return f"{self.folder}/dataset/{tile.path}"

    def margin_path(self, tile: Tile) -> str:
        """Path of the file of the margin of a tile."""
        return f"{self.margin_folder}/dataset/{tile.path}"

    def records(self) -> dict[Tile, Record]:
        """Tiles of a state that was published, but those of which files are missing."""
        text = self._place.read(f"{self.folder}/{_RECORDS}") or b""
        return self._present(Record.of(line) for line in text.splitlines())

    def staged(self) -> dict[Tile, Record]:
        """Tiles that were written into a state that is not published yet."""
        paths = [path for path in self._place.sizes(f"{self.folder}/dataset") if path.endswith(".parquet")]
        found = side_by_side(self._record, paths)
        return self._present(record for record in found if record is not None)

    def _record(self, path: str) -> Record | None:
        """Record of a tile by the path of its file; None where the file is damaged."""
        with self._place.open(f"{self.folder}/dataset/{path}") as stream:
            try:
                return record_of(parquet.read_metadata(stream))
            except pa.ArrowInvalid:
                return None

    def publish(self, records: Mapping[Tile, Record], scratch: Path) -> int:
        """Complete the state, check it, and make it the current one; return its bytes.

        Raises
        ------
        QueryError
            If files are not what was written.
        """
        tiles = [tile for tile, record in records.items() if record.n_row]
        outer = [tile for tile in tiles if records[tile].n_margin_row]
        n_byte = self._complete(self.folder, tiles, lambda tile: records[tile].n_row, scratch)
        if outer:
            self._complete(self.margin_folder, outer, lambda tile: records[tile].n_margin_row, scratch)
        text = "".join(f"{record.text()}\n" for record in records.values())
        self._place.write(f"{self.folder}/{_RECORDS}", text.encode(), scratch)
        current = collection_properties(self._layout.name, self.folder, self.margin_folder if outer else None)
        self._place.write(_CURRENT, text_of(current), scratch)
        return n_byte

    def _complete(
        self, folder: str, tiles: Sequence[Tile], n_row: Callable[[Tile], int], scratch: Path
    ) -> int:
        """Write what a catalog has beside its tiles, whose files must all be there, and no others."""
        sizes = self._place.sizes(f"{folder}/dataset")
        wanted = {tile.path for tile in tiles}
        self._place.remove(f"{folder}/dataset/{path}" for path in sizes if path not in wanted)
        if missing := wanted - set(sizes):
            raise QueryError(
                f"{self._place.url}/{folder}: {min(missing)} is gone: give the same command again"
            )
        dataset = Dataset(self._place, folder, self._layout.schema, sorted(tiles, key=lambda tile: tile.ids))
        dataset.write_metadata(scratch, n_row)
        dataset.write_thumbnail(scratch)
        rows = [n_row(tile) for tile in tiles]
        n_byte = sum(sizes[path] for path in wanted)
        name = self._layout.name if folder == self.folder else f"{self._layout.name}_margin"
        facts = Facts(name, tuple(tiles), sum(rows), max(rows, default=0), n_byte)
        self._place.write(f"{folder}/partition_info.csv", partition_info(tiles), scratch)
        described = text_of(self._described(facts))
        for name in ("properties", "hats.properties"):
            self._place.write(f"{folder}/{name}", described, scratch)
        return n_byte

    def _described(self, facts: Facts) -> dict[str, object]:
        """Properties of the catalog or of its margin."""
        if facts.name == self._layout.name:
            return catalog_properties(facts, self._layout.is_object)
        return margin_properties(facts, self.folder, self._layout.margin)

    def _present(self, records: Iterable[Record]) -> dict[Tile, Record]:
        """Those of which the files are there."""
        inner = self._place.sizes(f"{self.folder}/dataset")
        outer = self._place.sizes(f"{self.margin_folder}/dataset")
        return {
            record.tile: record
            for record in records
            if (record.n_row == 0 or record.tile.path in inner)
            and (record.n_row == 0 or record.n_margin_row == 0 or record.tile.path in outer)
        }


def current_number(place: Place) -> int:
    """Number of the state that is published; 0 if none is."""
    text = place.read(_CURRENT)
    if text is None:
        return 0
    name = values_of(text).get("hats_primary_table_url", "")
    match = re.fullmatch(r".*_(\d+)", name)
    if match is None:
        raise QueryError(f"{place.url}/{_CURRENT} names the catalog {name!r}, which roman-db did not write")
    return int(match[1])


def remove_states(layout: Layout, before: int) -> None:
    """Remove states older than a number."""
    pattern = re.compile(rf"{re.escape(layout.name)}_(\d+)(_margin)?")
    for folder in layout.place.folders():
        match = pattern.fullmatch(folder)
        if match and int(match[1]) < before:
            layout.place.remove_folder(folder)
