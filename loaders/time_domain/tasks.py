"""The tasks of the mode ``difference``."""

from __future__ import annotations

from loaders.daily.tasks import SCOPE, exposure_files, exposure_names, selection
from loaders.time_domain.load import appear_unit, compare_unit, pending_exposures, pending_places
from roman_db.jobs import Mode, Task

__all__ = ["APPEAR", "COMPARE", "DIFFERENCE", "selection"]

COMPARE = Task(
    "compare",
    "Subtract from each exposure a template of others, and write the catalog of what changed",
    pending_exposures,
    compare_unit,
    exposure_names,
    exposure_files,
)

#: Makes objects of what the exposures show: `COMPARE` accounts for them.
APPEAR = Task("appear", "Make objects of new light that several exposures show", pending_places, appear_unit)

DIFFERENCE = Mode(
    "difference",
    "Difference-imaging variability catalogs: what changed in each exposure against all others",
    (COMPARE, APPEAR),
    scope=SCOPE,
)
