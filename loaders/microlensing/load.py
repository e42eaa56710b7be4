"""Microlensing events of the database: light curves searched, candidates judged, models stored."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.event_models.degeneracies import twins_among
from loaders.event_models.fitted_model import FittedModel
from loaders.microlensing import statements
from loaders.microlensing.find import Found, SkyCurve, look_at
from loaders.microlensing.motion import Motion, Mover, Passage, movers_of
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.rejection import Rejected, unexpected
from loaders.stored_curve.band import Band, usable_band
from loaders.stored_curve.load import StoredCurve, read_curves
from loaders.stored_curve.preferred import REFINED, preferred
from loaders.variability.load import newest_description, season_days
from roman_db import session, sqlfile
from roman_db.bulk import upsert_rows
from roman_db.jobs import Progress, Unit, done_after, done_since
from roman_db.load_run import LoadRun
from roman_db.parallel import Ended, WorkerDied, each_ended
from roman_db.schema.metadata import table
from roman_db.settings import settings

#: Names of the tasks.
TASK, SHARED_TASK = "events", "shared_events"

#: Objects in a unit; how many of them are stored at once, or after how many seconds those there are.
RANGE, STORED, STORED_AFTER = 500, 20, 10.0

#: What an object must show to be searched: its index, so many points in a row above the catalogued flux, or
#: successive points that have to do with each other, in standard deviations of noise.
LEAST_INDEX, LEAST_RUN, LEAST_CONNECTION = 3.0, 3, 4.0
_THRESHOLDS: dict[str, Any] = {"index": LEAST_INDEX, "run": LEAST_RUN, "connection": LEAST_CONNECTION}

#: Stars within so many degrees cannot be told from an object: three pixels.
_BLENDED = 0.33 / 3600

#: Neighbours are within so many degrees; how many of them must have an event at once, against which chance.
SHARED = {"radius": 0.06, "fewest": 4, "log_chance": float(np.log(1e-6))}

#: What is in the wings of a stronger one: within 3 arcsec, with a hundredth of its fall of chi-square.
_BESIDE = {"radius": 3 / 3600, "ratio": 100.0}


def pending_events(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the objects that were not searched since statistics were made, or they were refined, in lots.

    Those with events that are not to be searched any more make a lot of their own.

    Arguments: ``survey, season`` (0: all), ``photometry_kind, redo``, and ``xallarap`` (false).
    """
    first, last = season_days(arguments["survey"], arguments["season"])
    names = ("survey", "season", "photometry_kind")
    given: dict[str, Any] = {name: arguments[name] for name in names} | {"from_mjd": first, "to_mjd": last}
    given["xallarap"] = bool(arguments.get("xallarap", False))
    with session.reading() as connection:
        newest = newest_description(connection, given)
        which = given | _THRESHOLDS | {"newest": newest, "redo": arguments["redo"], "size": RANGE}
        lots = list(connection.execute(sa.text(statements.PENDING), which).scalars())
        unwanted = list(connection.execute(sa.text(statements.UNWANTED), which).scalars())
    return _units(given, lots, unwanted)


def _units(given: Mapping[str, Any], lots: list[list[int]], unwanted: list[int]) -> list[Unit]:
    """Units of lots of objects; each knows how many come before it and in all, to say how far a run is."""
    which = f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}"
    units, before, in_all = [], 0, sum(map(len, lots))
    for objects in lots:
        what = {"wanted": True, "objects": objects, "n_before": before, "n_in_all": in_all}
        units.append(Unit(f"{which}, {len(objects)} objects from {objects[0]}", dict(given) | what))
        before += len(objects)
    if unwanted:
        what = {"wanted": False, "objects": unwanted}
        units.append(Unit(f"{which}, {len(unwanted)} objects that are constant now", dict(given) | what))
    return units


def names_of_objects(unit: Unit) -> list[str]:
    """Name what a unit has to account for: its objects."""
    return [_name(object_id) for object_id in unit.arguments["objects"]]


def _name(object_id: int) -> str:
    return f"object {object_id}"


