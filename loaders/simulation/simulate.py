"""One exposure of a scene: from the plan to a Level-2 file. Exposures do not depend on one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from astropy.time import Time
from roman_datamodels.datamodels import ImageModel

from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import at_position, cropped
from loaders.psf.render import SplinePsf
from loaders.simulation import level2
from loaders.simulation.astrometry import observed_position
from loaders.simulation.attitude import Attitude
from loaders.simulation.ephemeris import barycentric_mjd_tdb
from loaders.simulation.galaxies import draw_stamps, galaxy_stamp, reach
from loaders.simulation.geometry import Camera
from loaders.simulation.instrument_tables import detector_noise, thermal_rate, zodiacal_rate
from loaders.simulation.noise import DetectorState, detector_state, measure
from loaders.simulation.product import write_product
from loaders.simulation.render import Renderer, prepare
from loaders.simulation.scene import Scene
from loaders.simulation.season import PlannedExposure
from loaders.simulation.throughput import ab_zero_rate

FloatArray = npt.NDArray[np.float64]


_GALAXY_BLUR = 15
"""Half width in pixels of the PSF that galaxies are convolved with; the wings beyond are lost to them."""


@dataclass(frozen=True)
class FilterModel:
    """A filter on the window of a detector.

    Parameters
    ----------
    renderer
        Draws stars.
    galaxies
        Effective images of the galaxies that reach into the window, by row.
    zero_rate
        Electrons/s of AB magnitude zero.
    zodiacal, thermal
        Background in electrons/s and pixel.
    """

    renderer: Renderer
    galaxies: dict[int, SplinePsf]
    zero_rate: float
    zodiacal: float
    thermal: float


@dataclass(frozen=True)
class Simulation:
    """A scene before a camera, prepared for any of its exposures; pickle it to the processes of a pool."""

    scene: Scene
    camera: Camera
    detector: DetectorState
    filters: dict[str, FilterModel]


def prepare_simulation(scene: Scene, psfs: Mapping[str, EffectivePsf]) -> Simulation:
    """Prepare all filters of a survey.

    Parameters
    ----------
    scene
        The scene.
    psfs
        Effective PSF of the survey's detector for every filter of its cadences.

    Raises
    ------
    ValueError
        If a filter has no PSF.
    """
    survey, parameters = scene.parameters.survey, scene.parameters.detector
    camera = Camera.of(scene.parameters)
    noise = detector_noise(survey.detector)
    state = detector_state(survey.detector, survey.window, noise, parameters)
    elements = {c.optical_element for c in survey.cadences}
    if missing := elements - set(psfs):
        raise ValueError(f"no PSF for {sorted(missing)}, have {sorted(psfs)}")
    return Simulation(scene, camera, state, {e: _filter(scene, camera, e, psfs[e]) for e in sorted(elements)})


def _filter(scene: Scene, camera: Camera, element: str, psf: EffectivePsf) -> FilterModel:
    detector, window = scene.parameters.survey.detector, camera.window
    one = at_position(cropped(psf, _GALAXY_BLUR), *camera.centre)
    jacobian = camera.jacobian(camera.attitude((0.0, 0.0)))
    rows = _galaxies_within(scene, camera, jacobian, one.half_width)
    return FilterModel(
        prepare(psf, (window.x, window.y), camera.centre),
        {row: SplinePsf.of(galaxy_stamp(scene.galaxies, row, one, jacobian)) for row in rows},
        ab_zero_rate(detector, element),
        zodiacal_rate(element) * scene.parameters.detector.zodiacal_factor,
        thermal_rate(element),
    )


def _galaxies_within(scene: Scene, camera: Camera, jacobian: FloatArray, blur: float) -> list[int]:
    """Rows of the galaxies whose light can fall into the window in some dither."""
    x, y = camera.to_window(camera.attitude((0.0, 0.0)), scene.galaxies.ra, scene.galaxies.dec)
    dither = np.abs(scene.parameters.survey.dither_offsets).max() / np.sqrt(abs(np.linalg.det(jacobian)))
    margin = reach(scene.galaxies, jacobian) + blur + 2 * dither
    height, width = camera.window.shape
    near = (np.minimum(x, y) > -margin) & (x < width + margin) & (y < height + margin)
    return [int(row) for row in np.flatnonzero(near)]


@dataclass(frozen=True)
class TrueState:
    """What the stars are at the middle of an exposure; arrays of shape (n_star,).

    Parameters
    ----------
    ra, dec
        Direction seen from the observatory, deg ICRS.
    x, y
        Pixels of the window, 0-based, by the true pointing.
    rate
        Electrons/s.
    factor
        Flux over the catalogued flux.
    """

    ra: FloatArray
    dec: FloatArray
    x: FloatArray
    y: FloatArray
    rate: FloatArray
    factor: FloatArray


def true_state(simulation: Simulation, planned: PlannedExposure) -> TrueState:
    """Where the stars are in an exposure, and how bright."""
    scene, middle = simulation.scene, planned.mid_time
    ra, dec = observed_position(scene.stars.astrometry, middle)
    x, y = simulation.camera.to_window(_true_attitude(simulation, planned), ra, dec)
    factor = scene.flux_factor(np.atleast_1d(_barycentric(scene, middle)))[0]
    zero = simulation.filters[planned.optical_element].zero_rate
    rate = zero * 10 ** (-0.4 * scene.star_magnitude[planned.optical_element]) * factor
    return TrueState(ra, dec, x, y, rate, factor)


def _barycentric(scene: Scene, time: Time) -> FloatArray:
    centre = scene.parameters.scene
    return barycentric_mjd_tdb(time, centre.ra, centre.dec)


def _generator(simulation: Simulation, planned: PlannedExposure, purpose: int) -> np.random.Generator:
    """Random numbers of one exposure: the same whatever else is simulated, in whatever order."""
    return np.random.default_rng([simulation.scene.parameters.survey.seed, planned.index, purpose])


def _true_attitude(simulation: Simulation, planned: PlannedExposure) -> Attitude:
    """The pointing that the pixels have; the file's WCS lacks the alignment error."""
    sigma = simulation.scene.parameters.survey.alignment_error_mas
    error = _generator(simulation, planned, 1).normal(0.0, 1.0, 2) * sigma
    return simulation.camera.attitude(_offset(simulation, planned), (float(error[0]), float(error[1])))


