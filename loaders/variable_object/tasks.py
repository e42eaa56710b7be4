"""The task that describes variable objects."""

from __future__ import annotations

from loaders.variable_object.load import TASK, describe_unit, pending_objects
from roman_db.jobs import Task, itself

VARIABLE_OBJECTS = Task(
    TASK, "Find periods and trends of a range of variable objects", pending_objects, describe_unit, itself
)
