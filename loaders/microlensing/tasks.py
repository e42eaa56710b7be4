"""The task that finds microlensing events."""

from __future__ import annotations

from loaders.microlensing.load import (
    SHARED_TASK,
    TASK,
    pending_events,
    pending_shared,
    search_unit,
    shared_unit,
)
from roman_db.jobs import Task, Unit


def _itself(unit: Unit) -> tuple[str]:
    """Name what a unit has to account for."""
    return (unit.name,)


EVENTS = Task(TASK, "Find microlensing events among a range of objects", pending_events, search_unit, _itself)
SHARED_EVENTS = Task(
    SHARED_TASK, "Refuse events that many neighbours have at once", pending_shared, shared_unit, _itself
)
