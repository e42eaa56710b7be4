"""The task that maps the extinction, and the mode that has nothing else."""

from __future__ import annotations

from loaders.extinction.load import TASK, map_unit, pending_roots
from roman_db.jobs import Mode, Task, itself

EXTINCTION = Task(TASK, "Map the extinction of a piece of the bulge", pending_roots, map_unit, itself)

EXTINCTION_MODE = Mode("extinction", "Makes the map of extinction of the bulge", (EXTINCTION,))
