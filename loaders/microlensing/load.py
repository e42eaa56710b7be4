"""Microlensing events of the database: light curves searched, candidates judged, models stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.microlensing.find import Found, SkyCurve, look_at
from loaders.microlensing.motion import Motion, Mover, Passage, movers_of
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.stored_curve.band import Band, usable_band
from loaders.stored_curve.load import StoredCurve, newest_light_curves, read_curves
from loaders.stored_curve.preferred import REFINED, preferred
from loaders.variability.load import newest_description, season_days
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit, done_since
from roman_db.load_run import LoadRun
from roman_db.parallel import side_by_side
from roman_db.schema.metadata import table
from roman_db.settings import settings

#: Names of the tasks.
TASK, SHARED_TASK = "events", "shared_events"

#: Objects in a unit.
RANGE = 500

#: What an object must show to be searched: its index, so many points in a row above the catalogued flux, or
#: successive points that have to do with each other, in standard deviations of noise.
LEAST_INDEX, LEAST_RUN, LEAST_CONNECTION = 3.0, 3, 4.0
_THRESHOLDS: dict[str, Any] = {"index": LEAST_INDEX, "run": LEAST_RUN, "connection": LEAST_CONNECTION}

_SEARCHED = """
WITH wanted AS (
    SELECT DISTINCT object_id FROM roman.variability
    WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
      AND (variability_index >= CAST(:index AS float8) OR longest_run >= CAST(:run AS integer)
           OR (1 - von_neumann / 2) * sqrt(n_point) >= CAST(:connection AS float8))
), numbered AS (
    SELECT object_id, row_number() OVER (ORDER BY object_id) - 1 AS n FROM wanted
)
SELECT min(object_id) AS first_object, max(object_id) AS last_object, count(*) AS n_object
FROM numbered GROUP BY n / CAST(:size AS bigint) ORDER BY 1
"""

_OBJECTS = """
SELECT DISTINCT v.object_id, o.ra, o.dec
FROM roman.variability v JOIN roman.current_object o USING (object_id)
WHERE v.season = CAST(:season AS smallint) AND v.photometry_kind = :photometry_kind
  AND v.object_id BETWEEN :first_object AND :last_object
  AND (v.variability_index >= CAST(:index AS float8) OR v.longest_run >= CAST(:run AS integer)
       OR (1 - v.von_neumann / 2) * sqrt(v.n_point) >= CAST(:connection AS float8))
ORDER BY v.object_id
"""

#: Stars within so many degrees cannot be told from an object: three pixels.
_BLENDED = 0.33 / 3600

#: Events of a range that this run did not find again are gone; their models stay as history.
_LOST = """
UPDATE roman.event
SET is_event = false, classification = 'not_found', load_run_id = CAST(:load_run_id AS bigint)
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND object_id BETWEEN :first_object AND :last_object AND load_run_id <> CAST(:load_run_id AS bigint)
"""

_BEFORE = """
SELECT event_id, object_id, t_0_guess, t_eff FROM roman.event
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND object_id BETWEEN :first_object AND :last_object
"""

#: Neighbours are within so many degrees; how many of them must have an event at once, against which chance.
SHARED = {"radius": 0.06, "fewest": 4, "log_chance": float(np.log(1e-6))}

#: What is in the wings of a stronger one: within 3 arcsec, with a hundredth of its fall of chi-square.
_BESIDE = {"radius": 3 / 3600, "ratio": 100.0}

_NEWEST_EVENT = """
SELECT coalesce(max(load_run_id), 0) FROM roman.event
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND classification NOT IN ('shared', 'beside_stronger')
"""

_SUMMARY = """
SELECT classification, is_event, count(*) AS n FROM roman.event
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
GROUP BY classification, is_event ORDER BY is_event DESC, n DESC, classification
"""


def pending_events(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the ranges of objects that were not searched since their statistics or refined fluxes changed.

    Arguments: ``survey, season`` (0: all), ``photometry_kind, redo``, and ``xallarap`` (false).
    """
    first, last = season_days(arguments["survey"], arguments["season"])
    names = ("survey", "season", "photometry_kind")
    given: dict[str, Any] = {name: arguments[name] for name in names} | {"from_mjd": first, "to_mjd": last}
    given["xallarap"] = bool(arguments.get("xallarap", False))
    with session.reading() as connection:
        refined = newest_light_curves(connection, given | {"photometry_kind": REFINED})
        # A run refines events after it has searched for them.
        newest = max(newest_description(connection, given), refined + 1)
        done = done_since(connection, [TASK], newest)
        rows = connection.execute(sa.text(_SEARCHED), given | _THRESHOLDS | {"size": RANGE}).all()
    which = f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}"
    units = [
        Unit(f"{which}, {row.n_object} objects from {row.first_object}", given | row._asdict())
        for row in rows
    ]
    return [unit for unit in units if arguments["redo"] or unit.name not in done]


