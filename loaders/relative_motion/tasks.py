"""The tasks that find relative proper motions of sources and lenses."""

from __future__ import annotations

from loaders.relative_motion.load import (
    ELONGATION_TASK,
    TASK,
    elongation_unit,
    inputs_of_elongation,
    motion_unit,
    pending_elongations,
    pending_motions,
)
from roman_db.jobs import Task, itself

RELATIVE_MOTION = Task(
    TASK, "Find how lenses move against their sources", pending_motions, motion_unit, itself
)

ELONGATION = Task(
    ELONGATION_TASK,
    "Find how far lenses have moved from their sources in late images",
    pending_elongations,
    elongation_unit,
    inputs_of_elongation,
)
