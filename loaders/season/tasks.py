"""The tasks of the modes ``season`` and ``survey``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from loaders.adopted_astrometry.tasks import ADOPT_ASTROMETRY
from loaders.astrometric_solution.tasks import ASTROMETRY
from loaders.daily.tasks import PHOTOMETER
from loaders.eight_day.tasks import CATALOG, EIGHT_DAY
from loaders.event_efficiency.tasks import EFFICIENCY, INJECTION
from loaders.event_history.tasks import REFIT_EVENTS, SAME_EVENTS
from loaders.event_images.tasks import EVENT_IMAGES
from loaders.external_light_curve.tasks import DIVIDE
from loaders.extinction.tasks import EXTINCTION
from loaders.field_mosaic.tasks import FIELD_MOSAIC
from loaders.lens_physics.tasks import LENS_PHYSICS
from loaders.microlensing.tasks import EVENTS, SHARED_EVENTS
from loaders.refined_photometry.tasks import REFINE
from loaders.relative_motion.tasks import ELONGATION, RELATIVE_MOTION
from loaders.season.limits import IMAGE_INJECTIONS, MOVED_LIMIT, MOVED_SHARE
from loaders.season.load import (
    adoption_units,
    astrometry_so_far,
    earlier_units,
    exposure_units,
    image_injection_units,
    injection_units,
    moved_units,
    once,
    pending_quality,
    quality_unit,
    units_of_images,
)
from loaders.season_reference.tasks import SEASON_REFERENCE
from loaders.season_report.load import QUALITY_TASK
from loaders.variability.tasks import LOCUS, TOUCHED, VARIABILITY
from loaders.variable_object.tasks import VARIABLE_OBJECTS
from roman_db.jobs import Mode, Task, itself


def arguments(
    survey: str,
    season: int,
    photometry_kind: str,
    *,
    redo: bool = False,
    images: bool = False,
    moved_limit: float = MOVED_LIMIT,
    moved_share: float = MOVED_SHARE,
) -> dict[str, Any]:
    """Arguments of the modes.

    Parameters
    ----------
    survey, season, photometry_kind
        Which light curves; season 0 is the whole survey.
    redo
        Do again what is done with the light curves.
    images
        Whether references, catalog and photometry are brought up to date before.
    moved_limit, moved_share
        Blocks up to the end of the season are photometered again of whose objects that share moved farther
        (mas).

    Returns
    -------
    dict
        With ``injections`` and ``planet_injections``, events of single lenses and with planets that are
        injected into light curves (None: as many as `loaders.season.limits.MOST_INJECTIONS` says), and with
        ``image_injections``, how many of the former go into images.
    """
    return {
        "survey": survey,
        "season": season,
        "photometry_kind": photometry_kind,
        "redo": redo,
        "images": images,
        "moved_limit": moved_limit,
        "moved_share": moved_share,
        "injections": None,
        "planet_injections": 0,
        "image_injections": IMAGE_INJECTIONS,
    }


def _of_season(task: Task) -> Task:
    """A task of exposures and references, for those of the days of the season."""
    return replace(task, units=partial(exposure_units, task.units))


#: A season alone hardly tells parallax from motion: beside its own solutions, those of all exposures so far.
ASTROMETRY_SO_FAR = replace(ASTROMETRY, units=partial(astrometry_so_far, ASTROMETRY.units))
ADOPT = replace(ADOPT_ASTROMETRY, units=partial(adoption_units, ADOPT_ASTROMETRY.units))

#: Events are measured anew in exposures, which light curves that are taken as they are may not have.
REFINE_EVENTS = replace(REFINE, units=partial(units_of_images, REFINE.units))

#: What was refined is searched again in the same run, and what follows of that.
REFINED_EVENTS, *SHARED_AGAIN = (
    replace(one, units=partial(once, one.units)) for one in (EVENTS, SHARED_EVENTS, SAME_EVENTS)
)

#: So are the two stars that lens and source have become.
ELONGATION_OF_EVENTS = replace(ELONGATION, units=partial(units_of_images, ELONGATION.units))

#: Objects that moved are photometered again by the same task as every day.
MOVED = replace(PHOTOMETER, units=moved_units)

#: Events are injected into what was searched; some of them into images, which are compared.
INJECTIONS = tuple(replace(one, units=partial(injection_units, one.units)) for one in (INJECTION, EFFICIENCY))
IMAGE_INJECTIONS_OF_SEASON = tuple(
    replace(one, units=partial(image_injection_units, one.units)) for one in EVENT_IMAGES.tasks
)


#: What follows of the models of earlier seasons' events that were fitted again.
PHYSICS_BEFORE = replace(LENS_PHYSICS, units=partial(earlier_units, LENS_PHYSICS.units))


QUALITY = Task(
    QUALITY_TASK, "Measure the quality of a season against its limits", pending_quality, quality_unit, itself
)


def _images() -> tuple[Task, ...]:
    """The tasks of the mode ``eight-day``; the image of the season is made and searched before photometry.

    Nothing waits for the mosaics of fields.
    """
    number = [task.name for task in EIGHT_DAY.tasks].index(PHOTOMETER.name)
    of_season = (SEASON_REFERENCE, CATALOG)
    tasks = (*EIGHT_DAY.tasks[:number], *of_season, *EIGHT_DAY.tasks[number:], FIELD_MOSAIC)
    return tuple(_of_season(task) for task in tasks)


_TASKS = (
    DIVIDE,
    *_images(),
    ASTROMETRY,
    ASTROMETRY_SO_FAR,
    ADOPT,
    MOVED,
    LOCUS,
    VARIABILITY,
    VARIABLE_OBJECTS,
    EXTINCTION,
    EVENTS,
    SHARED_EVENTS,
    SAME_EVENTS,
    REFINE_EVENTS,
    REFINED_EVENTS,
    *SHARED_AGAIN,
    REFIT_EVENTS,
    RELATIVE_MOTION,
    ELONGATION_OF_EVENTS,
    LENS_PHYSICS,
    PHYSICS_BEFORE,
    *INJECTIONS,
    *IMAGE_INJECTIONS_OF_SEASON,
    QUALITY,
)

SEASON = Mode("season", "What is made of the light curves of a season", _TASKS, *TOUCHED)

SURVEY = Mode("survey", "What is made of all light curves", _TASKS, *TOUCHED)
