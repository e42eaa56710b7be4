"""The task that adopts astrometric solutions, and the mode that finds and adopts them."""

from __future__ import annotations

from loaders.adopted_astrometry.load import TASK, adopt_unit, pending_adoptions
from loaders.astrometric_solution.tasks import ASTROMETRY
from roman_db.jobs import Mode, Task, itself

ADOPT_ASTROMETRY = Task(
    TASK,
    "Let the catalog have the solutions that are better than what it has",
    pending_adoptions,
    adopt_unit,
    itself,
)

_BOTH = (ASTROMETRY, ADOPT_ASTROMETRY)

ASTROMETRY_MODE = Mode("astrometry", "Positions, motions and parallaxes, for the catalog, too", _BOTH)