def search_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Search the light curves of a range of objects, and store what was found of each candidate."""
    given: dict[str, Any] = dict(unit.arguments)
    with session.reading() as connection:
        objects = connection.execute(sa.text(_OBJECTS), given | _THRESHOLDS).all()
    found: list[Found] = []
    workers = min(settings().workers, len(objects))
    with side_by_side(workers, "loaders.microlensing.find") as of_each:
        look = partial(look_at, xallarap=given["xallarap"])
        for done, some in enumerate(of_each(look, _sky_curves(objects, given)), 1):
            found += some
            progress(unit.name, done, len(objects))
    with session.transaction() as connection:
        _store(connection, run, given, found)
        run.count(connection, loaded=1)


def _sky_curves(objects: Sequence[sa.Row[Any]], given: Mapping[str, Any]) -> Iterator[SkyCurve]:
    """The light curves of objects, the refined ones where there are some."""
    place = {row.object_id: (row.ra, row.dec) for row in objects}
    movers = _movers(list(place), given)
    days = (given["from_mjd"], given["to_mjd"])
    refined: dict[int, dict[str, StoredCurve]] = {}
    for curve in read_curves(list(place), REFINED, *days):
        refined.setdefault(curve.object_id, {})[curve.optical_element] = curve
    curves = read_curves(list(place), given["photometry_kind"], *days)
    for object_id, several in groupby(curves, key=lambda curve: curve.object_id):
        chosen = preferred(list(several), refined.get(object_id, {}))
        bands = [_band(curve) for curve in chosen]
        yield SkyCurve(object_id, *place[object_id], bands, movers.get(object_id, []))


def _movers(object_ids: Sequence[int], given: Mapping[str, Any]) -> dict[int, list[Mover]]:
    """What moves at the places of objects, by object; those of which nothing is known are left out."""
    names = ("season", "photometry_kind")
    values = {name: given[name] for name in names} | {"radius": _BLENDED}
    values["objects"] = "{" + ",".join(map(str, object_ids)) + "}"
    motions: dict[int, list[Motion]] = {}
    with session.reading() as connection:
        for row in sqlfile.run(connection, sqlfile.find("jobs", "event_mover"), values):
            pm = (row.pm_ra, row.pm_dec, row.pm_ra_err, row.pm_dec_err)
            motions.setdefault(row.object_id, []).append(Motion(row.star_id, row.distance, *pm))
    return {object_id: movers_of(object_id, some) for object_id, some in motions.items()}


def _band(curve: StoredCurve) -> Band:
    """The points that count."""
    bad = curve.flags & EXCLUDING_FLAGS != 0
    return usable_band(curve.optical_element, curve.time, curve.flux, curve.error, bad)


def _store(connection: sa.Connection, run: LoadRun, given: Mapping[str, Any], found: list[Found]) -> None:
    """Store the candidates of a range; those that were there keep their identifiers."""
    before: dict[int, list[sa.Row[Any]]] = {}
    for row in connection.execute(sa.text(_BEFORE), given):
        before.setdefault(row.object_id, []).append(row)
    for one in found:
        event_id = _store_event(connection, run, given, one, before.get(one.object_id, []))
        _store_models(connection, run, event_id, one)
    connection.execute(sa.text(_LOST), dict(given) | {"load_run_id": run.load_run_id})


def _store_event(
    connection: sa.Connection,
    run: LoadRun,
    given: Mapping[str, Any],
    one: Found,
    before: list[sa.Row[Any]],
) -> int:
    """Insert or update the row of a candidate."""
    events, verdict, candidate = table("roman.event"), one.verdict, one.candidate
    values = {
        "object_id": one.object_id,
        "season": given["season"],
        "photometry_kind": given["photometry_kind"],
        "is_event": verdict.is_event,
        "classification": verdict.reason,
        "t_0_guess": candidate.t_0,
        "t_eff": candidate.t_eff,
        "search_shape": candidate.shape,
        "search_gain": candidate.gain,
        "delta_chi2": verdict.gain if np.isfinite(verdict.gain) else None,
        "explained": verdict.explained if np.isfinite(verdict.explained) else None,
        "n_point": one.n_point,
        "load_run_id": run.load_run_id,
    } | _motion_columns(verdict.passage)
    near = [r for r in before if abs(r.t_0_guess - candidate.t_0) < 2 * max(r.t_eff, candidate.t_eff)]
    if near:
        # Of two events of an object each keeps its own row.
        row = min(near, key=lambda r: abs(r.t_0_guess - candidate.t_0))
        before.remove(row)
        connection.execute(events.update().where(events.c.event_id == row.event_id).values(values))
        return int(row.event_id)
    return int(connection.execute(events.insert().returning(events.c.event_id), values).scalar_one())


def _motion_columns(passage: Passage | None) -> dict[str, float | None]:
    """What a star that moves explains, for ``roman.event``; empty where none does."""
    names = ("mover_pm", "mover_pm_err", "mover_distance", "mover_gain")
    if passage is None:
        return dict.fromkeys(names)
    mover = passage.mover
    return dict(zip(names, (mover.speed, mover.error, mover.distance, passage.ahead), strict=True))


def _store_models(connection: sa.Connection, run: LoadRun, event_id: int, one: Found) -> None:
    """Store the models of an event; those that there were are superseded."""
    models = table("roman.event_model")
    mine = (models.c.event_id == event_id, models.c.superseded_at.is_(None))
    connection.execute(models.update().where(*mine).values(superseded_at=sa.func.now()))
    for rank, model in enumerate(one.models, 1):
        row = model.columns() | {"event_id": event_id, "rank": rank, "load_run_id": run.load_run_id}
        identifier = connection.execute(models.insert().returning(models.c.event_model_id), row).scalar_one()
        key: dict[str, Any] = {"event_model_id": int(identifier)}
        parts = {
            "parameter": model.parameter_rows(),
            "flux": model.flux_rows(),
            "sample": model.sample_rows(),
        }
        for name, rows in parts.items():
            if rows:
                target = table(f"roman.event_model_{name}")
                connection.execute(target.insert(), [key | values for values in rows])


def pending_shared(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the season if events were looked for since it was last asked which of them neighbours share.

    Arguments: as `pending_events`.
    """
    given = {name: arguments[name] for name in ("season", "photometry_kind")}
    with session.reading() as connection:
        newest = connection.execute(sa.text(_NEWEST_EVENT), given).scalar_one()
        done = done_since(connection, [SHARED_TASK], newest)
    which = f"season {given['season'] or 'all'} of {arguments['survey']}, {given['photometry_kind']}"
    unit = Unit(f"shared events, {which}", given)
    return [unit] if newest and (arguments["redo"] or unit.name not in done) else []


def shared_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Refuse the events of a season that neighbours have at once; their models stay as history."""
    progress(unit.name, 0, 1)
    values = dict(unit.arguments) | {"load_run_id": run.load_run_id}
    with session.transaction() as connection:
        sqlfile.run(connection, sqlfile.find("jobs", "shared_events"), values | SHARED)
        sqlfile.run(connection, sqlfile.find("jobs", "events_beside_stronger"), values | _BESIDE)
        run.count(connection, loaded=1)


def summary_of_events(season: int, photometry_kind: str) -> Iterator[str]:
    """Say how many events there are in a season, and why how many candidates were refused."""
    values = {"season": season, "photometry_kind": photometry_kind}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_SUMMARY), values).all()
    kept = [f"{row.n:,} {row.classification}" for row in rows if row.is_event]
    refused = [f"{row.n:,} {row.classification}" for row in rows if not row.is_event]
    yield f"Events: {', '.join(kept) or 'none'}; refused: {', '.join(refused) or 'none'}."
