"""An event refined: its place, its neighbours, and the fluxes in all exposures and optical elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from loaders.event_models.setting import NUMERIC
from loaders.psf.model import FloatArray
from loaders.refined_photometry.exposures import BoolArray, Cutouts, IntArray, Scene, SceneStars
from loaders.refined_photometry.forced import ForcedFluxes, good_pixels, measure
from loaders.refined_photometry.options import RefineOptions
from loaders.refined_photometry.scene import SceneState, beginning
from loaders.refined_photometry.scene_fit import Course, SceneFit, fit_scene

_CLEAR = 5.0
"""Significance of the event's light in an exposure from which it counts as measured, not as modelled."""

_NEIGHBOURS = 12
"""Neighbours that are measured at most, the nearest first."""

#: Distance in mas within which neighbours are measured, too.
NEAR = 350.0


@dataclass(frozen=True)
class EventCourse:
    """How the light of an event goes in an optical element, by its model.

    Parameters
    ----------
    light
        Shape (n,): what magnification adds in each exposure, in any unit.
    steady
        Flux of the source without magnification, nJy; NaN where unknown.
    """

    light: FloatArray
    steady: float


class Status(StrEnum):
    """What became of an event."""

    FITTED = "fitted"
    """Place and fluxes were found."""
    NOT_VISIBLE = "not_visible"
    """Fluxes at the catalogued place: differences show too little light for a place of its own."""
    FAR_OFF = "far_off"
    """Fluxes at the catalogued place: the light that varies lies far from it, or its place did not settle."""
    NO_EXPOSURE = "no_exposure"
    """No exposure shows the object."""
    FEW_EXPOSURES = "few_exposures"
    """Fewer exposures than a scene needs."""
    NO_PIXELS = "no_pixels"
    """Exposures show the object, but too few of their pixels around it count."""
    NO_MODEL = "no_model"
    """No stored model says when the event was bright."""
    FIT_FAILED = "fit_failed"
    """The equations came to no numbers."""


MEASURED = (Status.FITTED, Status.NOT_VISIBLE, Status.FAR_OFF)
"""What an event with fluxes may be."""


@dataclass(frozen=True)
class RefinedEvent:
    """An event refined.

    Parameters
    ----------
    status
        What was done, or why not.
    element
        Optical element in which the place was found; None without exposures.
    scene
        The scene in that element; None if it was not solved.
    fluxes
        Fluxes by optical element.
    used
        By optical element, which of its exposures the fluxes are of.
    measured
        Numbers of the stars in the scene, in the order of the fluxes.
    """

    status: Status
    element: str | None = None
    scene: SceneFit | None = None
    fluxes: Mapping[str, ForcedFluxes] | None = None
    used: Mapping[str, IntArray] | None = None
    measured: IntArray | None = None


@dataclass(frozen=True)
class RefineJob:
    """What `refine_event` takes, for a process of its own."""

    cutouts: Mapping[str, Cutouts]
    stars: Mapping[str, SceneStars]
    courses: Mapping[str, EventCourse]
    near: IntArray


def refine_job(job: RefineJob | Status) -> RefinedEvent:
    """Refine an event; of one of which it is known that it cannot be, say why."""
    if isinstance(job, Status):
        return RefinedEvent(job)
    return refine_event(job.cutouts, job.stars, job.courses, job.near)


def refine_event(
    cutouts: Mapping[str, Cutouts],
    stars: Mapping[str, SceneStars],
    courses: Mapping[str, EventCourse],
    near: IntArray,
    options: RefineOptions | None = None,
) -> RefinedEvent:
    """Refine an event: its place in the element with most exposures, its fluxes in all.

    Parameters
    ----------
    cutouts
        Exposures by optical element; none of some, or none at all, is allowed.
    stars
        Stars of the scene by optical element, in one order.
    courses
        By optical element, how the event's light goes in its exposures.
    near
        Neighbours that are to be measured, too.
    options
        Options; the defaults if None.
    """
    options = options or RefineOptions()
    if not any(len(one) for one in cutouts.values()):
        return RefinedEvent(Status.NO_EXPOSURE)
    element = max(cutouts, key=lambda name: (len(cutouts[name]), name))
    used = {name: np.flatnonzero(good_pixels(one, options.radius)) for name, one in cutouts.items()}
    if used[element].size < options.fewest_exposures:
        enough = len(cutouts[element]) >= options.fewest_exposures
        return RefinedEvent(Status.NO_PIXELS if enough else Status.FEW_EXPOSURES, element)
    used = {name: rows for name, rows in used.items() if rows.size >= options.fewest_exposures}
    given = {
        name: (Scene(cutouts[name].take(rows), stars[name], options), _taken(courses[name], rows))
        for name, rows in used.items()
    }
    try:
        status, scene, main = _main_element(*given[element], near)
        fluxes = {element: main}
        for name in sorted(given.keys() - {element}):
            fluxes[name] = _other_element(*given[name], scene.state, near)
    except NUMERIC:
        return RefinedEvent(Status.FIT_FAILED, element)
    measured = np.append(stars[element].target, near).astype(np.int64)
    return RefinedEvent(status, element, scene, fluxes, used, measured)


