"""The task that refines the photometry of events, and the mode that has nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loaders.refined_photometry.load import asked, refine_unit
from loaders.stored_curve.preferred import REFINED
from loaders.variability.load import season_days
from roman_db import session, sqlfile
from roman_db.jobs import Mode, Task, Unit, done_since

#: Name of the task.
TASK = "refined_photometry"


def pending_detectors(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the detectors with events that were not refined in the exposures that there are.

    Events that no exposure shows have a unit of their own.
    Arguments: ``survey, season`` (0: all), ``photometry_kind, redo``.
    """
    first, last = season_days(arguments["survey"], arguments["season"])
    names = ("survey", "season", "photometry_kind")
    given: dict[str, Any] = {name: arguments[name] for name in names} | {"from_mjd": first, "to_mjd": last}
    if given["photometry_kind"] == REFINED:
        return []
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "refinement_unit"), asked(given)).all()
        unseen = sqlfile.run(connection, sqlfile.find("jobs", "refinement_unseen"), asked(given)).all()
        done = [done_since(connection, [TASK], row.newest_run or 0) for row in rows]
    which = f"season {given['season'] or 'all'} of {given['survey']}, {given['photometry_kind']}"
    units = []
    for row, names_done in zip(rows, done, strict=True):
        more = {"field_id": row.field_id, "detector": row.detector, "exposure_id": list(row.exposure_id)}
        # New exposures make another name, so that compaction, which changes none, asks for nothing.
        name = f"{which}, {row.field} {row.detector}, {len(row.exposure_id)} exposures"
        unit = Unit(name, given | more)
        if arguments["redo"] or row.is_new or unit.name not in names_done:
            units.append(unit)
    if unseen:
        events = [row.event_id for row in unseen]
        units.append(
            Unit(f"{which}, {len(events)} events from {events[0]} unseen", given | {"unseen": events})
        )
    return units


def inputs_of(unit: Unit) -> list[str]:
    """Name what a unit has to account for: its exposures."""
    if "unseen" in unit.arguments:
        return [unit.name]
    return [f"exposure {number}" for number in unit.arguments["exposure_id"]]


REFINE = Task(
    TASK,
    "Find where events lie, and measure them with their neighbours held, on a detector",
    pending_detectors,
    refine_unit,
    inputs_of,
)

REFINE_MODE = Mode("refine", "Refined photometry of events", (REFINE,))
