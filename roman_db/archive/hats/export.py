"""A catalog from the database to a HATS collection: only tiles that have changed are written anew."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roman_db.archive.hats.catalog import KINDS, Catalog, Kind, open_catalog
from roman_db.archive.hats.place import Place, side_by_side
from roman_db.archive.hats.plan import plan, with_strays
from roman_db.archive.hats.release import Layout, State, current_number, remove_states
from roman_db.archive.hats.storage import Snapshot, open_snapshot
from roman_db.archive.hats.tile import Tile
from roman_db.archive.hats.tile_file import Record, Work, stored_schema, write_tile
from roman_db.query.error import QueryError

#: Libraries beneath fsspec: what they raise of a store that does not answer need be no OSError.
_STORES = {"aiobotocore", "aiohttp", "azure", "botocore", "gcsfs", "google"}
#: Told what is done, how much of it is, and how much there is.
Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Options:
    """What is exported, and where to.

    Parameters
    ----------
    kind
        Kind of catalog, of `KINDS`.
    url
        Folder of collections, or an address that fsspec knows.
    photometry_kind
        Kind of photometry, of all but objects.
    margin
        Width of the margin, arcsec, 0 for none; None for that of the kind.
    limit
        Most rows, or points of light curves, of a tile; None for that of the kind.
    workers
        Tiles that are written side by side.
    anew
        Whether tiles are written that have not changed, too.
    """

    kind: str
    url: str
    photometry_kind: str = "psf"
    margin: float | None = None
    limit: int | None = None
    workers: int = 2
    anew: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of an export.

    Parameters
    ----------
    url
        The collection.
    n_row, n_tile, n_byte
        Rows of the catalog, tiles and bytes of their files.
    n_written
        Tiles that were written; 0 if nothing has changed.
    """

    url: str
    n_row: int
    n_tile: int
    n_written: int
    n_byte: int


@dataclass(frozen=True)
class _Export:
    """An export while it goes on: where its tiles come from and go to, and what is known of them."""

    snapshot: Snapshot
    catalog: Catalog
    layout: Layout
    old: State
    new: State
    scratch: Path
    kept: dict[Tile, Record]
    written: dict[Tile, Record]


def export(options: Options, step: Step) -> Outcome:
    """Write a catalog, or those of its tiles that have changed, and publish it.

    Killed anywhere and called again, it goes on where it was; readers see the catalog of before until then.

    Raises
    ------
    QueryError
        If the database cannot be asked, files cannot be written, or what was written is not complete.
    """
    kind = KINDS[options.kind]
    place = Place(f"{options.url.rstrip('/')}/{options.kind}")
    margin = kind.margin if options.margin is None else options.margin
    with _told(place), open_snapshot() as snapshot:
        if not snapshot.lock(place.url):
            raise QueryError(f"{place.url}: another export writes there: wait until it has ended")
        catalog = open_catalog(snapshot, options.kind, options.photometry_kind)
        layout = Layout(place, kind.name, stored_schema(catalog.schema), margin, kind.is_object)
        cells = snapshot.cells(kind.cell_order, catalog.sources)
        works = plan(cells, options.limit or kind.limit, margin, layout.schema)
        if not works:
            raise QueryError(f"there are no {options.kind} to export")
        number = current_number(place)
        old, new = State(layout, number), State(layout, number + 1)
        with place.scratch() as scratch:
            known = ({}, {}) if options.anew else (old.records(), new.staged())
            going = _Export(snapshot, catalog, layout, old, new, scratch, *known)
            return _run(going, works, options.workers, step)


