"""Adoption in the database: solutions that are better become what the catalog says, as a version of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from loaders.adopted_astrometry.rule import is_better, with_zero_points
from loaders.astrometric_solution.catalogued import Catalogued
from loaders.astrometric_solution.sky import ERRORS
from loaders.astrometry.catalog_states import ASTROMETRY
from loaders.astrometry.place import CatalogAstrometry
from roman_db import session, sqlfile
from roman_db.bulk import column_types, stage_rows
from roman_db.jobs import Progress, Unit, done_since
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table

FloatArray = npt.NDArray[np.float64]

#: Name of the task, and of the versions of the catalog that it makes.
TASK, VERSION = "adopt_astrometry", "astrometry"

_CURRENT = """
SELECT astrometric_solution_id, healpix_order, healpix_index FROM roman.astrometric_solution
WHERE superseded_at IS NULL AND n_object > 0
  AND season = CAST(:season AS smallint) AND photometry_kind = CAST(:photometry_kind AS text)
ORDER BY healpix_index
"""

_ADOPTED = """
SELECT count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY o.pm_ra_err) AS err
FROM roman.object AS o JOIN roman.astrometric_solution AS s USING (astrometric_solution_id)
WHERE s.photometry_kind = CAST(:photometry_kind AS text)
"""


def pending_adoptions(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the current solutions that the catalog was not yet compared with.

    Arguments: ``survey, season`` (0: those of all exposures), ``photometry_kind, redo``.
    """
    given = {name: arguments[name] for name in ("survey", "season", "photometry_kind")}
    which = f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}"
    with session.reading() as connection:
        rows = connection.execute(sa.text(_CURRENT), given).all()
        done = done_since(connection, [TASK], 0)
    units = []
    for row in rows:
        shift, solution = 2 * (29 - row.healpix_order), row.astrometric_solution_id
        span = {"first": row.healpix_index << shift, "end": (row.healpix_index + 1) << shift}
        name = f"{which}, cell {row.healpix_order}/{row.healpix_index}, solution {solution}"
        units.append(Unit(name, given | span | {"astrometric_solution_id": solution}))
    return [unit for unit in units if arguments["redo"] or unit.name not in done]


def adopt_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Adopt what is better of a piece of the sky: one transaction, and one version if there is anything."""
    given: dict[str, Any] = dict(unit.arguments)
    progress(unit.name, 0, 1)
    with session.transaction() as connection:
        # No catalog may come between what is compared and what is written.
        connection.execute(sa.text("LOCK TABLE roman.object IN SHARE ROW EXCLUSIVE MODE"))
        names = ("astrometric_solution_id", "season", "photometry_kind", "first", "end")
        query = sqlfile.find("jobs", "astrometry_to_adopt")
        rows = sqlfile.run(connection, query, {name: given[name] for name in names})
        values = np.array([tuple(row) for row in rows], dtype=object).reshape(-1, len(rows.keys()))
        columns = dict(zip(rows.keys(), values.T, strict=True))
        solution = with_zero_points(_catalogued(columns, ""), _zero_points(columns))
        better = is_better(solution, _floats(columns["rejected"]), _catalogued(columns, "known_"))
        chosen = np.flatnonzero(better)
        if chosen.size:
            object_id = columns["object_id"].astype(np.int64)[chosen]
            _write(connection, run, given, object_id, solution.take(chosen), better.size)
        run.count(connection, loaded=1)


def _write(
    connection: sa.Connection,
    run: LoadRun,
    given: Mapping[str, Any],
    object_id: npt.NDArray[np.int64],
    adopted: Catalogued,
    n_compared: int,
) -> None:
    """Write a version of the catalog."""
    names = ("ra", "dec", "ref_epoch", "pm_ra", "pm_dec", "parallax")
    columns: dict[str, Any] = {"object_id": object_id}
    columns |= {name: getattr(adopted.astrometry, name) for name in names}
    columns |= {name: adopted.error[:, i] for i, name in enumerate(ERRORS)}
    stage_rows(connection, "staged_astrometry", column_types("roman.object", columns), columns)
    versions = table("roman.catalog_version")
    row = {
        "name": VERSION,
        "n_new": 0,
        "n_changed": object_id.size,
        "n_unchanged": n_compared - object_id.size,
        "n_merged": 0,
        "load_run_id": run.load_run_id,
    }
    statement = versions.insert().returning(versions.c.catalog_version_id)
    keys: dict[str, object] = {
        "version": connection.execute(statement, row).scalar_one(),
        "astrometric_solution_id": given["astrometric_solution_id"],
        "load_run_id": run.load_run_id,
    }
    sqlfile.run(connection, sqlfile.find("jobs", "adopt_astrometry"), keys)


def _catalogued(columns: Mapping[str, npt.NDArray[Any]], prefix: str) -> Catalogued:
    """Positions, motions and errors by their names."""
    astrometry = CatalogAstrometry(*(_floats(columns[prefix + name]) for name in ASTROMETRY))
    return Catalogued(astrometry, np.column_stack([_floats(columns[prefix + name]) for name in ERRORS]))


def _zero_points(columns: Mapping[str, npt.NDArray[Any]]) -> FloatArray:
    """Errors of the zero points of parallax and motion, shape (n, 2)."""
    return np.column_stack([_floats(columns[name]) for name in ("parallax_zero_err", "pm_zero_err")])


def _floats(values: npt.NDArray[Any]) -> FloatArray:
    """Numbers, NaN where there is none."""
    return np.array(values, dtype=np.float64)


def summary_of_adoption(season: int, photometry_kind: str) -> Iterator[str]:
    """Say for how many objects the catalog has a solution; that of a season and of all count alike."""
    with session.reading() as connection:
        row = connection.execute(sa.text(_ADOPTED), {"photometry_kind": photometry_kind}).one()
    if row.n:
        yield f"The catalog has the solutions of {row.n:,} objects; median error {row.err:.3f} mas/yr."
