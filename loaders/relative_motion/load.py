"""Relative proper motions in the database: events read with where their light was, rows stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.astrometric_solution.load import ORDER, read_points, read_sky
from loaders.relative_motion.event import EventLight, ExposureFacts, chromatic_of_event, unmeasurable
from loaders.relative_motion.outcome import CHROMATIC_SHIFT, RelativeMotion
from loaders.variability.load import season_days
from loaders.wfi.times import MJD_ZERO
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table

#: Name of the task, and events in a unit.
TASK, RANGE = "relative_motion", 200

_EVER = -1_000_000
"""A day before all exposures."""

_TERMS = ("shift_ra", "shift_dec", "ra_by_east", "dec_by_east", "ra_by_north", "dec_by_north")

_SUPERSEDE = """
UPDATE roman.relative_proper_motion SET superseded_at = now()
WHERE superseded_at IS NULL AND season = CAST(:season AS smallint)
  AND event_id = ANY(CAST(:events AS bigint[]))
"""

_SUMMARY = """
SELECT r.method, r.status, count(*) AS n,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(r.pm_rel_ra_err, r.pm_rel_dec_err)) AS err
FROM roman.relative_proper_motion AS r JOIN roman.event AS e USING (event_id)
WHERE r.superseded_at IS NULL AND r.season = CAST(:season AS smallint)
  AND e.photometry_kind = CAST(:photometry_kind AS text)
GROUP BY r.method, r.status ORDER BY r.method, n DESC, r.status
"""


def pending_motions(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the events up to a season whose model, or whose astrometry, is newer than what is said of them.

    Arguments: ``survey, season`` (0: events of all light curves together), ``photometry_kind, redo``.
    """
    given = {name: arguments[name] for name in ("survey", "season", "photometry_kind")}
    _, last = season_days(arguments["survey"], arguments["season"])
    asked = {name: arguments[name] for name in ("season", "photometry_kind", "redo")}
    with session.reading() as connection:
        events = list(sqlfile.run(connection, sqlfile.find("jobs", "relative_motion_due"), asked).scalars())
    which = f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}"
    units = []
    for begin in range(0, len(events), RANGE):
        some = events[begin : begin + RANGE]
        name = f"{which}, {len(some)} events from {some[0]}"
        units.append(Unit(name, given | {"events": some, "from_mjd": _EVER, "to_mjd": last}))
    return units


def motion_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Find the relative motions of some events, and store rows in place of those that there are."""
    given: dict[str, Any] = dict(unit.arguments)
    with session.reading() as connection:
        query = sqlfile.find("jobs", "relative_motion_event")
        rows = sqlfile.run(connection, query, {"event_id": _array(given["events"])}).all()
    found = []
    for done, row in enumerate(rows):
        progress(unit.name, done, len(rows))
        found.append(_chromatic(row, given))
    with session.transaction() as connection:
        connection.execute(sa.text(_SUPERSEDE), given)
        values = [_columns(row, one, given, run) for row, one in zip(rows, found, strict=True)]
        if values:
            connection.execute(table("roman.relative_proper_motion").insert(), values)
        run.count(connection, loaded=1)


def _array(numbers: Sequence[int]) -> str:
    """Numbers as an array of the server."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _chromatic(row: sa.Row[Any], given: Mapping[str, Any]) -> RelativeMotion:
    """The motion of an event by its chromatic shift."""
    event = _light(row)
    if (reason := unmeasurable(event)) is not None:
        return RelativeMotion(CHROMATIC_SHIFT, reason)
    cell = row.object_id >> (2 * (29 - ORDER))
    asked = dict(given) | {"first": row.object_id, "end": row.object_id + 1, "index": cell}
    sky = read_sky(asked)
    if not sky.n_segment.any():
        return RelativeMotion(CHROMATIC_SHIFT, "few_epochs")
    points, places = read_points(sky, np.zeros(1, np.int64), asked)
    exposures = _exposures(sky.times.exposure_id.tolist(), asked)
    return chromatic_of_event(event, points, sky.times, places, exposures)


def _light(row: sa.Row[Any]) -> EventLight:
    """What a row says of an event."""
    flux = {
        (element, number): (value, np.nan if error is None else error)
        for element, number, value, error in row.fluxes or []
    }
    names = row.covariance_of.split() if row.covariance is not None else []
    covariance = np.array(row.covariance, np.float64).reshape(len(names), -1) if names else None
    return EventLight(
        np.nan if row.delta_chi2 is None else row.delta_chi2,
        row.is_converged and row.n_source == 1,
        np.nan if row.t_0 is None else row.t_0 - MJD_ZERO,
        np.nan if row.t_e is None else row.t_e,
        flux,
        names,
        covariance,
    )


def _exposures(exposure_id: Sequence[int], asked: Mapping[str, Any]) -> ExposureFacts:
    """What is known of exposures."""
    values = {name: asked[name] for name in ("survey", "season", "photometry_kind", "index")}
    with session.reading() as connection:
        query = sqlfile.find("jobs", "relative_motion_exposure")
        rows = sqlfile.run(connection, query, values | {"exposure_id": _array(exposure_id)}).all()
    terms = np.array([[getattr(row, name) for name in _TERMS] for row in rows], np.float64)
    return ExposureFacts(
        np.array([row.exposure_id for row in rows], np.int64),
        np.array([row.season for row in rows], np.int64),
        [row.optical_element for row in rows],
        np.array([row.midpoint_mjd_tdb for row in rows], np.float64),
        terms.reshape(-1, 3, 2),
    )


def _columns(row: sa.Row[Any], one: RelativeMotion, given: Mapping[str, Any], run: LoadRun) -> dict[str, Any]:
    """Columns of ``roman.relative_proper_motion``."""
    out: dict[str, Any] = {
        "event_id": row.event_id,
        "event_model_id": row.event_model_id,
        "season": given["season"],
        "load_run_id": run.load_run_id,
        "optical_elements": " ".join(one.optical_elements) or None,
    }
    same = ("method", "status", "n_season", "n_exposure", "ref_epoch", "chi2_zero", "chi2_start")
    out |= {name: getattr(one, name) for name in (*same, "reduced_chi2", "sign_known")}
    share, size = one.share or (None, None), one.size or (None, None)
    out |= {"share": share[0], "share_err": share[1], "pm_rel": size[0], "pm_rel_err": size[1]}
    names = ("pm_rel_ra", "pm_rel_dec", "pm_rel_ra_err", "pm_rel_dec_err", "pm_rel_corr")
    values: Sequence[float | None] = [None] * len(names)
    if one.motion is not None and one.covariance is not None:
        error = np.sqrt(np.diag(one.covariance))
        values = [float(v) for v in (*one.motion, *error, one.covariance[0, 1] / error.prod())]
    return out | dict(zip(names, values, strict=True))


def summary_of_motions(season: int, photometry_kind: str) -> Iterator[str]:
    """Say of how many events the relative motion was found."""
    values = {"season": season, "photometry_kind": photometry_kind}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_SUMMARY), values).all()
    if rows:
        yield "Relative motions: " + ", ".join(f"{row.n:,} {row.status} ({row.method})" for row in rows) + "."
