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
from loaders.external_light_curve.blocks import KIND, ExternalBlock, blocks_of, divided, photometry_of
from loaders.external_light_curve.layout import Layout, recognised, with_name
from loaders.external_light_curve.places import chosen
from loaders.external_light_curve.points import ExternalPoints, RefusedRow, names_of, points_of
from loaders.external_light_curve.read import read_table
from loaders.external_light_curve.sources import sources_of
from loaders.input_file import fingerprint
from loaders.light_curve.block import BlockKey, BlockPhotometry
from loaders.light_curve.load import BlockContext, NewBlock, stored_epochs, write_block, write_blocks
from loaders.light_curve.summary import SegmentMatrix
from loaders.rejection import Rejected, unexpected
from roman_db import session
from roman_db.jobs import Progress, Unit
from roman_db.load_run import Counts, InputFile, LoadRun, load_run
from roman_db.schema.metadata import table as table_of

log = structlog.get_logger()

#: Flags of points that summaries leave out; whether a flagged point of others is good is not known.
_EXCLUDING = 0

#: Stored blocks that are divided in one transaction.
_AT_ONCE = 50

#: Refused rows that are named on the screen; all are in the database.
_SHOWN_ROWS = 3

_MATCH = """
SELECT DISTINCT ON (g.n) g.n, o.object_id
FROM unnest(CAST(:ra AS double precision[]), CAST(:dec AS double precision[]))
    WITH ORDINALITY AS g (ra, dec, n)
JOIN roman.object AS o ON q3c_join(g.ra, g.dec, o.ra, o.dec, CAST(:radius AS double precision))
ORDER BY g.n, q3c_dist(g.ra, g.dec, o.ra, o.dec), o.object_id
"""
_FORGET = """
WITH gone AS (
    DELETE FROM roman.light_curve_segment AS s
    USING roman.light_curve_block AS b
    WHERE b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
      AND b.photometry_kind = 'external' AND b.optical_element = CAST(:band AS text)
      AND s.object_id = ANY(CAST(:object_id AS bigint[]))
    RETURNING s.object_id, s.block_id, s.start_mjd,
              (SELECT count(*) FROM unnest(s.flux) AS f WHERE f <> 'NaN'::real) AS n_point
),

summaries AS (
    DELETE FROM roman.light_curve_summary AS s USING gone
    WHERE s.object_id = gone.object_id AND s.block_id = gone.block_id AND s.start_mjd = gone.start_mjd
)

UPDATE roman.light_curve_block AS b
SET n_object = b.n_object - g.n_object, n_point = b.n_point - g.n_point,
    superseded_at = CASE WHEN b.n_object = g.n_object THEN now() END
FROM (SELECT block_id, count(*) AS n_object, sum(n_point) AS n_point FROM gone GROUP BY block_id) AS g
WHERE b.block_id = g.block_id
"""


#: Blocks that hold points of several seasons, or stand elsewhere than their season.
_UNDIVIDED = """
SELECT b.block_id FROM roman.light_curve_block AS b
WHERE b.photometry_kind = 'external' AND b.superseded_at IS NULL AND EXISTS (
    SELECT FROM roman.season AS s CROSS JOIN LATERAL (VALUES (s.start_mjd), (s.end_mjd)) AS e (day_mjd)
    WHERE e.day_mjd > b.start_mjd AND e.day_mjd <= b.midpoint_mjd_tdb[b.n_epoch])
ORDER BY b.block_id
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
            points, refused, number = _read(path, options)
            with session.transaction() as connection:
                run.expect(connection, number)
                change = _store(connection, run, path, points, refused, options)
                run.check_accounts(connection)
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


def _read(path: Path, options: LoadOptions) -> tuple[ExternalPoints, list[RefusedRow], int]:
    """Points of a file, rows that are refused, and the number of all rows."""
    table = read_table(path)
    layout = recognised(with_name(options.layout, path), table.columns, path.stem, str(path))
    names = names_of(table, layout)
    with session.reading() as connection:
        known = chosen(options.places, names) | _stored_places(connection, options.name, names)
    points, refused = points_of(table, layout, known)
    return points, refused, len(table)


def _stored_places(
    connection: sa.Connection, catalog: str, names: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Places of the objects that a data set has under some names."""
    alias, objects = table_of("roman.object_alias").c, table_of("roman.object").c
    query = sa.select(alias.source_id, objects.ra, objects.dec).where(
        alias.object_id == objects.object_id, alias.catalog_name == catalog, alias.source_id.in_(names)
    )
    return {str(name): (float(ra), float(dec)) for name, ra, dec in connection.execute(query)}


