"""Astrometry in the database: offsets read, parameters of all objects stored, by pieces of the sky."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cdshealpix
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from loaders.astrometric_solution.catalogued import anchors_of, choose_frame_stars
from loaders.astrometric_solution.gauge import zero_errors
from loaders.astrometric_solution.points import StarPlaces, StarPoints
from loaders.astrometric_solution.sky import (
    ERRORS,
    PieceOfSky,
    SkyTables,
    blocks_of,
    exposure_columns,
    object_columns,
    piece_of_sky,
    points_of_rows,
)
from loaders.astrometric_solution.solve import FrameSolution, reference_epoch, solve_frames
from loaders.astrometric_solution.star_fit import (
    FIVE_PARAMETERS,
    STATUSES,
    FitOptions,
    Solutions,
    fit_stars,
    joined,
)
from loaders.astrometry.catalog_states import ASTROMETRY
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.stored_curve.load import newest_light_curves
from loaders.variability.load import season_days
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit, done_since
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Identifier of nothing.
_NOTHING = -1

#: Name of the task.
TASK = "astrometry"

#: HEALPix order of the pieces of the sky: 6.9 arcmin, as a detector.
ORDER = 9

#: Stars by which exposures of a piece are placed, and points that are held at once.
FRAME_STARS, POINTS_AT_ONCE = 500, 20_000_000

#: Pieces with objects, found by jumps through the index from one to the next.
_CELLS = """
WITH RECURSIVE piece AS (
    (SELECT object_id >> CAST(:shift AS integer) AS cell FROM roman.object ORDER BY object_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT o.object_id >> CAST(:shift AS integer) FROM roman.object AS o
        WHERE o.object_id >= (piece.cell + 1) << CAST(:shift AS integer) ORDER BY o.object_id LIMIT 1
    )
    FROM piece WHERE piece.cell IS NOT NULL
)
SELECT cell FROM piece WHERE cell IS NOT NULL ORDER BY cell
"""

_COLUMNS = ", ".join(f"{name}::float8" for name in (*ASTROMETRY, *ERRORS))
_PLACE = ", ".join(f"{name}::float8" for name in ASTROMETRY)

_OBJECTS = f"""
SELECT object_id, {_COLUMNS},
       (SELECT max(f.psf_flux)::float8 FROM roman.object_flux f WHERE f.object_id = o.object_id) AS flux
FROM roman.object o WHERE object_id >= $1 AND object_id < $2 ORDER BY object_id
"""

_HISTORY = f"""
SELECT object_id, replaced_by, {_PLACE} FROM roman.object_history
WHERE object_id >= $1 AND object_id < $2 ORDER BY object_id, replaced_by
"""

#: What catalogs say of the objects, adopted solutions aside: of these no zero point follows.
_SAID = f"""
SELECT DISTINCT ON (object_id) * FROM (
    SELECT object_id, {_COLUMNS}, 9223372036854775807 AS replaced_by FROM roman.object
    WHERE object_id >= $1 AND object_id < $2 AND astrometric_solution_id IS NULL
    UNION ALL
    SELECT object_id, {_COLUMNS}, replaced_by FROM roman.object_history
    WHERE object_id >= $1 AND object_id < $2 AND astrometric_solution_id IS NULL
) AS said ORDER BY object_id, replaced_by DESC
"""

#: How many segments each object has, and the blocks that they are of.
_MEASURED = """
SELECT s.object_id, array_agg(s.block_id) AS block_id
FROM roman.astrometry_segment s
JOIN roman.light_curve_block b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
WHERE s.object_id >= $1 AND s.object_id < $2 AND b.photometry_kind = $3
  AND s.start_mjd >= $4 AND s.start_mjd < $5
GROUP BY s.object_id ORDER BY s.object_id
"""

_EXPOSURES = """
SELECT b.block_id, b.catalog_version_id, e.exposure_id, e.midpoint_mjd_tdb,
       x.observatory_source = 'ephemeris' AS is_known, x.ephemeris_time,
       x.spatial_x, x.spatial_y, x.spatial_z, x.velocity_x, x.velocity_y, x.velocity_z
FROM roman.light_curve_block b
CROSS JOIN LATERAL unnest(b.exposure_id, b.midpoint_mjd_tdb) WITH ORDINALITY
    AS e (exposure_id, midpoint_mjd_tdb, number)
LEFT JOIN roman.exposure x ON x.exposure_id = e.exposure_id
WHERE b.block_id = ANY($1) ORDER BY b.block_id, e.number
"""

_SEGMENTS = """
SELECT s.object_id, s.block_id, s.offset_ra, s.offset_dec, s.offset_ra_err, s.offset_dec_err,
       coalesce(roman.expand_flag_run(f.flag_run, b.n_epoch), array_fill(0, ARRAY[b.n_epoch])) AS flags
