"""Events over several seasons in the database: linked with the first one, and their models fitted again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from loaders.microlensing.find import fit_again
from loaders.microlensing.load import SHARED_TASK, read_sky_curves, store_models
from loaders.microlensing.load import TASK as EVENTS_TASK
from loaders.microlensing.search import Candidate
from loaders.rejection import Rejected
from loaders.stored_curve.preferred import REFINED
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit, done_after, done_since
from roman_db.load_run import LoadRun

#: Names of the tasks.
LINK_TASK, REFIT_TASK = "same_events", "refit_events"

#: Effective time scales, and Einstein times known to a third, within which brightenings of a star are one.
SAME: dict[str, Any] = {"effective": 2.0, "einstein": 3.0, "certain": 1 / 3}

_EVER = -1_000_000
"""A day before all exposures."""

_NEWEST = "SELECT coalesce(max(load_run_id), 0) FROM roman.event WHERE photometry_kind = :photometry_kind"

_CLASSIFY = """
UPDATE roman.event SET classification = CAST(:classification AS text)
WHERE event_id = CAST(:event_id AS bigint)
"""

_SUMMARY = """
SELECT count(DISTINCT e.event_id) FILTER (WHERE e.same_as_event_id IS NOT NULL) AS n_linked,
       count(DISTINCT e.event_id) FILTER (WHERE m.up_to_season IS NOT NULL) AS n_refitted
FROM roman.event AS e
LEFT JOIN roman.event_model AS m ON m.event_id = e.event_id AND m.rank = 1 AND m.superseded_at IS NULL
WHERE e.is_event AND e.photometry_kind = :photometry_kind
  AND (CAST(:season AS smallint) = 0 OR e.season BETWEEN 1 AND CAST(:season AS smallint))
"""


def pending_links(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the events of a kind of light curves, of all seasons, if any changed since they were linked.

    Arguments: ``photometry_kind, redo``.
    """
    given = {"photometry_kind": arguments["photometry_kind"]}
    with session.reading() as connection:
        newest = connection.execute(sa.text(_NEWEST), given).scalar_one()
        done = done_since(connection, [LINK_TASK], newest)
        done &= done_after(connection, LINK_TASK, [EVENTS_TASK, SHARED_TASK], given)
    unit = Unit(f"events of all seasons, {given['photometry_kind']}", given)
    return [unit] if newest and (arguments["redo"] or unit.name not in done) else []


def link_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Say which events of several seasons are the same brightening of a star."""
    progress(unit.name, 0, 1)
    with session.transaction() as connection:
        sqlfile.run(connection, sqlfile.find("jobs", "same_events"), dict(unit.arguments) | SAME)
        run.count(connection, loaded=1)


def pending_refits(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the events up to a season that have light curves of other seasons which their models do not know.

    Arguments: ``survey, season, photometry_kind, redo``, and ``xallarap`` (false). None of season 0: its
    events are found in all light curves.
    """
    given = {name: arguments[name] for name in ("survey", "season", "photometry_kind", "redo")}
    if not given["season"]:
        return []
    with session.reading() as connection:
        query = sqlfile.find("jobs", "refit_due")
        rows = sqlfile.run(connection, query, given | {"refined_kind": REFINED}).all()
        done = done_since(connection, [REFIT_TASK], 0)
    more = {"photometry_kind": given["photometry_kind"], "xallarap": bool(arguments.get("xallarap", False))}
    units = [Unit(_name(row), row._asdict() | more | {"from_mjd": _EVER}) for row in rows]
    return [unit for unit in units if given["redo"] or unit.name not in done]


def _name(row: sa.Row[Any]) -> str:
    """Name of the fit of an event: another one if its light curves, or the models it has, became others."""
    return f"event {row.event_id} up to season {row.up_to_season}, as of run {row.newest_run}"


def refit_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Fit the models of an event to the light curves of all seasons; those that it had stay as history.

    A fit that comes to no numbers is rejected, leaves the event as it was, and is not tried again with the
    same light curves.
    """
    progress(unit.name, 0, 1)
    given = dict(unit.arguments)
    candidate = Candidate(given["t_0_guess"], given["t_eff"], given["search_gain"], given["search_shape"])
    curves = read_sky_curves([given["object_id"]], given)
    fits = [fit_again(curve, candidate, xallarap=given["xallarap"]) for curve in curves]
    with session.transaction() as connection:
        found = next((one for one in fits if one.models), None)
        if found is None:
            run.reject(connection, _failed(unit))
            return
        store_models(connection, run, given["event_id"], found.models, given["up_to_season"])
        said = {"event_id": given["event_id"], "classification": found.verdict.reason}
        connection.execute(sa.text(_CLASSIFY), said)
        run.count(connection, loaded=1)


def _failed(unit: Unit) -> Rejected:
    """What is said of a fit that came to no numbers."""
    what = "the fit to the light curves of all seasons comes to no numbers; the models of its season stay"
    remedy = (
        "See its light curve (roman-db lightcurve --id {object_id}); it is fitted again when that changes"
    )
    return Rejected(unit.name, what, remedy.format(**unit.arguments), "refit_failed")


def summary_of_histories(season: int, photometry_kind: str) -> Iterator[str]:
    """Say how many events up to a season were found before, and how many have models of several seasons."""
    with session.reading() as connection:
        row = connection.execute(
            sa.text(_SUMMARY), {"season": season, "photometry_kind": photometry_kind}
        ).one()
    if row.n_linked or row.n_refitted:
        yield (
            f"Histories: {row.n_linked:,} events are the same as one of another season; models of "
            f"{row.n_refitted:,} are of all light curves so far."
        )