def _offset(simulation: Simulation, planned: PlannedExposure) -> tuple[float, float]:
    """Dither in arcsec in the ideal frame as the telescope made it: never quite the one that was planned."""
    sigma = simulation.scene.parameters.survey.pointing_scatter_mas / 1000
    scatter = _generator(simulation, planned, 2).normal(0.0, 1.0, 2) * sigma
    return planned.offset[0] + float(scatter[0]), planned.offset[1] + float(scatter[1])


def expected_image(simulation: Simulation, planned: PlannedExposure) -> FloatArray:
    """Noiseless image in electrons/s: stars, galaxies, sky, but no dark current; shape (height, width)."""
    model = simulation.filters[planned.optical_element]
    shape = simulation.camera.window.shape
    stars = true_state(simulation, planned)
    image = model.renderer.stars(shape, stars.x, stars.y, stars.rate)
    _draw_galaxies(image, simulation, planned)
    return np.clip(image, 0.0, None) + model.zodiacal + model.thermal


def _draw_galaxies(image: FloatArray, simulation: Simulation, planned: PlannedExposure) -> None:
    galaxies, model = simulation.scene.galaxies, simulation.filters[planned.optical_element]
    attitude = _true_attitude(simulation, planned)
    x, y = simulation.camera.to_window(attitude, galaxies.ra, galaxies.dec)
    rate = model.zero_rate * 10 ** (-0.4 * simulation.scene.galaxy_magnitude[planned.optical_element])
    draw_stamps(image, model.galaxies, (x, y), rate)


def simulate_level2(simulation: Simulation, planned: PlannedExposure) -> ImageModel:
    """Simulate one exposure as a Level-2 image.

    Parameters
    ----------
    simulation
        The prepared scene.
    planned
        A row of `loaders.simulation.season.plan_exposures`.

    Returns
    -------
    A model that is valid under RAD. Depends on nothing but the arguments (and on the clock in ``file_date``).
    """
    expected = expected_image(simulation, planned)
    rng = _generator(simulation, planned, 0)
    measured = measure(expected, planned.ma_table, simulation.detector, rng)
    attitude = simulation.camera.attitude(_offset(simulation, planned))
    zodiacal = simulation.filters[planned.optical_element].zodiacal
    frame = level2.Frame(simulation.scene.parameters, planned, simulation.camera, attitude, zodiacal)
    return level2.image_model(measured, frame)


def simulate_to_file(simulation: Simulation, planned: PlannedExposure, directory: Path) -> Path:
    """Simulate one exposure and write it under its own name; returns the path."""
    path = directory / planned.filename(simulation.scene.parameters.survey.detector)
    write_product(path, simulate_level2(simulation, planned))
    return path
