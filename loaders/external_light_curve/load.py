"""Light curves that others measured into the database: one file is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
import structlog

from loaders.catalog.load import refresh_statistics, store_known
from loaders.external_light_curve.blocks import KIND, BlockMaker, ExternalBlock, divided, photometry_of
from loaders.external_light_curve.contents import Contents
from loaders.external_light_curve.file import LightCurveFile
from loaders.external_light_curve.layout import Layout
from loaders.external_light_curve.places import chosen
from loaders.external_light_curve.points import ExternalPoints, RefusedRow
from loaders.external_light_curve.sources import sources_of
from loaders.input_file import fingerprint
from loaders.light_curve import load as light_curve
from loaders.light_curve.block import BlockKey, BlockPhotometry
from loaders.light_curve.load import BlockContext, BlockPlace, BlockSize, NewBlock
from loaders.light_curve.summary import SegmentMatrix
from loaders.rejection import Rejected, unexpected
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit
from roman_db.load_run import Counts, InputFile, LoadRun, load_run
from roman_db.schema.metadata import table as table_of

log = structlog.get_logger()

#: Flags of points that summaries leave out; whether a flagged point of others is good is not known.
_EXCLUDING = 0

#: Stored blocks that are divided in one transaction.
_AT_ONCE = 50

#: Refused rows that are recorded at a time.
_ROWS_AT_ONCE = 10_000

#: Refused rows that are named on the screen; all are in the database.
_SHOWN_ROWS = 3

_MATCH = """
SELECT DISTINCT ON (g.n) g.n, o.object_id
FROM unnest(CAST(:ra AS double precision[]), CAST(:dec AS double precision[]))
    WITH ORDINALITY AS g (ra, dec, n)
JOIN roman.object AS o ON q3c_join(g.ra, g.dec, o.ra, o.dec, CAST(:radius AS double precision))
ORDER BY g.n, q3c_dist(g.ra, g.dec, o.ra, o.dec), o.object_id
"""
_SEGMENTS = """
SELECT s.object_id, s.flux, s.flux_err, y.reference_flux,
       coalesce(roman.expand_flag_run(s.flag_run, CAST(:n AS integer)), array_fill(0, ARRAY[:n])) AS flags
FROM roman.light_curve_segment AS s
JOIN roman.light_curve_summary AS y USING (object_id, start_mjd, block_id)
WHERE s.block_id = :block_id AND s.start_mjd = :start_mjd ORDER BY s.object_id
"""
#: Keeps other writers of objects and of light curves of others waiting.
_ALONE = "LOCK TABLE roman.object IN SHARE ROW EXCLUSIVE MODE"
_BORDERS = "SELECT start_mjd FROM roman.season UNION SELECT end_mjd FROM roman.season ORDER BY 1"


@dataclass(frozen=True)
class LoadOptions:
    """How light curves are loaded.

    Parameters
    ----------
    layout
        What is known of the tables.
    name
        Name of the data set, under which the names of its objects are kept.
    match_radius
        Distance in arcsec within which an object of a place of its own is a known one.
    places
        Places (ra, dec; degrees ICRS) by name, for objects that have none in their file.
    """

    layout: Layout
    name: str = "external"
    match_radius: float = 0.3
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Given:
    """A file that was looked through, and the places of its objects that have none in it."""

    file: LightCurveFile
    known: Mapping[str, tuple[float, float]]
    contents: Contents


def load_light_curves(path: Path, options: LoadOptions) -> tuple[Counts, int]:
    """Load a file of light curves, those of an object and a band in place of earlier ones.

    Returns
    -------
    counts
        Of rows; if the file as a whole is refused, of files.
    load_run_id
        The run.
    """
    arguments = {"file": str(path), "name": options.name}
    change = None
    with load_run("load lightcurves", arguments, expected=1) as run:
        with session.transaction() as connection:
            given = InputFile("lightcurves", str(path.absolute()), *fingerprint(path))
            run.record_inputs(connection, [given])
        try:
            change = _load(run, path, options)
        except Rejected as rejected:
            _reject(run, rejected)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            _reject(run, unexpected(path, error))
        counts = run.counts()
    refresh_statistics(change)
    return counts, run.load_run_id


def _reject(run: LoadRun, rejected: Rejected) -> None:
    """Record that the file is refused."""
    with session.transaction() as connection:
        run.reject(connection, rejected)


def _load(run: LoadRun, path: Path, options: LoadOptions) -> Any:
    """Look through a file, then store it; return what became of the catalog."""
    file = LightCurveFile(path, options.layout)
    with session.reading() as connection:
        stored = _stored_places(connection, options.name, file.objects)
    known = chosen(options.places, file.objects) | stored
    contents = Contents()
    for points, _ in file.points(known):
        contents.add(points)
    with session.transaction() as connection:
        run.expect(connection, file.n_row)
        change = _store(connection, run, _Given(file, known, contents), options)
        if changed := file.change():
            raise changed
        run.check_accounts(connection)
    return change


def _stored_places(
    connection: sa.Connection, catalog: str, names: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Places of the objects that a data set has under some names."""
    alias, objects = table_of("roman.object_alias").c, table_of("roman.object").c
    query = sa.select(alias.source_id, objects.ra, objects.dec).where(
        alias.object_id == objects.object_id, alias.catalog_name == catalog, alias.source_id.in_(names)
    )
    return {str(name): (float(ra), float(dec)) for name, ra, dec in connection.execute(query)}


