"""The tasks of the modes ``season`` and ``survey``."""

from __future__ import annotations

from typing import Any

from loaders.astrometric_solution.tasks import ASTROMETRY
from loaders.extinction.tasks import EXTINCTION
from loaders.lens_physics.tasks import LENS_PHYSICS
from loaders.microlensing.tasks import EVENTS, SHARED_EVENTS
from loaders.refined_photometry.tasks import REFINE
from loaders.variability.tasks import LOCUS, VARIABILITY
from loaders.variable_object.tasks import VARIABLE_OBJECTS
from roman_db.jobs import Mode


def arguments(survey: str, season: int, photometry_kind: str, *, redo: bool = False) -> dict[str, Any]:
    """Arguments of the modes; season 0 is the whole survey."""
    return {"survey": survey, "season": season, "photometry_kind": photometry_kind, "redo": redo}


_TASKS = (
    LOCUS,
    VARIABILITY,
    VARIABLE_OBJECTS,
    ASTROMETRY,
    EXTINCTION,
    EVENTS,
    SHARED_EVENTS,
    REFINE,
    LENS_PHYSICS,
)

SEASON = Mode("season", "What is made of the light curves of a season", _TASKS)

SURVEY = Mode("survey", "What is made of all light curves", _TASKS)
