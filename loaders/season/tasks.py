"""The tasks of the modes ``season`` and ``survey``."""

from __future__ import annotations

from typing import Any

from loaders.astrometric_solution.tasks import ASTROMETRY
from loaders.extinction.tasks import EXTINCTION
from loaders.lens_physics.tasks import LENS_PHYSICS
from loaders.microlensing.tasks import EVENTS, SHARED_EVENTS
from loaders.season.load import pending_quality, quality_unit
from loaders.season_report.load import QUALITY_TASK
from loaders.variability.tasks import LOCUS, VARIABILITY
from loaders.variable_object.tasks import VARIABLE_OBJECTS
from roman_db.jobs import Mode, Task, Unit


def arguments(survey: str, season: int, photometry_kind: str, *, redo: bool = False) -> dict[str, Any]:
    """Arguments of the modes; season 0 is the whole survey."""
    return {"survey": survey, "season": season, "photometry_kind": photometry_kind, "redo": redo}


def _itself(unit: Unit) -> tuple[str]:
    """Name what a unit has to account for."""
    return (unit.name,)


QUALITY = Task(
    QUALITY_TASK, "Measure the quality of a season against its limits", pending_quality, quality_unit, _itself
)

_TASKS = (
    LOCUS,
    VARIABILITY,
    VARIABLE_OBJECTS,
    ASTROMETRY,
    EXTINCTION,
    EVENTS,
    SHARED_EVENTS,
    LENS_PHYSICS,
    QUALITY,
)

SEASON = Mode("season", "What is made of the light curves of a season", _TASKS)

SURVEY = Mode("survey", "What is made of all light curves", _TASKS)
