"""The task that finds microlensing events."""

from __future__ import annotations

from loaders.microlensing.load import (
    SHARED_TASK,
    TASK,
    names_of_objects,
    pending_events,
    pending_shared,
    search_unit,
    shared_unit,
)
from roman_db.jobs import Task, itself

EVENTS = Task(TASK, "Find microlensing events among objects", pending_events, search_unit, names_of_objects)
SHARED_EVENTS = Task(
    SHARED_TASK, "Refuse events that many neighbours have at once", pending_shared, shared_unit, itself
)
