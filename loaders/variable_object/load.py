"""Variable objects of the database: periods, trends and hints of a season, stored by ranges of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.stored_curve.band import usable_band
from loaders.stored_curve.load import read_curves
from loaders.variability.load import newest_description, season_days
from loaders.variable_object.find import Description, Series, VariableObject, describe_object
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit, done_since
from roman_db.load_run import LoadRun
from roman_db.parallel import side_by_side
from roman_db.settings import settings

#: Name of the task.
TASK = "variable_object"

#: Objects in a unit.
RANGE = 1_000

#: Objects that vary, and those that did: their rows are to go.
_RANGES = """
WITH wanted AS (
    SELECT DISTINCT object_id FROM roman.variability
    WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind AND is_variable
    UNION
    SELECT object_id FROM roman.variable_object
    WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
), numbered AS (
    SELECT object_id, row_number() OVER (ORDER BY object_id) - 1 AS n FROM wanted
)
SELECT min(object_id) AS first_object, max(object_id) AS last_object, count(*) AS n_object
FROM numbered GROUP BY n / CAST(:size AS bigint) ORDER BY 1
"""

_OBJECTS = """
SELECT DISTINCT object_id FROM roman.variability
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind AND is_variable
  AND object_id BETWEEN :first_object AND :last_object
ORDER BY object_id
"""

#: Rows of objects that do not vary any more go as well: all of the range.
_REMOVE = """
DELETE FROM roman.{table}
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND object_id BETWEEN :first_object AND :last_object
"""

#: What was measured over time besides fluxes, by the view that has it.
_QUANTITIES = {"astrometry_curve": ("offset_ra", "offset_dec"), "shape_curve": ("size_excess", "e1", "e2")}

_SERIES = """
SELECT object_id, optical_element, midpoint_bjd_tdb, {columns}
FROM roman.{view}
WHERE object_id = ANY(CAST(:objects AS bigint[])) AND photometry_kind = :photometry_kind
  AND start_mjd >= :from_mjd AND start_mjd < :to_mjd
ORDER BY object_id, optical_element, midpoint_bjd_tdb
"""

_SUMMARY = """
SELECT class_hint, count(*) AS n FROM roman.variable_object
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
GROUP BY class_hint ORDER BY n DESC, class_hint
"""


def pending_objects(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the ranges of variable objects that were not described since their statistics changed.

    Arguments: ``survey, season`` (0: all), ``photometry_kind, redo``.
    """
    first, last = season_days(arguments["survey"], arguments["season"])
    names = ("survey", "season", "photometry_kind")
    given: dict[str, Any] = {name: arguments[name] for name in names} | {"from_mjd": first, "to_mjd": last}
    with session.reading() as connection:
        newest = newest_description(connection, given)
        done = done_since(connection, [TASK], newest)
        rows = connection.execute(sa.text(_RANGES), given | {"size": RANGE}).all()
    which = f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}"
    units = [
        Unit(f"{which}, {row.n_object} variable objects from {row.first_object}", given | row._asdict())
        for row in rows
    ]
    return [unit for unit in units if arguments["redo"] or unit.name not in done]


def describe_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Describe the variable objects of a range."""
    given: dict[str, Any] = dict(unit.arguments)
    with session.reading() as connection:
        objects = list(connection.execute(sa.text(_OBJECTS), given).scalars())
    found: list[Description] = []
    workers = min(settings().workers, len(objects))
    with side_by_side(workers, "loaders.variable_object.find") as of_each:
        for one in of_each(describe_object, _variable_objects(objects, given)):
            found.append(one)
            progress(unit.name, len(found), len(objects))
    with session.transaction() as connection:
        for table in ("variable_object", "variable_trend"):
            connection.execute(sa.text(_REMOVE.format(table=table)), given)
        _store(connection, run, given, found)
        run.count(connection, loaded=1)


def _variable_objects(objects: Sequence[int], given: Mapping[str, Any]) -> Iterator[VariableObject]:
    """The objects with what was measured of them; those without a point that counts are left out."""
    others = _series(objects, given)
    curves = read_curves(objects, given["photometry_kind"], given["from_mjd"], given["to_mjd"])
    for object_id, several in groupby(curves, key=lambda curve: curve.object_id):
        bands = [
            usable_band(
                *(one.optical_element, one.time, one.flux, one.error), one.flags & EXCLUDING_FLAGS != 0
            )
            for one in several
        ]
        if any(len(band) for band in bands):
            yield VariableObject(object_id, bands, others.get(object_id, []))


def _series(objects: Sequence[int], given: Mapping[str, Any]) -> dict[int, list[Series]]:
    """Positions and shapes of objects over time."""
    out: dict[int, list[Series]] = {}
    chosen = {"objects": list(objects)} | {
        name: given[name] for name in ("photometry_kind", "from_mjd", "to_mjd")
    }
    with session.reading() as connection:
        for view, quantities in _QUANTITIES.items():
            columns = ", ".join(f"{name}::float8, {name}_err::float8" for name in quantities)
            rows = connection.execute(sa.text(_SERIES.format(view=view, columns=columns)), chosen)
            for (object_id, element), group in groupby(rows, key=lambda row: (row[0], row[1])):
                time, *measured = np.array([row[2:] for row in group], dtype=np.float64).T
                pairs = zip(quantities, measured[::2], measured[1::2], strict=True)
                some = [Series(element, name, time, value, error) for name, value, error in pairs]
                out.setdefault(object_id, []).extend(some)
    return out


def _store(
    connection: sa.Connection, run: LoadRun, given: Mapping[str, Any], found: Sequence[Description]
) -> None:
    """Store what is said of the objects."""
    key = {"season": given["season"], "photometry_kind": given["photometry_kind"]}
    rows = [key | _object_row(one) | {"load_run_id": run.load_run_id} for one in found]
    trends = [key | row | {"load_run_id": run.load_run_id} for one in found for row in _trend_rows(one)]
    for table, some in (("variable_object", rows), ("variable_trend", trends)):
        if some:
            copy_rows(connection, f"roman.{table}", {name: [row[name] for row in some] for name in some[0]})


def _object_row(one: Description) -> dict[str, Any]:
    """Columns of ``roman.variable_object``; what is NaN is empty there."""
    names = ("period", "error", "log_false_alarm", "explained", "amplitude")
    values = [getattr(one.period, name) if one.period else np.nan for name in names]
    columns = ("period", "period_err", *names[2:])
    return dict(zip(columns, values, strict=True)) | {
        "object_id": one.object_id,
        "class_hint": one.class_hint,
        "optical_element": one.element,
        "n_point": one.n_point,
    }


def _trend_rows(one: Description) -> Iterator[dict[str, Any]]:
    """Columns of ``roman.variable_trend``, one row a line."""
    for (element, quantity), (line, reference) in one.trends.items():
        yield {
            "object_id": one.object_id,
            "optical_element": element,
            "quantity": quantity,
            "slope": line.slope,
            "slope_err": line.error,
            "value": line.value,
            "reference_bjd_tdb": reference,
            "reduced_chi2": line.reduced_chi2,
            "n_point": line.n_point,
        }


def summary_of_objects(season: int, photometry_kind: str) -> Iterator[str]:
    """Say what the variable objects of a season look like."""
    values = {"season": season, "photometry_kind": photometry_kind}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_SUMMARY), values).all()
    if rows:
        yield "Variable objects: " + ", ".join(f"{row.n:,} {row.class_hint}" for row in rows) + "."
