"""The variability catalog: statistics of all objects by SQL, and from the points of what is variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.stored_curve.load import StoredCurve, newest_light_curves, read_curves
from loaders.variability.statistics import describe, stetson_j
from roman_db import session, sqlfile
from roman_db.bulk import column_types, stage_rows
from roman_db.jobs import Progress, Unit, done_since
from roman_db.load_run import LoadRun

#: Names of the tasks.
TASKS = ("locus", "variability")

_ALL_DAYS = (-1_000_000, 1_000_000)

#: Objects in a unit.
RANGE = 100_000

#: Index from which an object is variable: one constant star in 10⁹ of normal statistics has it.
THRESHOLD = 6.0

#: Objects of which the locus of constant stars is made, about; cells of magnitude, and fewest stars of one.
SAMPLE, CELL, FEWEST = 200_000, 0.25, 30

#: Largest distance in time, days, of points that are said to be of one epoch.
ONE_EPOCH = 15 / 1440

#: Columns of ``roman.variability`` that need the points, by the names of the statistics.
_OF_POINTS = {
    "median_flux": "median",
    "mad_flux": "median_absolute_deviation",
    "iqr_flux": "inter_quartile_range",
    "percentile_05_flux": "percentile_05",
    "percentile_95_flux": "percentile_95",
    "stetson_k": "stetson_k",
}

_SEASON = """
SELECT min(start_mjd) AS from_mjd, max(end_mjd) AS to_mjd FROM roman.season
WHERE survey = :survey AND season = coalesce(CAST(nullif(:season, 0) AS smallint), season)
"""

_SEASONS = "SELECT DISTINCT season FROM roman.season WHERE survey = :survey ORDER BY season"

_RANGES = """
WITH numbered AS (SELECT object_id, row_number() OVER (ORDER BY object_id) - 1 AS n FROM roman.object)
SELECT min(object_id) AS first_object, max(object_id) AS last_object FROM numbered
GROUP BY n / CAST(:size AS bigint) ORDER BY 1
"""

_REMOVE = """
DELETE FROM roman.variability
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND object_id BETWEEN :first_object AND :last_object
"""

_REMOVE_LOCUS = """
DELETE FROM roman.variability_locus
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
"""

_VARIABLE = """
SELECT DISTINCT object_id FROM roman.variability
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND object_id BETWEEN :first_object AND :last_object AND is_variable
ORDER BY object_id
"""

_FILL = """
UPDATE roman.variability v SET
    median_flux = m.median_flux, mad_flux = m.mad_flux, iqr_flux = m.iqr_flux,
    percentile_05_flux = m.percentile_05_flux, percentile_95_flux = m.percentile_95_flux,
    stetson_k = m.stetson_k, stetson_j = m.stetson_j
FROM pg_temp.measured_variability m
WHERE v.season = CAST(:season AS smallint) AND v.photometry_kind = :photometry_kind
  AND v.object_id = m.object_id AND v.optical_element = m.optical_element
"""

_DESCRIBED = """
SELECT coalesce(max(load_run_id), 0) FROM roman.variability
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
"""

_SUMMARY = """
SELECT optical_element, count(*) AS n_object, sum(n_point) AS n_point,
       count(*) FILTER (WHERE is_variable) AS n_variable
FROM roman.variability WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
GROUP BY optical_element ORDER BY optical_element
"""


#: When objects last left the catalog or came back to it.
_DROPPED = "SELECT coalesce(max(load_run_id), 0) FROM roman.catalog_version WHERE n_dropped + n_restored > 0"


def season_days(survey: str, season: int) -> tuple[int, int]:
    """First day of a season, and first day after it, MJD TDB; 0 is all there is, in season or not.

    Raises
    ------
    LookupError
        If the survey has no such season.
    """
    with session.reading() as connection:
        row = connection.execute(sa.text(_SEASON), {"survey": survey, "season": season}).one()
    if row.from_mjd is None:
        raise LookupError(f"survey {survey!r} has no season {season}: see roman.season")
    return (int(row.from_mjd), int(row.to_mjd)) if season else _ALL_DAYS


def check_survey(survey: str, season: int) -> None:
    """Check that results of a season of that number, if there are any, are of the days of this survey's.

    Raises
    ------
    LookupError
        If they are another survey's, which would be lost.
    """
    if not season:
        return
    statement = sqlfile.find("jobs", "season_survey")
    with session.reading() as connection:
        other = sqlfile.run(connection, statement, {"survey": survey, "season": season}).first()
    if other is not None:
        raise LookupError(
            f"results of season {season} are those of survey {other.survey!r}, whose days are "
            f"{other.start_mjd} to {other.end_mjd - 1}: seasons of {survey!r} need other numbers or the same "
            "days in roman.season, or a database of their own"
        )


def pending_loci(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the season if its light curves changed since its constant stars were looked at.

    Arguments: ``survey, season`` (0: all), ``photometry_kind, redo``.
    """
    given = _given(arguments)
    return _undone([Unit(f"constant stars, {_kind(given)}", given)], given, bool(arguments["redo"]))