def _taken(course: EventCourse, rows: IntArray) -> EventCourse:
    """The course in some of the exposures."""
    return replace(course, light=course.light[rows])


def _main_element(scene: Scene, course: EventCourse, near: IntArray) -> tuple[Status, SceneFit, ForcedFluxes]:
    """Find the place and the scene, measure, and do both again with the light as it was measured."""
    state, fit = _solved(scene, beginning(scene), course)
    fluxes = measure(scene, state, near[:0])
    course = as_measured(fluxes, fit, course)
    state, fit = _solved(scene, fluxes.state, course)
    status = verdict(fit, scene.options)
    if status is not Status.FITTED:
        held = replace(state, place=np.zeros(2))
        state, fit = _solved(scene, held, course, hold=True)
    return status, fit, measure(scene, state, near)


def _other_element(scene: Scene, course: EventCourse, known: SceneState, near: IntArray) -> ForcedFluxes:
    """Measure in another element, with all places as they were found."""
    state = replace(beginning(scene), offset=known.offset, place=known.place)
    nowhere = np.zeros(scene.stars.flux.size, dtype=bool)
    state, fit = _solved(scene, state, course, True, nowhere)
    fluxes = measure(scene, state, near[:0])
    state, _ = _solved(scene, fluxes.state, as_measured(fluxes, fit, course), True, nowhere)
    return measure(scene, state, near)


def _solved(
    scene: Scene, state: SceneState, course: EventCourse, hold: bool = False, placed: BoolArray | None = None
) -> tuple[SceneState, SceneFit]:
    """The scene solved from some of the exposures, and put into the state of all."""
    options = scene.options
    largest = np.abs(course.light).max(initial=0.0)
    light = course.light / largest if largest > 0 else course.light
    rows = informative(light, options.most_exposures)
    steady = course.steady if np.isfinite(course.steady) else 0.0
    given = Course(light[rows], steady, max(abs(steady), options.least_steady))
    fit = fit_scene(scene.take(rows), state.take(rows), given, placed, hold)
    return replace(state.put(rows, fit.state), event=fit.steady + fit.amplitude * light), fit


def informative(course: FloatArray, most: int) -> IntArray:
    """Exposures from which a scene is solved, ascending: half by the event's light, half spread evenly."""
    n = course.size
    if n <= most:
        return np.arange(n)
    bright = np.argsort(-np.abs(course), kind="stable")[: most // 2]
    others = np.setdiff1d(np.arange(n), bright)
    spread = others[np.linspace(0, others.size - 1, most - bright.size).round().astype(np.int64)]
    return np.unique(np.concatenate([bright, spread]))


def as_measured(fluxes: ForcedFluxes, fit: SceneFit, course: EventCourse) -> EventCourse:
    """The event's light as it was measured where that is clear, and as the model has it elsewhere, nJy."""
    measured = fluxes.state.event - fit.steady
    largest = np.abs(course.light).max(initial=0.0)
    expected = fit.amplitude * course.light / largest if largest > 0 else np.zeros(measured.size)
    with np.errstate(invalid="ignore"):
        clear = np.abs(measured) > _CLEAR * fluxes.event_err
    return replace(course, light=np.where(clear, measured, expected))


def verdict(fit: SceneFit, options: RefineOptions) -> Status:
    """Whether a fit found the place of an event."""
    if not fit.snr >= options.least_snr:
        return Status.NOT_VISIBLE
    if not fit.converged or np.hypot(*fit.state.place) > options.farthest:
        return Status.FAR_OFF
    return Status.FITTED


def close_neighbours(
    offset_east: FloatArray, offset_north: FloatArray, stars: SceneStars, within: float = NEAR
) -> IntArray:
    """Neighbours that are measured beside the event, the nearest first.

    Parameters
    ----------
    offset_east, offset_north
        Shape (k,), mas: places of the stars from that of the object.
    stars
        The stars; those that vary are not measured.
    within
        Distance, mas.
    """
    distance = np.hypot(offset_east, offset_north)
    wanted = (distance <= within) & ~stars.varies & np.isfinite(stars.flux)
    wanted[stars.target] = False
    found = np.flatnonzero(wanted)
    return np.asarray(found[np.argsort(distance[found], kind="stable")][:_NEIGHBOURS], dtype=np.int64)
