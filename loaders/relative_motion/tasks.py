"""The task that finds relative proper motions of sources and lenses."""

from __future__ import annotations

from loaders.relative_motion.load import TASK, motion_unit, pending_motions
from roman_db.jobs import Task, Unit


def _itself(unit: Unit) -> tuple[str]:
    """Name what a unit has to account for."""
    return (unit.name,)


RELATIVE_MOTION = Task(
    TASK, "Find how lenses move against their sources", pending_motions, motion_unit, _itself
)