def _store(connection: sa.Connection, run: LoadRun, given: _Given, options: LoadOptions) -> Any:
    """Store objects and light curves, and record what is refused; return what became of the catalog."""
    connection.execute(sa.text(_ALONE))
    contents = given.contents
    _add_bands(connection, sorted({band for curves in contents.curves.values() for band, _ in curves}))
    objects, change, version = _objects(connection, run, contents, options)
    _forget(connection, contents, objects)
    maker = BlockMaker(contents, objects, run.load_run_id, season_borders(connection))
    writer = _Writer(connection, BlockContext(run.load_run_id, version, _EXCLUDING))
    refusals = _Refused(given.file.path)
    for points, refused in given.file.points(given.known):
        for block in maker.blocks(points):
            writer.write(block)
        nowhere = _without_object(points, objects, options.name)
        refusals.record(connection, run, [*refused, *nowhere])
        run.count(connection, loaded=len(points) - len(nowhere))
    refusals.tell()
    return change


class _Writer:
    """Writes blocks of a file, whose objects may come part by part; `_ALONE` keeps other writers waiting."""

    def __init__(self, connection: sa.Connection, context: BlockContext) -> None:
        self._connection = connection
        self._context = context
        self._places: dict[int, BlockPlace] = {}

    def write(self, block: ExternalBlock) -> None:
        """Write a block, or append objects to one that was begun."""
        number = int(block.epochs.exposure_id[0])
        n_object, n_epoch = block.photometry.segments.flux.shape
        place = self._places.pop(number, None)
        if place is None:
            place = light_curve.open_block(self._connection, block.key.start_mjd)
            size = BlockSize(block.n_object, block.n_object * n_epoch)
            light_curve.insert_block(
                self._connection, place.block_id, block.key, block.epochs, size, self._context
            )
        light_curve.write_rows(self._connection, place, block.epochs, block.photometry, _EXCLUDING)
        if n_object < block.n_object:
            self._places[number] = place


def _without_object(points: ExternalPoints, objects: Mapping[str, int], name: str) -> list[RefusedRow]:
    """Points of objects that are not known, and have no place."""
    is_unknown = np.array([one not in objects for one in points.name.distinct], dtype=bool)[points.name.code]
    return [
        RefusedRow(
            int(points.row[k]),
            "no_position",
            f"its object {points.name.distinct[points.name.code[k]]} has no place, "
            f"and is not known by that name in {name}",
            "Give --ra and --dec, or columns of them, or the --name of the data set that has it",
        )
        for k in np.flatnonzero(is_unknown)
    ]


