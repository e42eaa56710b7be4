"""Relative proper motions in the database: events read with where their light was, rows stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.astrometric_solution.load import ORDER, read_points, read_sky
from loaders.astrometry.load import StoredExposure
from loaders.astrometry.stars import julian_year
from loaders.light_curve.block import NONE
from loaders.photometry.load import EVERY_DAY
from loaders.refined_photometry.load import (
    CutElement,
    SceneLot,
    Step,
    cut_element,
    exposures_by_element,
    scene_stars,
)
from loaders.refined_photometry.options import RefineOptions
from loaders.relative_motion.event import EventLight, ExposureFacts, chromatic_of_event, unmeasurable
from loaders.relative_motion.late import (
    ElongationJob,
    SeasonExposures,
    Shown,
    elongation_job,
    late_seasons,
    no_elongation,
)
from loaders.relative_motion.outcome import CHROMATIC_SHIFT, ELONGATION, RelativeMotion
from loaders.relative_motion.pair_fit import ElongationOptions
from loaders.stored_curve.preferred import REFINED
from loaders.variability.load import season_days
from loaders.wfi.times import MJD_ZERO
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.parallel import side_by_side
from roman_db.schema.metadata import table
from roman_db.settings import settings

#: Name of the task, and events in a unit.
TASK, RANGE = "relative_motion", 200

#: The same of the task that looks at late images: it keeps the pixels of all events of a unit.
ELONGATION_TASK, ELONGATION_RANGE = "elongation", 50

_SCENE = RefineOptions(radius=ElongationOptions().radius)
"""How far scenes reach."""

_EVER = -1_000_000
"""A day before all exposures."""

_TERMS = ("shift_ra", "shift_dec", "ra_by_east", "dec_by_east", "ra_by_north", "dec_by_north")

_SUPERSEDE = """
UPDATE roman.relative_proper_motion SET superseded_at = now()
WHERE superseded_at IS NULL AND season = CAST(:season AS smallint) AND method = CAST(:method AS text)
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
    rows = _events(given["events"])
    found = []
    for done, row in enumerate(rows):
        progress(unit.name, done, len(rows))
        found.append(_chromatic(row, given))
    _store(run, given, rows, found, CHROMATIC_SHIFT)


def _events(events: Sequence[int]) -> Sequence[sa.Row[Any]]:
    """Events that are kept, with their models."""
    with session.reading() as connection:
        query = sqlfile.find("jobs", "relative_motion_event")
        return sqlfile.run(connection, query, {"event_id": _array(events)}).all()


def _store(
    run: LoadRun,
    given: Mapping[str, Any],
    rows: Sequence[sa.Row[Any]],
    found: Sequence[RelativeMotion],
    method: str,
    n_read: int = 1,
) -> None:
    """Store rows in place of those of the same method; ``n_read`` units of input were read."""
    values = [_columns(row, one, given, run) for row, one in zip(rows, found, strict=True)]
    with session.transaction() as connection:
        which = {name: given[name] for name in ("season", "events")} | {"method": method}
        connection.execute(sa.text(_SUPERSEDE), which)
        if values:
            connection.execute(table("roman.relative_proper_motion").insert(), values)
        run.count(connection, loaded=n_read)


