"""A simulated sky cell in four bands, with stars and galaxies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from astropy.time import Time
from roman_datamodels.datamodels import MosaicModel

from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import at_position, mosaic_psf
from loaders.psf.optics import optical_psf
from loaders.simulation.astrometry import observed_position
from loaders.simulation.geometry import Camera
from loaders.simulation.level3 import simulate_level3
from loaders.simulation.mosaic import MosaicGrid
from loaders.simulation.parameters import parameters_from_mapping
from loaders.simulation.scene import Scene, make_scene
from loaders.simulation.season import plan_exposures

ELEMENTS = ("F106", "F129", "F158", "F213")
SIDE = 500


@dataclass(frozen=True)
class SimulatedCell:
    """Mosaics by element, their PSFs, and the truth: place (pixels), flux (nJy) in each element, kind."""

    scene: Scene
    models: dict[str, MosaicModel]
    psfs: dict[str, EffectivePsf]
    x: np.ndarray
    y: np.ndarray
    flux: dict[str, np.ndarray]
    is_galaxy: np.ndarray


@pytest.fixture(scope="session")
def cell() -> SimulatedCell:
    cadences = [
        {"optical_element": e, "interval_minutes": 20.0, "offset_minutes": 3.0 * k, "ma_table": "SIM_66_6"}
        for k, e in enumerate(ELEMENTS)
    ]
    parameters = parameters_from_mapping(
        {
            "scene": {
                "seed": 5,
                "stars": {"density_per_arcmin2": 150},
                "variables": [],
                "events": [],
                "galaxies": {"density_per_arcmin2": 150},
            },
            "survey": {
                "duration_days": 0.15,
                "window": {"x": 1800, "y": 1800, "width": SIDE // 2, "height": SIDE // 2},
                "cadences": cadences,
            },
        }
    )
    scene, grid = make_scene(parameters), MosaicGrid(0.055, SIDE, SIDE)
    camera = Camera.of(parameters)
    jacobian = camera.jacobian(camera.attitude((0.0, 0.0)))
    plan = plan_exposures(parameters.survey)
    models, psfs = {}, {}
    for element in ELEMENTS:
        psf = optical_psf("WFI07", element)
        exposures = tuple(e for e in plan if e.optical_element == element)
        models[element] = simulate_level3(scene, psf, exposures, grid)
        psfs[element] = mosaic_psf(at_position(psf, *camera.centre), jacobian, grid.pixel_scale)
    return SimulatedCell(scene, models, psfs, *_truth(scene, models[ELEMENTS[0]]))


def _truth(scene: Scene, model: MosaicModel):
    mean = Time(model.meta.coadd_info.time_mean)
    ra, dec = observed_position(scene.stars.astrometry, mean)
    ra, dec = np.append(ra, scene.galaxies.ra), np.append(dec, scene.galaxies.dec)
    x, y = model.meta.wcs.invert(ra, dec, with_bounding_box=False)
    kinds = np.arange(ra.size) >= scene.stars.magnitude.size
    flux = {
        e: 3631e9 * 10 ** (-0.4 * np.append(scene.star_magnitude[e], scene.galaxy_magnitude[e]))
        for e in ELEMENTS
    }
    return x, y, flux, kinds
