"""Events in images in the database: which are chosen, what exposures show of them, what the search finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from loaders.astrometry.load import StoredExposure, read_exposures, read_stars
from loaders.event_efficiency.draw import PLANET, Setup
from loaders.event_efficiency.load import (
    injection_key,
    injection_names,
    read_places,
    read_points,
    read_rules,
    uncounted,
)
from loaders.event_efficiency.points import Points
from loaders.event_efficiency.rows import Tried, columns_of, truth_of
from loaders.event_efficiency.trial import Trial
from loaders.event_images import statements
from loaders.event_images.found import ImageTrial, attempt_images
from loaders.event_images.light import event_light
from loaders.event_images.measure import WITH, WITHOUT, EventMeasurement, Scene, measure_events, unmeasured
from loaders.event_images.points import ImagePoints, remeasured
from loaders.photometry.options import FitOptions
from loaders.psf.load import psf_for
from loaders.rejection import Rejected, unexpected
from loaders.variability.load import season_days
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit, done_since
from roman_db.load_run import LoadRun
from roman_db.parallel import side_by_side
from roman_db.schema.metadata import table
from roman_db.settings import settings

FloatArray = npt.NDArray[np.float64]

#: Names of the tasks.
TASK, SEARCH_TASK = "event_images", "event_image_search"

#: Events that go into exposures together, and that are searched in a unit.
BATCH, RANGE = 1_000, 50

#: Light curves of a trial, whose second one is the untouched one.
_UNTOUCHED = 1


_GIVEN = ("survey", "season", "photometry_kind", "seed", "detector")


def image_names(arguments: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Names of the injections into images that are asked for, and of those whose events they have, by kind.

    Arguments: as of `loaders.event_efficiency.load.pending_injections`, and ``detector`` (None: all).
    """
    where = f" of {arguments['detector']}" if arguments["detector"] else ""
    return {kind: (f"{name}, in images{where}", name) for kind, name in injection_names(arguments).items()}