def pending_elongations(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the events up to a season whose late images were not looked at, with the exposures that count.

    Arguments: ``survey, season`` (0: events of all light curves together), ``photometry_kind, redo``.
    """
    given = {name: arguments[name] for name in ("survey", "season", "photometry_kind")}
    _, last = season_days(arguments["survey"], arguments["season"])
    kind = EVERY_DAY if given["photometry_kind"] == REFINED else given["photometry_kind"]
    asked = {name: arguments[name] for name in ("season", "photometry_kind", "redo")}
    with session.reading() as connection:
        query, more = sqlfile.find("jobs", "elongation_due"), {"shown_kind": kind, "to_mjd": last}
        events = sqlfile.run(connection, query, asked | more).all()
    which = f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}"
    units = []
    for begin in range(0, len(events), ELONGATION_RANGE):
        some = events[begin : begin + ELONGATION_RANGE]
        numbers = [row.event_id for row in some]
        seen = [row.event_id for row in some if row.places]
        more = {"events": numbers, "seen": seen, "parts": _parts(some, given["survey"], last)}
        units.append(Unit(f"{which}, late images of {len(some)} events from {numbers[0]}", given | more))
    return units


def _parts(events: Sequence[sa.Row[Any]], survey: str, last: int) -> list[dict[str, Any]]:
    """What is to be read: of a detector the events that it shows, late exposures, and the season of each."""
    light = {row.event_id: _light(row) for row in _events([row.event_id for row in events])}
    wanted = [row for row in events if row.event_id in light and no_elongation(light[row.event_id]) is None]
    places = sorted({(int(field), str(detector)) for row in wanted for field, detector in row.places})
    listed = _exposures_of(places, survey, last)
    parts: dict[tuple[int, str], dict[str, Any]] = {}
    for row in wanted:
        mine = [one for place in row.places for one in listed.get((place[0], place[1]), [])]
        days = {one.season: (one.start_mjd, one.end_mjd) for one in mine}
        late = late_seasons(days, light[row.event_id].t_0, row.ra)
        for one in mine:
            if one.season in late:
                new = {"detector": one.detector, "events": {}, "season": {}}
                part = parts.setdefault((one.field_id, one.detector), new)
                part["events"].setdefault(str(row.event_id), set()).add(one.season)
                part["season"] |= {str(number): one.season for number in one.spread}
    for part in parts.values():
        part["events"] = {event: sorted(seasons) for event, seasons in part["events"].items()}
    return [parts[place] for place in sorted(parts)]


def _exposures_of(
    places: Sequence[tuple[int, str]], survey: str, last: int
) -> dict[tuple[int, str], list[SeasonExposures]]:
    """Exposures of fields and detectors in the seasons up to a day."""
    fields, detectors = _array(one for one, _ in places), "{" + ",".join(one for _, one in places) + "}"
    values = {"survey": survey, "field_id": fields, "detector": detectors, "to_mjd": last}
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "elongation_exposure"), values).all()
    found: dict[tuple[int, str], list[SeasonExposures]] = {}
    for row in rows:
        one = SeasonExposures(**row._asdict())
        found.setdefault((one.field_id, one.detector), []).append(one)
    return found


def inputs_of_elongation(unit: Unit) -> list[str]:
    """Name what a unit has to account for: itself, and the exposures of each detector."""
    return [unit.name, *(f"exposure {one}" for part in unit.arguments["parts"] for one in part["season"])]


def elongation_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Fit two PSFs to the late images of some events, and store rows in place of those that there are."""
    given: dict[str, Any] = dict(unit.arguments)
    rows = _events(given["events"])
    looks = {
        row.event_id: _Look(row.object_id, _light(row), is_seen=row.event_id in given["seen"]) for row in rows
    }
    total, done, n_read = sum(len(part["season"]) for part in given["parts"]), 0, 0
    for part in given["parts"]:
        with session.reading() as connection:
            elements = exposures_by_element(connection, [int(one) for one in part["season"]])
        for element, exposures in elements.items():
            step = Step(progress, unit.name, done, total)
            cut = _look(looks, (element, exposures), part, given, run, step)
            done, n_read = done + len(exposures), n_read + len(cut.exposures)
    jobs = [look.job() for look in looks.values()]
    found = []
    with side_by_side(min(settings().workers, len(jobs)), "loaders.relative_motion.late") as mapped:
        for one in mapped(elongation_job, jobs):
            found.append(one)
            progress(f"{unit.name}, fits", len(found), len(jobs))
    _store(run, given, rows, found, ELONGATION, 1 + n_read)


@dataclass
class _Look:
    """What the images of an event showed so far; see `ElongationJob`."""

    object_id: int
    event: EventLight
    shown: list[Shown] = field(default_factory=list)
    n_refused: int = 0
    n_without: int = 0
    is_seen: bool = False
    has_late: bool = False

    def job(self) -> ElongationJob:
        """What is left to do."""
        reason = no_elongation(self.event)
        if reason is None and not self.has_late:
            reason = "first_season" if self.is_seen else "few_epochs"
        return ElongationJob(self.event, self.shown, reason, self.n_refused, self.n_without)


def _look(
    looks: Mapping[int, _Look],
    images: tuple[str, Sequence[StoredExposure]],
    part: Mapping[str, Any],
    given: Mapping[str, Any],
    run: LoadRun,
    step: Step,
) -> CutElement:
    """Cut the events of a detector out of exposures of an element, and keep what each has of its seasons."""
    seasons = {int(event): several for event, several in part["events"].items() if int(event) in looks}
    mine, (element, exposures) = [looks[event] for event in seasons], images
    lot = SceneLot(part["detector"], [look.object_id for look in mine], _SCENE)
    cut = cut_element(element, exposures, lot, run, step)
    of = np.array([part["season"][str(one.exposure_id)] for one in cut.exposures], np.int64)
    lost = {one.exposure_id for one in exposures} - {one.exposure_id for one in cut.exposures}
    for k, (look, several) in enumerate(zip(mine, seasons.values(), strict=True)):
        look.has_late = True
        look.n_refused += sum(part["season"][str(one)] in several for one in lost)
        scene, cutouts, at = cut.scenes[k], cut.cutouts[k], cut.epochs[k]
        if scene is None or cutouts is None:
            continue
        has_psf = np.array(cut.psf_model_id)[at] != NONE
        look.n_without += int((~has_psf & np.isin(of[at], several)).sum())
        mjd = np.array([cut.exposures[e].midpoint_mjd_tdb for e in at])
        with session.reading() as connection:
            stars = scene_stars(connection, scene, given, julian_year(float(mjd.mean())))
        for season in several:
            chosen = np.flatnonzero(has_psf & (of[at] == season))
            if chosen.size:
                look.shown.append(Shown(season, element, cutouts.take(chosen), stars, mjd[chosen]))
    return cut


def _array(numbers: Iterable[int]) -> str:
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