def _run(going: _Export, works: Sequence[Work], workers: int, step: Step) -> Outcome:
    """Write what is to be written, check it, publish it."""
    place = going.layout.place
    records = _write(going, works, workers, step, lambda record, work: record.version == work.version)
    # Once more what lacks objects that have moved far, of which is known now.
    works = with_strays(works, records.values(), going.catalog.kind.cell_order, going.layout.margin)
    records = _write(going, works, workers, step, lambda record, work: record.is_of(work))
    _check(going.catalog.kind, works, records.values())
    n_row = sum(record.n_row for record in records.values())
    n_tile = sum(record.n_row > 0 for record in records.values())
    taken = {tile for tile, record in records.items() if going.kept.get(tile) is record}
    if len(taken) == len(records) == len(going.kept):
        return Outcome(place.url, n_row, n_tile, 0, 0)
    for _ in side_by_side(lambda tile: _take(going, records[tile]), sorted(taken)):
        pass
    n_byte = going.new.publish(records, going.scratch)
    remove_states(going.layout, going.old.number)
    return Outcome(place.url, n_row, n_tile, len(records) - len(taken), n_byte)


def _write(
    going: _Export, works: Sequence[Work], workers: int, step: Step, is_done: Callable[[Record, Work], bool]
) -> dict[Tile, Record]:
    """Write the tiles that are not there as they should be; return the records of all."""
    records: dict[Tile, Record] = {}
    for work in works:
        for known in (going.written.get(work.tile), going.kept.get(work.tile)):
            if known is not None and is_done(known, work):
                records[work.tile] = known
    todo = [work for work in works if work.tile not in records]
    done, total = 0, sum(work.weight for work in todo)
    with ThreadPoolExecutor(workers) as pool:
        ends = {pool.submit(_write_one, going, work): work for work in todo}
        try:
            for end in as_completed(ends):
                record: Record = end.result()
                going.written[record.tile] = records[record.tile] = record
                done += ends[end].weight
                step(going.catalog.kind.name, done, total)
        finally:
            pool.shutdown(cancel_futures=True)
    return records


def _write_one(going: _Export, work: Work) -> Record:
    """Write the files of a tile, and bring them to their places, last the one that has the record."""
    rows, margin = (
        going.scratch / f"{work.tile.order}-{work.tile.pixel}.{name}" for name in ("rows", "margin")
    )
    strays = np.array([(one, one + 1) for one, _ in work.strays], np.int64).reshape(-1, 2)
    with going.snapshot.reader() as reader:
        tables = going.catalog.rows(reader, np.concatenate([work.ids, strays]), work.weight)
        record = write_tile(work, going.layout.schema, tables, rows, margin)
    if record.n_row and record.n_margin_row:
        going.layout.place.put(margin, going.new.margin_path(work.tile))
    if record.n_row:
        going.layout.place.put(rows, going.new.path(work.tile))
    margin.unlink(missing_ok=True)
    return record


def _take(going: _Export, record: Record) -> None:
    """Have the files of a tile that has not changed in the new state, too."""
    if record.n_row:
        going.layout.place.take(going.old.path(record.tile), going.new.path(record.tile))
        if record.n_margin_row:
            going.layout.place.take(going.old.margin_path(record.tile), going.new.margin_path(record.tile))


def _check(kind: Kind, works: Sequence[Work], records: Iterable[Record]) -> None:
    """Raise unless each row is in one tile, and no row of the database in none."""
    own, placed = (sum(counts) for counts in zip(*((one.n_own, one.n_row) for one in records), strict=True))
    wanted = sum(work.weight for work in works) if kind.weighed == "rows" else own
    if own != placed or own != wanted:
        raise QueryError(
            f"{wanted} rows of {kind.name} are in the database, {own} were read and {placed} placed in "
            "tiles: nothing is published; report it with the log"
        )


@contextlib.contextmanager
def _told(place: Place) -> Iterator[None]:
    """Say what is wrong with files or the store, and that what was written is not lost."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and type(error).__module__.partition(".")[0] not in _STORES:
            raise
        what = getattr(error, "strerror", None) or str(error)
        raise QueryError(
            f"{place.url}: {what}. What was published before is as it was; when the reason is gone, "
            "the same command goes on where this one ended"
        ) from error