def pending_images(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the days of each detector whose exposures the events are to be put into.

    Done is what was done since the events were searched in light curves. Arguments as of `image_names`;
    ``numbers`` says how many events, the first ones of an injection into light curves, go into images.

    Raises
    ------
    Rejected
        Code ``no_events_injected``, if no event was injected into light curves.
    """
    units = []
    with session.reading() as connection:
        for given, events in _batches(connection, arguments):
            objects = {"objects": sorted({event["object_id"] for event in events})}
            rows = connection.execute(sa.text(statements.EXPOSURES), given | objects).all()
            newest = max(event["searched_by"] for event in events)
            done = set() if arguments["redo"] else done_since(connection, [TASK], newest)
            some = [Unit(_day_name(given, row), given | row._asdict()) for row in rows]
            units += [unit for unit in some if unit.name not in done]
    return units


def _day_name(given: Mapping[str, Any], row: sa.Row[Any]) -> str:
    which = f"{row.field} {row.detector} {row.optical_element} {row.day_mjd}"
    return f"{given['name']}, {_range_name(given)}, {which}"


def _range_name(given: Mapping[str, Any]) -> str:
    return f"events {given['first']} to {given['last']} ({given['number']})"


def _batches(
    connection: sa.Connection, arguments: Mapping[str, Any], size: int = BATCH
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The events that are asked for, so many at a time, and what says which they are."""
    first, last = season_days(arguments["survey"], arguments["season"])
    for kind, (name, reference) in image_names(arguments).items():
        given = {one: arguments[one] for one in _GIVEN} | {"from_mjd": first, "to_mjd": last}
        given |= {"name": name, "kind": kind, "modelled": bool(arguments["modelled"]) or kind == PLANET}
        given |= {"reference": _reference(connection, reference, arguments), "first": 0, "last": 2**62}
        events = _read_events(connection, given | {"number": arguments["numbers"][kind]})
        for begin in range(0, len(events), size):
            some = events[begin : begin + size]
            ends = {"first": some[0]["injected_event_id"], "last": some[-1]["injected_event_id"]}
            yield given | ends | {"number": len(some)}, some


def _reference(connection: sa.Connection, name: str, arguments: Mapping[str, Any]) -> int:
    """Identifier of an injection into light curves."""
    row = connection.execute(sa.text(statements.REFERENCE), {"name": name}).one_or_none()
    if row is None:
        what = "no such events were injected into light curves, which those in images are compared with"
        season = f" --season {arguments['season']}" if arguments["season"] else ""
        remedy = f"Do it first: roman-db run event-efficiency{season} --seed {arguments['seed']}"
        raise Rejected(name, what, remedy, "no_events_injected")
    return int(row.injection_run_id)


def _read_events(connection: sa.Connection, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of events, by number."""
    return [row._asdict() for row in connection.execute(sa.text(statements.EVENTS), dict(given))]


def image_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Put events into the exposures of a day, measure their stars, and store the points."""
    given: dict[str, Any] = dict(unit.arguments)
    with session.reading() as connection:
        events = _read_events(connection, given)
        exposures = read_exposures(connection, given["exposure_id"])
    scene, light = _scene(given, events, exposures)
    measured: list[EventMeasurement] = []
    refused: list[Rejected] = []
    for done, (exposure, outcome) in enumerate(_measure_all(exposures, light, scene), 1):
        if isinstance(outcome, Rejected):
            refused.append(outcome)
            measured.append(unmeasured(exposure.exposure_id, len(events)))
        else:
            measured.append(outcome)
        progress(unit.name, done, len(exposures))
    with session.transaction() as connection:
        _store_points(connection, run, given, events, measured)
        for one in refused:
            run.reject(connection, one)
        run.count(connection, loaded=len(exposures) - len(refused))


def _scene(
    given: Mapping[str, Any], events: Sequence[Mapping[str, Any]], exposures: Sequence[StoredExposure]
) -> tuple[Scene, FloatArray]:
    """What the exposures of a day share, and the light of events in them, shape (n_event, n_exposure)."""
    element, objects = given["optical_element"], [event["object_id"] for event in events]
    stars = read_stars(element, exposures)
    with session.reading() as connection:
        psf = psf_for(connection, given["detector"], element, given["day_mjd"] + 0.5).psf
        place = read_places(connection, objects)
        rows = connection.execute(sa.text(statements.MEANS), dict(given) | {"objects": objects})
        mean = {row.object_id: row.mean_flux for row in rows}
    ra, dec = np.array([place[one] for one in objects]).T
    flux = np.array([max(mean.get(event["object_id"], 0.0), 0.0) for event in events])
    flux *= np.array([event["source_fraction"] for event in events])
    bjd = np.array([exposure.midpoint_bjd_tdb for exposure in exposures])
    light = event_light([truth_of(event) for event in events], flux, (ra, dec), bjd, element)
    wanted = np.array(objects)
    at = np.minimum(np.searchsorted(stars.object_id, wanted), stars.object_id.size - 1)
    row_of = np.where(stars.object_id[at] == wanted, at, -1)
    return Scene(stars, psf, FitOptions(threads=1), row_of, ra, dec, given["seed"]), light


_scene_here: Scene | None = None


def _measure_all(
    exposures: Sequence[StoredExposure], light: FloatArray, scene: Scene
) -> Iterator[tuple[StoredExposure, EventMeasurement | Rejected]]:
    """Measure the exposures side by side, in order of time."""
    workers = min(settings().workers, len(exposures))
    with side_by_side(workers, __name__, _set_scene, (scene,)) as of_each:
        yield from zip(exposures, of_each(_measure, exposures, light.T), strict=True)


def _set_scene(scene: Scene) -> None:
    """Keep what the exposures share in this process."""
    global _scene_here
    _scene_here = scene


def _measure(exposure: StoredExposure, light: FloatArray) -> EventMeasurement | Rejected:
    """Measure one exposure, or say why it can't be."""
    assert _scene_here is not None
    try:
        exposure.file.require_unchanged()
        return measure_events(exposure.path, exposure.exposure_id, light, _scene_here)
    except Rejected as rejected:
        return rejected
    except Exception as error:  # noqa: BLE001 - a fault of ours costs this exposure, not its day
        return unexpected(exposure.path, error)


def _store_points(
    connection: sa.Connection,
    run: LoadRun,
    given: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    measured: Sequence[EventMeasurement],
) -> None:
    """Store the points of a day in place of what there was of them."""
    key = {name: given[name] for name in ("optical_element", "field_id", "detector", "day_mjd")}
    key |= {"injection_run_id": _key(connection, run, given)}
    ids = [event["injected_event_id"] for event in events]
    ids += [one + _UNTOUCHED for one in ids]
    rows = table("roman.injected_event_segment")
    mine = [rows.c[name] == value for name, value in key.items()]
    connection.execute(rows.delete().where(*mine, rows.c.injected_event_id == sa.func.any(ids)))
    names = ("flux", "flux_err", "flags")
    # By event, with before without; of what is untouched nothing is lit.
    arrays = {name: np.stack([getattr(one, name) for one in measured], axis=2) for name in names}
    lists = {name: [*arrays[name][WITH], *arrays[name][WITHOUT]] for name in names}
    lit = np.stack([one.light for one in measured], axis=1)
    lists["light"] = [*lit, *np.zeros_like(lit)]
    exposure_id = np.array([one.exposure_id for one in measured])
    constant = {name: [value] * len(ids) for name, value in (key | {"load_run_id": run.load_run_id}).items()}
    columns = {"injected_event_id": ids, "exposure_id": [exposure_id] * len(ids), **lists, **constant}
    copy_rows(connection, "roman.injected_event_segment", columns)


def _key(connection: sa.Connection, run: LoadRun, given: Mapping[str, Any]) -> int:
    """Identifier of the injection into images."""
    return injection_key(connection, run, given, "images", reference_injection_run_id=int(given["reference"]))


def pending_searches(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the events to search: none before all exposures are done, as light curves would lack points."""
    if pending_images(dict(arguments) | {"redo": False}):
        return []
    units = []
    with session.reading() as connection:
        for given, events in _batches(connection, arguments, RANGE):
            newest = max(event["searched_by"] for event in events)
            names = {"name": given["name"]}
            measured = connection.execute(sa.text(statements.MEASURED), given | names).scalar_one()
            done = (
                set() if arguments["redo"] else done_since(connection, [SEARCH_TASK], max(newest, measured))
            )
            name = f"{given['name']}, search of {_range_name(given)}"
            units += [] if name in done else [Unit(name, given)]
    return units


def search_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Search the light curves that images gave, with events and without, and store what was found."""
    given: dict[str, Any] = dict(unit.arguments)
    with session.transaction() as connection:
        key = _key(connection, run, given)
    with session.reading() as connection:
        events = _read_events(connection, given)
        trials = _trials(connection, given, events, key)
    tried: list[Tried] = []
    workers = min(settings().workers, len(trials))
    with side_by_side(workers, "loaders.event_images.found") as of_each:
        several = zip(events, trials, of_each(attempt_images, trials), strict=True)
        for done, (event, trial, attempts) in enumerate(several, 1):
            tried.append(Tried(trial.without.number, event["object_id"], event["field_id"], attempts))
            progress(unit.name, done, len(trials))
    with session.transaction() as connection:
        _store_found(connection, run, given | {"injection_run_id": key}, tried)
        run.count(connection, loaded=1)


def _trials(
    connection: sa.Connection, given: Mapping[str, Any], events: Sequence[Mapping[str, Any]], key: int
) -> list[ImageTrial]:
    """What is searched of each event."""
    objects = sorted({event["object_id"] for event in events})
    place, rules = read_places(connection, objects), read_rules(connection, given)
    stored = dict(read_points(objects, given))
    ids = [event["injected_event_id"] for event in events]
    values = {"injection_run_id": key, "ids": [*ids, *(one + _UNTOUCHED for one in ids)]}
    rows = connection.execute(sa.text(statements.SEGMENTS), values).mappings()
    points = {
        which: ImagePoints.of_rows([dict(row) for row in some])
        for which, some in groupby(rows, key=lambda row: (row["injected_event_id"], row["optical_element"]))
    }

    def curves(event: Mapping[str, Any], shift: int) -> list[Points]:
        number = event["injected_event_id"] + shift
        return [
            remeasured(one, exposure, points.get((number, one.name)))
            for one, exposure in stored.get(event["object_id"], [])
        ]

    trials = []
    for event in events:
        setup = Setup(event["kind"], given["seed"], 1)
        number, star = event["injected_event_id"] // 4, event["object_id"]
        untouched = curves(event, _UNTOUCHED)
        without = Trial(number, star, place[star], untouched, setup, rules, event["is_first"])
        trials.append(ImageTrial(without, curves(event, 0), truth_of(event)))
    return trials


def _store_found(
    connection: sa.Connection, run: LoadRun, given: Mapping[str, Any], tried: Sequence[Tried]
) -> None:
    """Store what was found of some events in place of what there was of them."""
    names = ("season", "photometry_kind", "injection_run_id")
    constant = {name: given[name] for name in names} | {"load_run_id": run.load_run_id}
    for name, columns in columns_of(tried, constant).items():
        rows = table(f"roman.{name}")
        mine = rows.c.injected_event_id == sa.func.any(columns["injected_event_id"])
        connection.execute(rows.delete().where(rows.c.injection_run_id == given["injection_run_id"], mine))
        copy_rows(connection, f"roman.{name}", columns)


def pending_image_counts(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the injections into images whose searches are newer than the cells that count them."""
    return uncounted([name for name, _ in image_names(arguments).values()])


def summary_of_images(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Say of each injection what was found in images and in light curves."""
    names = {"names": [name for name, _ in image_names(arguments).values()]}
    with session.reading() as connection:
        rows = connection.execute(sa.text(statements.FOUND_BOTH), names).all()
    for row in rows:
        yield (
            f"{row.name}: {row.n_event:,} events, {row.tp_count_images:,} found in images, "
            f"{row.tp_count_lightcurve:,} in light curves, {row.n_both:,} in both."
        )
        if row.n_event:
            share, error = 100 * row.completeness_difference, 100 * row.completeness_difference_err
            yield f"  Images less light curves: {share:+.1f} ± {error:.1f} % of completeness."
        yield (
            f"  Without an event: {row.fp_count_images:,} of {row.n_untouched:,} found in images, "
            f"{row.fp_count_lightcurve:,} in light curves."
        )


def read_pairs(season: int, photometry_kind: str) -> list[dict[str, Any]]:
    """Events at both levels, as the example ``event_media`` gives them.

    Raises
    ------
    Rejected
        Code ``no_event_images``, if there is none.
    """
    values = {"season": season, "photometry_kind": photometry_kind}
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("examples", "event_media"), values).all()
    if not rows:
        what = f"no events were put into the images of {photometry_kind} light curves"
        remedy = "Do it: roman-db run event-images"
        raise Rejected(f"season {season or 'all'}", what, remedy, "no_event_images")
    return [row._asdict() for row in rows]
