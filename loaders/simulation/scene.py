"""A scene: all that shines in a field, with its changes in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.time import Time

from loaders.simulation import lensing, variability
from loaders.simulation.galaxies import Galaxies, draw_galaxies
from loaders.simulation.geometry import Camera
from loaders.simulation.lensing import Events
from loaders.simulation.parameters import EventClass, Range, SimulationParameters, VariableClass
from loaders.simulation.population import Field, Stars, draw_stars, log_uniform
from loaders.simulation.sed import ColourGrid, colour_grid
from loaders.simulation.variability import Variables

FloatArray = npt.NDArray[np.float64]

REFERENCE_ELEMENT = "F146"
"""The filter in which luminosity functions are given."""
_PIXEL_ARCSEC = 0.11


@dataclass(frozen=True)
class Scene:
    """Everything in a field.

    Parameters
    ----------
    parameters
        What it was made from.
    stars, galaxies, variables, events
        The sources.
    star_magnitude, galaxy_magnitude
        AB magnitude at rest by filter, each of shape (n,).
    """

    parameters: SimulationParameters
    stars: Stars
    galaxies: Galaxies
    variables: Variables
    events: Events
    star_magnitude: dict[str, FloatArray]
    galaxy_magnitude: dict[str, FloatArray]

    def flux_factor(self, mjd_tdb: FloatArray) -> FloatArray:
        """What each star's flux is multiplied by at barycentric times (n_time,): shape (n_time, n_star)."""
        factor = np.ones((mjd_tdb.size, self.stars.magnitude.size))
        factor[:, self.variables.star] = variability.flux_factor(self.variables, mjd_tdb)
        centre = self.parameters.scene
        factor[:, self.events.star] *= lensing.magnification(self.events, mjd_tdb, centre.ra, centre.dec)
        return factor


def make_scene(parameters: SimulationParameters) -> Scene:
    """Draw a scene that covers the survey's window and a margin; the same parameters give the same scene."""
    seeds = np.random.SeedSequence(parameters.scene.seed).spawn(4)
    star_rng, galaxy_rng, variable_rng, event_rng = (np.random.default_rng(s) for s in seeds)
    field = _field(parameters)
    stars = draw_stars(field, parameters.scene.stars, star_rng)
    galaxies = draw_galaxies(field, parameters.scene.galaxies, galaxy_rng)
    choose = _Chooser(_in_window(stars, parameters), stars.magnitude)
    start = float(Time(parameters.survey.start_time, scale="utc").tdb.mjd)
    variables = _draw_variables(parameters.scene.variables, choose, start, variable_rng)
    events = _draw_events(parameters, choose, start, event_rng)
    elements = tuple(
        dict.fromkeys([REFERENCE_ELEMENT] + [c.optical_element for c in parameters.survey.cadences])
    )
    grid = colour_grid(parameters.survey.detector, REFERENCE_ELEMENT, elements)
    star_magnitude = _magnitudes(grid, elements, stars.magnitude, stars.temperature, stars.a_v)
    no_dust = np.zeros(galaxies.magnitude.size)
    galaxy_magnitude = _magnitudes(grid, elements, galaxies.magnitude, galaxies.temperature, no_dust)
    return Scene(parameters, stars, galaxies, variables, events, star_magnitude, galaxy_magnitude)


def _field(parameters: SimulationParameters) -> Field:
    """The square that holds the window at any roll, with its margin."""
    window = parameters.survey.window
    half = np.hypot(window.width, window.height) / 2 * _PIXEL_ARCSEC + parameters.scene.margin_arcsec
    scene = parameters.scene
    return Field(scene.ra, scene.dec, float(half), scene.reference_epoch)


def _in_window(stars: Stars, parameters: SimulationParameters) -> npt.NDArray[np.int64]:
    """Indices of the stars that every dither leaves inside the window."""
    survey = parameters.survey
    camera = Camera.of(parameters)
    attitude = camera.attitude((0.0, 0.0))
    x, y = camera.to_window(attitude, stars.astrometry.ra, stars.astrometry.dec)
    margin = 5.0 + np.abs(survey.dither_offsets).max() / _PIXEL_ARCSEC
    inside = (np.minimum(x, y) > margin) & (x < survey.window.width - margin)
    return np.flatnonzero(inside & (y < survey.window.height - margin))


class _Chooser:
    """Choose stars that vary: each at most once, within a range of magnitude."""

    def __init__(self, candidates: npt.NDArray[np.int64], magnitude: FloatArray) -> None:
        self._left = candidates
        self._magnitude = magnitude

    def __call__(self, number: int, magnitudes: Range, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Choose up to ``number`` stars, fewer where the window holds fewer."""
        at = self._magnitude[self._left]
        fit = self._left[(at >= magnitudes[0]) & (at <= magnitudes[1])]
        chosen = rng.choice(fit, min(number, fit.size), replace=False)
        self._left = np.setdiff1d(self._left, chosen)
        return np.asarray(chosen, dtype=np.int64)


def _draw_variables(
    classes: tuple[VariableClass, ...], choose: _Chooser, start: float, rng: np.random.Generator
) -> Variables:
    rows = []
    for c in classes:
        star = choose(c.number, c.magnitude, rng)
        period, amplitude = (log_uniform(span, star.size, rng) for span in (c.period, c.amplitude))
        epoch = start + period * rng.uniform(size=star.size)
        rows.append(Variables(star, np.full(star.size, c.kind), period, amplitude, epoch))
    names = ("star", "kind", "period", "amplitude", "epoch")
    return Variables(*(_joined(rows, name) for name in names))


def _draw_events(
    parameters: SimulationParameters, choose: _Chooser, start: float, rng: np.random.Generator
) -> Events:
    span = parameters.survey.duration_days
    rows = [_draw_event_class(c, choose, (start, span), rng) for c in parameters.scene.events]
    names = ("star", "kind", "t0", "u0", "t_einstein", "rho", "source_fraction", "pi_e_north", "pi_e_east")
    return Events(*(_joined(rows, name) for name in names))


def _draw_event_class(
    c: EventClass, choose: _Chooser, survey: tuple[float, float], rng: np.random.Generator
) -> Events:
    star = choose(c.number, c.magnitude, rng)
    t0 = survey[0] + survey[1] * rng.uniform(*c.t0, star.size)
    u0 = rng.uniform(*c.u0, star.size)
    t_einstein, rho = (log_uniform(r, star.size, rng) for r in (c.t_einstein, c.rho))
    fraction = rng.uniform(*c.source_fraction, star.size)
    size, angle = rng.uniform(*c.pi_e, star.size), rng.uniform(0, 2 * np.pi, star.size)
    kind = np.full(star.size, c.kind)
    return Events(star, kind, t0, u0, t_einstein, rho, fraction, size * np.cos(angle), size * np.sin(angle))


def _joined(rows: list[Variables] | list[Events], name: str) -> npt.NDArray[Any]:
    """One column of several tables under each other, also of none."""
    columns = [getattr(row, name) for row in rows]
    if not columns:
        return np.zeros(0, dtype={"star": np.int64, "kind": np.str_}.get(name, np.float64))
    return np.concatenate(columns)


def _magnitudes(
    grid: ColourGrid,
    elements: tuple[str, ...],
    reference: FloatArray,
    temperature: FloatArray,
    a_v: FloatArray,
) -> dict[str, FloatArray]:
    """AB magnitudes in every filter from that in the reference filter."""
    return {e: reference + grid.colour(e, temperature, a_v) for e in elements}
