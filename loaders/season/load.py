"""A season in the database: which exposures are done before, what is injected, and the quality of it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from loaders.event_efficiency.draw import PLANET, POINT_LENS
from loaders.event_efficiency.load import injection_names, summary_of_efficiency
from loaders.event_efficiency.trial import REFERENCE
from loaders.event_images.load import summary_of_images as summary_of_media
from loaders.photometry.load import DIFFERENCE, EVERY_DAY, pending_units
from loaders.rejection import Rejected
from loaders.season.limits import MOST_INJECTIONS, OBJECTS_AN_INJECTION
from loaders.season_report.load import QUALITY_TASK
from loaders.variability.load import newest_description, season_days
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit, done_since
from roman_db.load_run import LoadRun
from roman_db.quality import Metric, store_metrics

#: What lists the units of a task.
Lister = Callable[[Mapping[str, Any]], Sequence[Unit]]

_EXPOSURES = """
SELECT count(*) FROM roman.exposure
WHERE day_mjd >= CAST(:first AS integer) AND day_mjd < CAST(:last AS integer)
"""

#: When anything changed of which the quality is measured.
_NEWEST = """
SELECT greatest(
    (SELECT max(load_run_id) FROM roman.event
     WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind),
    (SELECT max(p.load_run_id) FROM roman.event_physical AS p
     JOIN roman.event_model AS m USING (event_model_id) JOIN roman.event AS e USING (event_id)
     WHERE e.season = CAST(:season AS smallint) AND e.photometry_kind = :photometry_kind),
    (SELECT max(i.load_run_id) FROM roman.injected_event AS i
     WHERE i.season = CAST(:season AS smallint) AND i.photometry_kind = :photometry_kind),
    (SELECT max(load_run_id) FROM roman.astrometric_solution
     WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind),
    (SELECT max(load_run_id) FROM roman.extinction))
"""

#: Objects that may have an event injected, as many as matter.
_DESCRIBED = """
SELECT count(*) FROM (
    SELECT FROM roman.variability
    WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
      AND optical_element = :element
    LIMIT CAST(:most AS bigint)
) AS described
"""

#: The detector with most stars that have an event; one in whose images they are comes first.
_DETECTOR = """
SELECT b.detector
FROM roman.injected_event AS e
JOIN roman.injection_run AS i USING (injection_run_id)
JOIN roman.light_curve_summary AS s ON s.object_id = e.object_id
JOIN roman.light_curve_block AS b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
WHERE i.name = :name AND e.kind = 'point_lens' AND b.superseded_at IS NULL
  AND b.photometry_kind = :photometry_kind
  AND s.start_mjd >= CAST(:first AS integer) AND s.start_mjd < CAST(:last AS integer)
  AND EXISTS (SELECT FROM roman.exposure AS x WHERE x.exposure_id = b.exposure_id[1])
GROUP BY b.detector
ORDER BY EXISTS (
    SELECT FROM roman.injection_run AS j WHERE j.name = CAST(:name AS text) || ', in images of ' || b.detector
) DESC, count(DISTINCT e.object_id) DESC, b.detector
LIMIT 1
"""

#: Seed of the injections of a season: that of run event-efficiency, which adds to them.
_SEED = 0


def pending_quality(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the season if anything of it changed since its quality was measured.

    Arguments: ``survey, season`` (0: all), ``photometry_kind, redo``. None without described light curves.
    """
    given = {name: arguments[name] for name in ("survey", "season", "photometry_kind")}
    unit = Unit(f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}", given)
    with session.reading() as connection:
        described = newest_description(connection, given)
        newest = max(described, connection.execute(sa.text(_NEWEST), given).scalar_one() or 0)
        done = done_since(connection, [QUALITY_TASK], newest)
    return [unit] if described and (arguments["redo"] or unit.name not in done) else []