def locus_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Find where constant stars lie, from a sample of the objects."""
    given = dict(unit.arguments)
    progress(unit.name, 0, 1)
    with session.transaction() as connection:
        count = connection.execute(sa.text("SELECT count(*) FROM roman.current_object")).scalar_one()
        connection.execute(sa.text(_REMOVE_LOCUS), given)
        how = {"one_in": max(1, count // SAMPLE), "step": CELL, "fewest": FEWEST}
        values = given | how | {"load_run_id": run.load_run_id}
        values.pop("survey")
        sqlfile.run(connection, sqlfile.find("jobs", "variability_locus"), values)
        run.count(connection, loaded=1)


def pending_ranges(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the ranges of objects that were not described since the light curves of the season changed.

    Arguments: as `pending_loci`.
    """
    given = _given(arguments)
    with session.reading() as connection:
        ranges = connection.execute(sa.text(_RANGES), {"size": RANGE}).all()
    units = [
        Unit(f"{_kind(given)}, objects from {row.first_object}", given | row._asdict()) for row in ranges
    ]
    return _undone(units, given, bool(arguments["redo"]))


def _kind(given: Mapping[str, Any]) -> str:
    return f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}"


def _undone(units: list[Unit], given: Mapping[str, Any], redo: bool) -> list[Unit]:
    """Units not done since light curves or the catalog changed; none where there are no light curves."""
    with session.reading() as connection:
        newest = newest_light_curves(connection, given)
        changed = int(connection.execute(sa.text(_DROPPED)).scalar_one())
        done = done_since(connection, TASKS, max(newest, changed))
    return [unit for unit in units if newest and (redo or unit.name not in done)]


def describe_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Write the statistics of a range of objects, first by SQL, then from the points of what is variable."""
    given = dict(unit.arguments)
    names = ("season", "photometry_kind", "from_mjd", "to_mjd", "first_object", "last_object")
    values = {name: given[name] for name in names} | {"threshold": THRESHOLD, "load_run_id": run.load_run_id}
    with session.transaction() as connection:
        connection.execute(sa.text("SELECT ops.open_variability_season(CAST(:season AS smallint))"), given)
        connection.execute(sa.text(_REMOVE), given)
        sqlfile.run(connection, sqlfile.find("jobs", "variability"), values)
        variable = connection.execute(sa.text(_VARIABLE), given).scalars().all()
        progress(unit.name, 1, 2)
        columns = _measure(
            read_curves(variable, given["photometry_kind"], given["from_mjd"], given["to_mjd"])
        )
        types = column_types("roman.variability", columns)
        stage_rows(connection, "measured_variability", types, columns)
        connection.execute(sa.text(_FILL), given)
        run.count(connection, loaded=1)


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the statements: season, kind and days."""
    first, last = season_days(arguments["survey"], arguments["season"])
    names = ("survey", "season", "photometry_kind")
    return {name: arguments[name] for name in names} | {"from_mjd": first, "to_mjd": last}


def _measure(curves: Iterator[StoredCurve]) -> dict[str, list[Any]]:
    """Columns of what needs points, one row an object and element."""
    rows: dict[str, list[Any]] = {
        name: [] for name in ("object_id", "optical_element", *_OF_POINTS, "stetson_j")
    }
    for object_id, several in groupby(curves, key=lambda curve: curve.object_id):
        bands = {}
        for curve in several:
            good = curve.counting(EXCLUDING_FLAGS)
            bands[curve.optical_element] = (curve.time[good], curve.flux[good], curve.error[good])
        most = max(bands, key=lambda name: bands[name][0].size)
        for name, (time, flux, error) in bands.items():
            one = describe(flux[None], error[None])[0]
            rows["object_id"].append(object_id)
            rows["optical_element"].append(name)
            for column, statistic in _OF_POINTS.items():
                rows[column].append(float(one[statistic]))
            pairs = np.nan if name == most else stetson_j((time, flux, error), bands[most], ONE_EPOCH)
            rows["stetson_j"].append(float(pairs))
    return rows


def summary_of(season: int, photometry_kind: str) -> Iterator[str]:
    """Say of each optical element how many objects there are in a season, and how many vary."""
    with session.reading() as connection:
        values = {"season": season, "photometry_kind": photometry_kind}
        rows = connection.execute(sa.text(_SUMMARY), values).all()
    where = f"Season {season}" if season else "All seasons"
    for row in rows:
        yield (
            f"{where}, {row.optical_element}: {row.n_object:,} objects with {row.n_point:,} points, "
            f"{row.n_variable:,} variable."
        )
    if not rows:
        yield f"{where}: no light curves of the kind {photometry_kind}."


def stale_seasons(arguments: Mapping[str, Any]) -> list[int]:
    """Seasons besides one whose light curves became others after they had been described; 0 is all seasons.

    Their statistics, events and what follows are those of the light curves before. Seasons that were never
    described are not among them. Arguments: ``survey, season, photometry_kind``.
    """
    with session.reading() as connection:
        named = list(connection.execute(sa.text(_SEASONS), {"survey": arguments["survey"]}).scalars())
    stale = []
    for season in (*named, 0):
        given = _given(dict(arguments) | {"season": int(season)})
        with session.reading() as connection:
            described, newest = newest_description(connection, given), newest_light_curves(connection, given)
        if season != arguments["season"] and 0 < described < newest:
            stale.append(int(season))
    return stale


def summary_of_stale(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Name the seasons whose light curves became others, with the commands that follow them."""
    stale = stale_seasons(arguments)
    if stale:
        which = ", ".join(str(season) if season else "all together" for season in stale)
        orders = "; ".join(
            f"roman-db run season {season}" if season else "roman-db run survey" for season in stale
        )
        yield f"Seasons whose light curves became others since they were described: {which}. Give: {orders}."


def newest_description(connection: sa.Connection, given: Mapping[str, Any]) -> int:
    """Run that last described light curves of ``photometry_kind`` of ``season``; 0 if none did."""
    return int(connection.execute(sa.text(_DESCRIBED), given).scalar_one())