def _forget(connection: sa.Connection, contents: Contents, objects: Mapping[str, int]) -> None:
    """Delete what there is of the same objects and bands."""
    ids: dict[str, list[int]] = {}
    for name in contents.curves.keys() & objects.keys():
        for band, _ in contents.curves[name]:
            ids.setdefault(band, []).append(objects[name])
    job = sqlfile.find("jobs", "replace_external")
    for band in sorted(ids):
        objects_of_band = f"{{{','.join(map(str, sorted(ids[band])))}}}"
        sqlfile.run(connection, job, {"band": band, "objects": objects_of_band})


def season_borders(connection: sa.Connection) -> npt.NDArray[np.int64]:
    """Days (MJD TDB) on which seasons of any survey begin, or that are the first after one; ascending."""
    return np.array(connection.execute(sa.text(_BORDERS)).scalars().all(), dtype=np.int64)


def _add_bands(connection: sa.Connection, bands: Sequence[str]) -> None:
    """Register bands that are not known."""
    if bands:
        insert = sa.dialects.postgresql.insert(table_of("roman.optical_element")).on_conflict_do_nothing()
        connection.execute(insert, [{"optical_element": band, "kind": KIND} for band in bands])


def _objects(
    connection: sa.Connection, run: LoadRun, contents: Contents, options: LoadOptions
) -> tuple[dict[str, int], Any, int]:
    """Identifiers of the objects by name, what new ones changed in the catalog, and its version."""
    place = dict(sorted(contents.place.items()))
    placed = [name for name in place if np.all(np.isfinite(place[name]))]
    known = _known_names(connection, options.name, list(place))
    new = [name for name in placed if name not in known]
    known |= _known_places(connection, run, options, {name: place[name] for name in new}, known.values())
    new = [name for name in new if name not in known]
    change = None
    if new:
        sources = sources_of(new, np.array([place[name] for name in new]))
        change, ids = store_known(connection, run, options.name, sources, [None] * len(new))
        known |= dict(zip(new, ids.tolist(), strict=True))
    return known, change, _version(connection, run, options)


def _known_names(connection: sa.Connection, catalog: str, names: Sequence[str]) -> dict[str, int]:
    """Objects that a data set has under some names."""
    alias = table_of("roman.object_alias").c
    query = sa.select(alias.source_id, alias.object_id).where(
        alias.catalog_name == catalog, alias.source_id.in_(names)
    )
    return {str(name): int(object_id) for name, object_id in connection.execute(query)}


def _known_places(
    connection: sa.Connection,
    run: LoadRun,
    options: LoadOptions,
    place: Mapping[str, Sequence[float]],
    used: Iterable[int],
) -> dict[str, int]:
    """Known objects where new ones are said to be, which get their names; not where several share a place."""
    seen: dict[tuple[float, ...], list[str]] = {}
    for name in place:
        seen.setdefault(tuple(place[name]), []).append(name)
    own = [one[0] for one in seen.values() if len(one) == 1]
    if not own:
        return {}
    values = {
        "ra": [place[name][0] for name in own],
        "dec": [place[name][1] for name in own],
        "radius": options.match_radius / 3600,
    }
    found: dict[str, int] = {}
    taken = set(used)
    for n, object_id in connection.execute(sa.text(_MATCH), values):
        if object_id not in taken:
            taken.add(object_id)
            found[own[n - 1]] = int(object_id)
    _name(connection, run, options, found)
    return found


def _name(connection: sa.Connection, run: LoadRun, options: LoadOptions, found: Mapping[str, int]) -> None:
    """Keep the names that a data set gives to known objects."""
    if not found:
        return
    version = _version(connection, run, options)
    rows = [
        {
            "catalog_name": options.name,
            "source_id": name,
            "object_id": object_id,
            "catalog_version_id": version,
            "load_run_id": run.load_run_id,
        }
        for name, object_id in found.items()
    ]
    connection.execute(table_of("roman.object_alias").insert(), rows)