def _store(
    connection: sa.Connection,
    run: LoadRun,
    path: Path,
    points: ExternalPoints,
    refused: Sequence[RefusedRow],
    options: LoadOptions,
) -> Any:
    """Store objects and light curves, and record what is refused; return what became of the catalog."""
    connection.execute(sa.text(_ALONE))
    _add_bands(connection, sorted(set(points.band.tolist())))
    objects, change, version = _objects(connection, run, points, options)
    nowhere = [
        RefusedRow(
            int(row),
            "no_position",
            f"its object {name} has no place, and is not known by that name in {options.name}",
            "Give --ra and --dec, or columns of them, or the --name of the data set that has it",
        )
        for row, name in zip(points.row, points.name, strict=True)
        if name not in objects
    ]
    if objects:
        _write(connection, run, points, objects, version)
    _record(connection, run, path, [*refused, *nowhere])
    run.count(connection, loaded=len(points) - len(nowhere))
    return change


def _write(
    connection: sa.Connection, run: LoadRun, points: ExternalPoints, objects: Mapping[str, int], version: int
) -> None:
    """Write the blocks, in place of what there is of the same objects and bands."""
    context = BlockContext(run.load_run_id, version, _EXCLUDING)
    for band in np.unique(points.band.astype(str)):
        names = set(points.name[points.band == band].tolist())
        ids = [objects[name] for name in sorted(names) if name in objects]
        connection.execute(sa.text(_FORGET), {"band": str(band), "object_id": ids})
    for block in blocks_of(points, objects, run.load_run_id, season_borders(connection)):
        write_block(connection, block.key, block.epochs, block.photometry, context)


def season_borders(connection: sa.Connection) -> npt.NDArray[np.int64]:
    """Days (MJD TDB) on which seasons of any survey begin, or that are the first after one; ascending."""
    return np.array(connection.execute(sa.text(_BORDERS)).scalars().all(), dtype=np.int64)


def _add_bands(connection: sa.Connection, bands: Sequence[str]) -> None:
    """Register bands that are not known."""
    if bands:
        insert = sa.dialects.postgresql.insert(table_of("roman.optical_element")).on_conflict_do_nothing()
        connection.execute(insert, [{"optical_element": band, "kind": KIND} for band in bands])


def _objects(
    connection: sa.Connection, run: LoadRun, points: ExternalPoints, options: LoadOptions
) -> tuple[dict[str, int], Any, int]:
    """Identifiers of the objects by name, what new ones changed in the catalog, and its version."""
    names, first = np.unique(points.name.astype(str), return_index=True)
    place = dict(zip(names.tolist(), np.column_stack([points.ra, points.dec])[first].tolist(), strict=True))
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


def _record(connection: sa.Connection, run: LoadRun, path: Path, refused: Sequence[RefusedRow]) -> None:
    """Record rows that are refused, and name the first of them on the screen."""
    if not refused:
        return
    reasons = [f"row {one.row}: {one.reason}" for one in refused[:_SHOWN_ROWS]]
    if len(refused) > _SHOWN_ROWS:
        reasons.append(f"and {len(refused) - _SHOWN_ROWS} more")
    remedies = dict.fromkeys(one.remedy for one in refused[:_SHOWN_ROWS])
    log.warning("rejected rows", source=str(path), reason="; ".join(reasons), remedy="; ".join(remedies))
    run.reject_rows(
        connection,
        [
            {
                "source": str(path),
                "row_number": one.row,
                "code": one.code,
                "reason": one.reason,
                "remedy": one.remedy,
            }
            for one in refused
        ],
    )


def undivided_units(arguments: Mapping[str, Any]) -> list[Unit]:
    """List stored blocks that are not cut where seasons meet: of earlier releases, or of fewer seasons."""
    with session.reading() as connection:
        found = [int(one) for one in connection.execute(sa.text(_UNDIVIDED)).scalars()]
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
            write_blocks(connection, new, BlockContext(run.load_run_id, row.catalog_version_id, _EXCLUDING))
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
    return ExternalBlock(key, stored_epochs(row._asdict()), photometry)
