"""The task that finds microlensing events."""

from __future__ import annotations

from loaders.microlensing.load import TASK, pending_events, search_unit
from roman_db.jobs import Task, Unit


def _itself(unit: Unit) -> tuple[str]:
    """Name what a unit has to account for."""
    return (unit.name,)


EVENTS = Task(TASK, "Find microlensing events among a range of objects", pending_events, search_unit, _itself)