FROM roman.astrometry_segment s
JOIN roman.light_curve_block b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
LEFT JOIN roman.light_curve_segment f
    ON f.object_id = s.object_id AND f.start_mjd = s.start_mjd AND f.block_id = s.block_id
WHERE s.object_id = ANY($1) AND b.photometry_kind = $2 AND s.start_mjd >= $3 AND s.start_mjd < $4
"""

_SUPERSEDE = """
UPDATE roman.astrometric_solution SET superseded_at = now()
WHERE superseded_at IS NULL AND season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND healpix_order = :order AND healpix_index = :index
"""

_REMOVE = """
DELETE FROM roman.object_astrometry
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND object_id >= :first AND object_id < :end
"""

_SUMMARY = """
SELECT status, count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY parallax_err) AS parallax_err,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY pm_ra_err) AS pm_err
FROM roman.object_astrometry
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
GROUP BY status ORDER BY n DESC, status
"""


def pending_cells(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the pieces of the sky that were not solved for since the light curves of the season changed.

    Arguments: ``survey, season`` (0: all), ``photometry_kind, redo``.
    """
    first, last = season_days(arguments["survey"], arguments["season"])
    names = ("survey", "season", "photometry_kind")
    given: dict[str, Any] = {name: arguments[name] for name in names} | {"from_mjd": first, "to_mjd": last}
    shift = 2 * (29 - ORDER)
    with session.reading() as connection:
        newest = newest_light_curves(connection, given)
        done = done_since(connection, [TASK], newest)
        cells = connection.execute(sa.text(_CELLS), {"shift": shift}).scalars().all()
    which = f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}"
    units = [
        Unit(
            f"{which}, cell {ORDER}/{cell}",
            given | {"index": cell, "first": cell << shift, "end": (cell + 1) << shift},
        )
        for cell in cells
    ]
    return [unit for unit in units if newest and (arguments["redo"] or unit.name not in done)]


@dataclass(frozen=True)
class _Found:
    """Places of exposures, None where no object was measured, errors of zero points, anchors, and objects."""

    frame: FrameSolution | None
    zero: FloatArray
    n_anchor: int
    stars: Solutions | None