def search_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Search the light curves of objects, and store what came of each, some at a time as they end."""
    given: dict[str, Any] = dict(unit.arguments)
    if not given["wanted"]:
        _forget(run, given)
        return
    with session.reading() as connection:
        rows = connection.execute(sa.text(statements.REFINEMENT_RUNS), given)
        given["refinement_run"] = {row.object_id: row.load_run_id for row in rows}
    ready: list[Ended] = []
    done, stored_at = given["n_before"], time.monotonic()
    progress(f"{TASK} {unit.name}", done, given["n_in_all"])
    for one in _searched(given):
        if one is not None:
            ready.append(one)
            done += 1
        if ready and (len(ready) >= STORED or time.monotonic() - stored_at > STORED_AFTER):
            _store(run, given, ready)
            ready, stored_at = [], time.monotonic()
        progress(f"{TASK} {unit.name}", done, given["n_in_all"])
    if ready:
        _store(run, given, ready)


def _searched(given: Mapping[str, Any]) -> Iterator[Ended | None]:
    """Each object with what was found of it, in the order in which they end; None while that takes long."""
    look = partial(look_at, xallarap=given["xallarap"])
    workers = min(settings().workers, len(given["objects"]))
    yield from each_ended(workers, "loaders.microlensing.find", look, _sky_curves(given))


def _sky_curves(given: Mapping[str, Any]) -> Iterator[SkyCurve]:
    """The light curves of objects, also those without a point, read some at a time."""
    objects = given["objects"]
    for begin in range(0, len(objects), STORED):
        yield from read_sky_curves(objects[begin : begin + STORED], given)


def read_sky_curves(objects: list[int], given: Mapping[str, Any]) -> list[SkyCurve]:
    """The light curves of objects, the refined ones where there are some.

    Parameters
    ----------
    objects
        Identifiers; those without a point have no bands.
    given
        ``season`` whose motions count, ``photometry_kind``, and days ``from_mjd`` to ``to_mjd``.
    """
    with session.reading() as connection:
        places = connection.execute(sa.text(statements.PLACES), {"objects": objects}).all()
    movers = _movers(objects, given)
    days = (given["from_mjd"], given["to_mjd"])
    refined: dict[int, dict[str, StoredCurve]] = {}
    for curve in read_curves(objects, REFINED, *days):
        refined.setdefault(curve.object_id, {})[curve.optical_element] = curve
    curves = read_curves(objects, given["photometry_kind"], *days)
    bands = {
        object_id: [_band(curve) for curve in preferred(list(several), refined.get(object_id, {}))]
        for object_id, several in groupby(curves, key=lambda curve: curve.object_id)
    }
    return [
        SkyCurve(row.object_id, row.ra, row.dec, bands.get(row.object_id, []), movers.get(row.object_id, []))
        for row in places
    ]


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


def _store(run: LoadRun, given: Mapping[str, Any], ended: Sequence[Ended]) -> None:
    """Store what came of objects; candidates that were there keep their identifiers.

    Of an object whose search failed nothing changes but that it is said.
    """
    searched = [one for one in ended if one.error is None]
    values: dict[str, Any] = {name: given[name] for name in ("season", "photometry_kind")}
    values |= {"load_run_id": run.load_run_id, "objects": [one.item.object_id for one in searched]}
    before: dict[int, list[sa.Row[Any]]] = {}
    with session.transaction() as connection:
        for row in connection.execute(sa.text(statements.BEFORE), values):
            before.setdefault(row.object_id, []).append(row)
        for found in (found for one in searched for found in one.result):
            event_id = _store_event(connection, run, given, found, before.get(found.object_id, []))
            store_models(connection, run, event_id, found.models)
        connection.execute(sa.text(statements.LOST), values)
        values["refinement_run"] = given["refinement_run"]
        _store_outcomes(connection, values, {one.item.object_id: _outcome(one) for one in ended})
        run.count(connection, loaded=len(searched))
        for one in ended:
            if one.error is not None:
                run.reject(connection, _failure(one.item.object_id, one.error))


def _outcome(one: Ended) -> tuple[str, int | None]:
    """What the search of an object came to, and how many points were searched."""
    n_point = sum(len(band) for band in one.item.bands)
    if one.error is not None:
        return "fit_failed", n_point
    if not n_point:
        return "no_points", None
    return "candidate" if one.result else "nothing", n_point


def _failure(object_id: int, error: Exception) -> Rejected:
    """Why an object could not be searched."""
    if isinstance(error, WorkerDied):
        return Rejected(_name(object_id), str(error), WorkerDied.remedy, WorkerDied.code)
    rejected = unexpected(_name(object_id), error)
    rejected.remedy = "Report it with the log; all other objects are searched"
    return rejected


def _store_outcomes(
    connection: sa.Connection, values: Mapping[str, Any], outcomes: Mapping[int, tuple[str, int | None]]
) -> None:
    """Store what the search of each object came to, of how many points, and how newly refined they are."""
    n = len(outcomes)
    refined = [values["refinement_run"].get(object_id) for object_id in outcomes]
    columns = {name: [values[name]] * n for name in ("season", "photometry_kind", "load_run_id")}
    outcome, n_point = zip(*outcomes.values(), strict=True)
    mine = {"object_id": list(outcomes), "outcome": list(outcome), "n_point": list(n_point)}
    mine["refinement_run_id"] = refined
    upsert_rows(connection, "roman.event_search", mine | columns)


def _forget(run: LoadRun, given: Mapping[str, Any]) -> None:
    """Events of objects that do not vary enough any more are gone; their models stay as history."""
    values = dict(given) | {"load_run_id": run.load_run_id, "refinement_run": {}}
    with session.transaction() as connection:
        connection.execute(sa.text(statements.LOST), values)
        _store_outcomes(connection, values, dict.fromkeys(given["objects"], ("constant", None)))
        run.count(connection, loaded=len(given["objects"]))


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


def store_models(
    connection: sa.Connection,
    run: LoadRun,
    event_id: int,
    fitted: Sequence[FittedModel],
    up_to_season: int | None = None,
) -> None:
    """Store the models of an event, the first one first; those that there were are superseded.

    ``up_to_season`` is given where light curves of more than the season of the event were fitted.
    """
    models = table("roman.event_model")
    mine = (models.c.event_id == event_id, models.c.superseded_at.is_(None))
    connection.execute(models.update().where(*mine).values(superseded_at=sa.func.now()))
    stored: list[int] = []
    for rank, (model, twin) in enumerate(zip(fitted, twins_among(fitted), strict=True), 1):
        row = model.columns() | {"event_id": event_id, "rank": rank, "load_run_id": run.load_run_id}
        row |= {"up_to_season": up_to_season}
        if twin is not None:
            row |= {"twin_of": stored[twin.of], "degeneracy": twin.degeneracy}
        identifier = connection.execute(models.insert().returning(models.c.event_model_id), row).scalar_one()
        stored.append(int(identifier))
        key: dict[str, Any] = {"event_model_id": stored[-1]}
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
        newest = connection.execute(sa.text(statements.NEWEST_EVENT), given).scalar_one()
        done = done_since(connection, [SHARED_TASK], newest)
        done &= done_after(connection, SHARED_TASK, [TASK], given)
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
    """Say how many events a season has, why how many candidates were refused, and what was not searched."""
    values: dict[str, Any] = {"season": season, "photometry_kind": photometry_kind}
    with session.reading() as connection:
        rows = connection.execute(sa.text(statements.SUMMARY), values).all()
        since = {"newest": newest_description(connection, values), "redo": False}
        left = connection.execute(sa.text(statements.LEFT), values | _THRESHOLDS | since).one()
    kept = [f"{row.n:,} {row.classification}" for row in rows if row.is_event]
    refused = [f"{row.n:,} {row.classification}" for row in rows if not row.is_event]
    yield f"Events: {', '.join(kept) or 'none'}; refused: {', '.join(refused) or 'none'}."
    if left.n:
        yield f"Not searched: {left.n:,} objects, of which the search of {left.n_failed:,} failed."