def _version(connection: sa.Connection, run: LoadRun, options: LoadOptions) -> int:
    """The newest version of the catalog; a first, empty one where there is none."""
    versions = table_of("roman.catalog_version")
    newest = connection.execute(sa.select(sa.func.max(versions.c.catalog_version_id))).scalar_one()
    if newest is not None:
        return int(newest)
    counts = dict.fromkeys(("n_new", "n_changed", "n_unchanged", "n_merged"), 0)
    row = {"name": options.name, "load_run_id": run.load_run_id} | counts
    insert = versions.insert().returning(versions.c.catalog_version_id)
    return int(connection.execute(insert, row).scalar_one())


class _Refused:
    """Records rows of a file that are refused, part by part, and names the first of them on the screen."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._first: list[RefusedRow] = []
        self._number = 0

    def record(self, connection: sa.Connection, run: LoadRun, refused: Sequence[RefusedRow]) -> None:
        """Record those of a part."""
        self._first += refused[: _SHOWN_ROWS - len(self._first)]
        self._number += len(refused)
        for k in range(0, len(refused), _ROWS_AT_ONCE):
            run.reject_rows(connection, [self._row(one) for one in refused[k : k + _ROWS_AT_ONCE]])

    def tell(self) -> None:
        """Name the first."""
        if not self._first:
            return
        reasons = [f"row {one.row}: {one.reason}" for one in self._first]
        if self._number > _SHOWN_ROWS:
            reasons.append(f"and {self._number - _SHOWN_ROWS} more")
        remedies = dict.fromkeys(one.remedy for one in self._first)
        log.warning("rejected rows", source=self._path, reason="; ".join(reasons), remedy="; ".join(remedies))

    def _row(self, one: RefusedRow) -> dict[str, Any]:
        """A row of ``ops.load_rejection``."""
        said = {"code": one.code, "reason": one.reason, "remedy": one.remedy}
        return {"source": self._path, "row_number": one.row} | said


def undivided_units(arguments: Mapping[str, Any]) -> list[Unit]:
    """List stored blocks that are not cut where seasons meet: of earlier releases, or of fewer seasons."""
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "undivided_external"), {})
        found = [int(str(one)) for one in rows.scalars()]
    several = [found[k : k + _AT_ONCE] for k in range(0, len(found), _AT_ONCE)]
    return [Unit(f"blocks {some[0]} to {some[-1]}", {"block_id": some}) for some in several]


def divide_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Replace blocks by ones that are cut where seasons meet; the points stay as they are."""
    blocks, wanted = table_of("roman.light_curve_block"), list(unit.arguments["block_id"])
    current = sa.select(blocks).where(blocks.c.block_id.in_(wanted), blocks.c.superseded_at.is_(None))
    with session.transaction() as connection:
        connection.execute(sa.text(_ALONE))
        borders = season_borders(connection)
        for done, row in enumerate(connection.execute(current.order_by(blocks.c.block_id)).all(), 1):
            parts = divided(_stored(connection, row), borders)
            new = [NewBlock(part.key, part.epochs, partial(_photometry, part)) for part in parts]
            light_curve.write_blocks(
                connection, new, BlockContext(run.load_run_id, row.catalog_version_id, _EXCLUDING)
            )
            progress(unit.name, done, len(wanted))
        run.count(connection, loaded=len(wanted))


def _photometry(block: ExternalBlock) -> BlockPhotometry:
    return block.photometry


def _stored(connection: sa.Connection, row: sa.Row[Any]) -> ExternalBlock:
    """A stored block with its photometry."""
    given = {"block_id": row.block_id, "start_mjd": row.start_mjd, "n": row.n_epoch}
    rows = connection.execute(sa.text(_SEGMENTS).execution_options(yield_per=100), given)
    types = (np.int64, np.float32, np.float32, np.float64, np.uint16)
    values = [[np.array(one, kind) for one, kind in zip(r, types, strict=True)] for r in rows]
    ids, flux, error, reference, flags = (np.stack(column) for column in zip(*values, strict=True))
    key = BlockKey(None, None, row.optical_element, KIND, row.start_mjd, row.end_mjd)
    photometry = photometry_of(ids, SegmentMatrix(flux, error, flags), reference)
    return ExternalBlock(key, light_curve.stored_epochs(row._asdict()), photometry, ids.size)