def solve_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Solve for a piece of the sky: first for the places of exposures, then for all objects."""
    given: dict[str, Any] = dict(unit.arguments)
    sky = read_sky(given)
    found = _solve(sky, given, lambda done, of: progress(unit.name, done, of))
    with session.transaction() as connection:
        solution = _store_solution(connection, run, given, sky, found)
        more = {"astrometric_solution_id": solution, "load_run_id": run.load_run_id}
        _store_objects(connection, given | more, sky, found.stars)
        run.count(connection, loaded=1)


def _solve(sky: PieceOfSky, given: Mapping[str, Any], step: Callable[[int, int], None]) -> _Found:
    """Solve for exposures, then for all objects that were measured, some at once."""
    measured = np.flatnonzero(sky.n_segment)
    if measured.size == 0:
        return _Found(None, np.full(5, np.nan), 0, None)
    at_once = max(1, POINTS_AT_ONCE // len(sky.times))
    parts = [measured[begin : begin + at_once] for begin in range(0, measured.size, at_once)]
    step(0, len(parts) + 1)
    frame, zero, n_anchor = _place_exposures(sky, given)
    stars = []
    for number, part in enumerate(parts):
        step(number + 1, len(parts) + 1)
        points, places = read_points(sky, part, given)
        epoch = reference_epoch(sky.times)
        stars.append(fit_stars(points, sky.times, places, frame.frames.terms, epoch, FitOptions()))
    return _Found(frame, zero, n_anchor, joined(stars))


def _place_exposures(sky: PieceOfSky, given: Mapping[str, Any]) -> tuple[FrameSolution, FloatArray, int]:
    """Place the exposures by some of the stars; errors of the zero points, shape (5,), and anchors."""
    is_anchor = np.asarray(np.isfinite(sky.said.error[:, 2:]).all(axis=1))
    chosen = choose_frame_stars(sky.n_segment, sky.flux, is_anchor, FRAME_STARS)
    points, places = read_points(sky, chosen, given)
    now = sky.catalogued.take(chosen).astrometry
    anchors = anchors_of(sky.said.take(chosen), now, reference_epoch(sky.times))
    frame = solve_frames(points, sky.times, places, anchors)
    if frame.kind == "catalog":
        return frame, np.full(5, np.nan), 0
    return frame, zero_errors(frame.stars.error, anchors), int(anchors.counts[2:].min())


def read_sky(given: Mapping[str, Any]) -> PieceOfSky:
    """Read all but the points.

    Arguments: ``first, end`` (object_id), ``index`` of the cell, ``photometry_kind, from_mjd, to_mjd``.
    """
    span = (given["first"], given["end"])
    seen = _fetch(_MEASURED, (*span, *_days(given)))
    blocks = blocks_of(seen)
    tables = SkyTables(
        _fetch(_OBJECTS, span),
        _fetch(_HISTORY, span),
        _fetch(_SAID, span),
        seen,
        _fetch(_EXPOSURES, (_listed(blocks),)),
    )
    lon, lat = cdshealpix.healpix_to_lonlat(np.array([given["index"]], np.uint64), ORDER)
    return piece_of_sky(tables, (float(lon.deg[0]), float(lat.deg[0])))


def read_points(sky: PieceOfSky, chosen: IntArray, given: Mapping[str, Any]) -> tuple[StarPoints, StarPlaces]:
    """Points of some of the objects, and what geometry a fit needs of these."""
    rows = _fetch(_SEGMENTS, (_listed(sky.object_id[chosen]), *_days(given)))
    return points_of_rows(sky, chosen, rows, EXCLUDING_FLAGS)


def _listed(identifiers: IntArray) -> list[int]:
    """Identifiers as a query takes them; of an empty list the server could not tell the type."""
    return identifiers.tolist() or [_NOTHING]


def _days(given: Mapping[str, Any]) -> tuple[Any, ...]:
    return given["photometry_kind"], given["from_mjd"], given["to_mjd"]


def _fetch(query: str, values: tuple[Any, ...]) -> Any:
    """Rows as an Arrow table."""
    with session.arrow_connection(session.Role.LOADER) as connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetch_arrow_table()


def _store_solution(
    connection: sa.Connection, run: LoadRun, given: Mapping[str, Any], sky: PieceOfSky, found: _Found
) -> int:
    """Store a solution with its exposures in place of the current one; its identifier."""
    key = {name: given[name] for name in ("season", "photometry_kind")}
    which = key | {"order": ORDER, "index": given["index"]}
    connection.execute(sa.text(_SUPERSEDE), which)
    frame, stars = found.frame, found.stars
    chi2 = frame.stars.reduced_chi2 if frame else np.empty(0)
    chi2 = chi2[np.isfinite(chi2)]
    row = key | {
        "healpix_order": ORDER,
        "healpix_index": given["index"],
        "ref_epoch": reference_epoch(sky.times) if len(sky.times) else None,
        "frame": frame.kind if frame else "catalog",
        "n_exposure": int(np.isfinite(frame.frames.terms[:, 0, 0]).sum()) if frame else 0,
        "n_frame_star": len(frame.stars.status) if frame else 0,
        "n_anchor": found.n_anchor,
        "pm_zero_err": _or_none(found.zero[3:].max()),
        "parallax_zero_err": _or_none(found.zero[2]),
        "n_object": int((stars.status == FIVE_PARAMETERS).sum()) if stars else 0,
        "reduced_chi2": float(np.median(chi2)) if chi2.size else None,
        "load_run_id": run.load_run_id,
    }
    solutions = table("roman.astrometric_solution")
    statement = solutions.insert().returning(solutions.c.astrometric_solution_id)
    solution = int(connection.execute(statement, row).scalar_one())
    if frame and frame.kind != "catalog":
        columns = exposure_columns(sky.times, frame.frames)
        n = len(columns["exposure_id"])
        constant = {"astrometric_solution_id": [solution] * n, "load_run_id": [run.load_run_id] * n}
        copy_rows(connection, "roman.astrometric_exposure", columns | constant)
    return solution


def _store_objects(
    connection: sa.Connection, given: Mapping[str, Any], sky: PieceOfSky, stars: Solutions | None
) -> None:
    """Store a row for each object in place of those that there are."""
    connection.execute(sa.text("SELECT ops.open_astrometry_season(CAST(:season AS smallint))"), given)
    connection.execute(sa.text(_REMOVE), given)
    columns = object_columns(sky, stars)
    names = ("season", "photometry_kind", "astrometric_solution_id", "load_run_id")
    constant = {name: [given[name]] * sky.object_id.size for name in names}
    copy_rows(connection, "roman.object_astrometry", columns | constant)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def summary_of_astrometry(season: int, photometry_kind: str) -> Iterator[str]:
    """Say how many objects there are by status, and how well the usual one is known."""
    values = {"season": season, "photometry_kind": photometry_kind}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_SUMMARY), values).all()
    if not rows:
        return
    counts = ", ".join(f"{row.n:,} {row.status}" for row in rows)
    best = next((row for row in rows if row.status == STATUSES[FIVE_PARAMETERS]), None)
    errors = (
        f"; median errors {best.pm_err:.3f} mas/yr, {best.parallax_err:.3f} mas" if best is not None else ""
    )
    yield f"Astrometry: {counts}{errors}."
