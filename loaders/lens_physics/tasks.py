"""The task that finds physical parameters of events."""

from __future__ import annotations

from loaders.lens_physics.load import TASK, describe_unit, pending_events
from roman_db.jobs import Task, itself

LENS_PHYSICS = Task(
    TASK, "Find masses and distances of the lenses of events", pending_events, describe_unit, itself
)
