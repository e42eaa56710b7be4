"""The task that solves for positions, proper motions and parallaxes."""

from __future__ import annotations

from loaders.astrometric_solution.load import TASK, pending_cells, solve_unit
from roman_db.jobs import Task, itself

ASTROMETRY = Task(
    TASK, "Find positions, motions and parallaxes of a piece of the sky", pending_cells, solve_unit, itself
)