def quality_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Measure the quality of a season and store it with the limits in force; it belongs to the run."""
    progress(unit.name, 0, 1)
    values = {name: unit.arguments[name] for name in ("season", "photometry_kind")}
    with session.transaction() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "season_quality"), values).all()
        metrics = [Metric(row.metric, "any", row.value) for row in rows]
        store_metrics(connection, run.load_run_id, metrics)
        run.count(connection, loaded=1)


def exposure_units(listed: Lister, arguments: Mapping[str, Any]) -> list[Unit]:
    """List the units of a task of exposures and references that are of the days of a season.

    Parameters
    ----------
    listed
        The units of the task of all days.
    arguments
        Those of the mode: none are listed if ``images`` is false.
    """
    if not arguments["images"]:
        return []
    first, last = season_days(arguments["survey"], arguments["season"])
    given = _images_of(first, last) | {"survey": arguments["survey"]}
    return [unit for unit in listed(given) if first <= unit.arguments.get("start_mjd", first) < last]


def units_of_images(listed: Lister, arguments: Mapping[str, Any]) -> list[Unit]:
    """List what a task has to do that reads exposures: nothing if ``images`` is false."""
    return list(listed(arguments)) if arguments["images"] else []


def _images_of(first: int, last: int, *, redo: bool = False) -> dict[str, Any]:
    """Arguments of the tasks of the mode ``eight-day`` for some days (MJD, the last not included)."""
    daily = {"first_day": first, "last_day": last - 1, "detector": None, "optical_element": None}
    return daily | {"follow_catalog": True, "unfinished": True, "redo": redo, "photometry_kind": EVERY_DAY}


def once(listed: Lister, arguments: Mapping[str, Any]) -> list[Unit]:
    """List what a task that the run has done once has to do again: what became due since, never all."""
    return list(listed({**arguments, "redo": False}))


def injection_units(listed: Lister, arguments: Mapping[str, Any]) -> list[Unit]:
    """List what a task of efficiency in light curves has to do: nothing where there is no constant star.

    Arguments: ``survey, season, photometry_kind, redo``, ``injections`` (None: as many as `MOST_INJECTIONS`
    says) and ``planet_injections``.
    """
    given = _injections(arguments)
    return _unless(("no_constant_stars",), listed, given) if any(given["numbers"].values()) else []


def image_injection_units(listed: Lister, arguments: Mapping[str, Any]) -> list[Unit]:
    """List what a task has to do with events in images: nothing without images, or without an event in them.

    Arguments: those of `injection_units`, ``images``, and ``image_injections``.
    """
    given = _image_injections(arguments)
    return _unless(("no_events_injected",), listed, given) if given is not None else []


def _unless(codes: Sequence[str], listed: Lister, given: Mapping[str, Any]) -> list[Unit]:
    """What is listed; nothing where it is refused with one of the codes."""
    try:
        return list(listed(given))
    except Rejected as rejected:
        if rejected.code in codes:
            return []
        raise


def _injections(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the tasks of efficiency."""
    given = {name: arguments[name] for name in ("survey", "season", "photometry_kind", "redo")}
    number = arguments["injections"]
    if number is None:
        most = MOST_INJECTIONS * OBJECTS_AN_INJECTION
        with session.reading() as connection:
            which = given | {"element": REFERENCE, "most": most}
            described = connection.execute(sa.text(_DESCRIBED), which).scalar_one()
        number = described // OBJECTS_AN_INJECTION
    numbers = {POINT_LENS: number, PLANET: arguments["planet_injections"]}
    return given | {"numbers": numbers, "seed": _SEED, "modelled": False}


def _image_injections(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """Arguments of the tasks of events in images; None where there is nothing to do."""
    if not (arguments["images"] and arguments["image_injections"]):
        return None
    given = _injections(arguments)
    name = injection_names(given).get(POINT_LENS)
    first, last = season_days(arguments["survey"], arguments["season"])
    which = {"name": name, "photometry_kind": given["photometry_kind"], "first": first, "last": last}
    with session.reading() as connection:
        detector = connection.execute(sa.text(_DETECTOR), which).scalar_one_or_none()
    numbers = {POINT_LENS: arguments["image_injections"], PLANET: 0}
    return None if detector is None else given | {"numbers": numbers, "detector": detector}


def summary_of_injections(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Say how many injected events were found, in light curves and in images."""
    yield from summary_of_efficiency(_injections(arguments))
    given = _image_injections(arguments)
    if given is not None:
        yield from summary_of_media(given)


def astrometry_so_far(listed: Lister, arguments: Mapping[str, Any]) -> list[Unit]:
    """List what a task has to do with the exposures of all seasons up to now: from the second season on."""
    return list(listed(dict(arguments) | {"season": 0})) if arguments["season"] > 1 else []


def adoption_units(listed: Lister, arguments: Mapping[str, Any]) -> list[Unit]:
    """List what is to be adopted: of solutions of all seasons up to now, of the first season its own."""
    season = 0 if arguments["season"] > 1 else arguments["season"]
    return list(listed(dict(arguments) | {"season": season}))


def earlier_units(listed: Lister, arguments: Mapping[str, Any]) -> list[Unit]:
    """List what a task has to do with the seasons before one, as far as something of them has changed."""
    before = (dict(arguments) | {"season": season, "redo": False} for season in range(1, arguments["season"]))
    return [unit for given in before for unit in listed(given)]


def moved_units(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the blocks up to the end of a season whose objects moved beyond the limits, to be done again.

    Of season 0 those of all days. Arguments: ``survey, season, images``, ``moved_limit`` (mas) and
    ``moved_share``.
    """
    if not arguments["images"]:
        return []
    _, last = season_days(arguments["survey"], arguments["season"])
    limits = {"limit": arguments["moved_limit"], "share": arguments["moved_share"], "before_mjd": last}
    units: list[Unit] = []
    for kind in (EVERY_DAY, DIFFERENCE):
        with session.reading() as connection:
            asked = limits | {"photometry_kind": kind}
            rows = sqlfile.run(connection, sqlfile.find("jobs", "moved_blocks"), asked).all()
        days = {row.block_id: row.start_mjd for row in rows}
        if days:
            given = _images_of(min(days.values()), max(days.values()) + 1, redo=True) | {
                "photometry_kind": kind
            }
            units += [unit for unit in pending_units(given) if unit.arguments["block_id"] in days]
    return units


def summary_of_images(arguments: Mapping[str, Any]) -> str:
    """Say how many exposures of a season are loaded, or why none count."""
    if not arguments["images"]:
        return "Images: not asked for; light curves are taken as they are."
    first, last = season_days(arguments["survey"], arguments["season"])
    with session.reading() as connection:
        count = connection.execute(sa.text(_EXPOSURES), {"first": first, "last": last}).scalar_one()
    if not count:
        return "Images: no exposures of these days are loaded; light curves are taken as they are."
    return f"Images: {count:,} exposures of these days are loaded."
