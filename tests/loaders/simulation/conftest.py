from __future__ import annotations

from dataclasses import replace

import galsim
import numpy as np
import pytest
from astropy.time import Time

from loaders.psf.model import EffectivePsf
from loaders.simulation.lensing import Events
from loaders.simulation.parameters import (
    SimulationParameters,
    StarParameters,
    Window,
    default_parameters,
    parameters_from_mapping,
)
from loaders.simulation.scene import Scene, make_scene
from loaders.simulation.season import PlannedExposure, plan_exposures
from loaders.simulation.simulate import Simulation, prepare_simulation

ELEMENTS = ("F146", "F087", "F213")


def moffat_psf(oversampling: int = 4, half_width: int = 14) -> EffectivePsf:
    """A round Moffat profile seen through square pixels: smooth, with wide wings, one node."""
    size = 2 * half_width * oversampling + 1
    profile = galsim.Convolve(galsim.Moffat(beta=2.5, fwhm=1.2), galsim.Pixel(1.0))
    image = profile.drawImage(nx=size, ny=size, scale=1 / oversampling, method="no_pixel", dtype=float)
    return EffectivePsf((image.array * oversampling**2)[None, None], oversampling, np.zeros(1), np.zeros(1))


@pytest.fixture(scope="session")
def psf() -> EffectivePsf:
    return moffat_psf()


@pytest.fixture(scope="session")
def star_parameters() -> StarParameters:
    return default_parameters().scene.stars


@pytest.fixture(scope="session")
def parameters() -> SimulationParameters:
    """A quarter of a day in a window of 96 x 80 pixels with about 500 stars."""
    survey = {"duration_days": 0.26, "window": {"x": 1900, "y": 2100, "width": 96, "height": 80}}
    events = [
        {
            "kind": "free_floating",
            "number": 1,
            "t_einstein": [0.1, 0.1],
            "u0": [0.1, 0.1],
            "rho": [0.05, 0.05],
            "t0": [0.5, 0.5],
            "magnitude": [17.0, 23.0],
        }
    ]
    return parameters_from_mapping({"survey": survey, "scene": {"events": events}})


@pytest.fixture(scope="session")
def scene(parameters: SimulationParameters) -> Scene:
    return make_scene(parameters)


@pytest.fixture(scope="session")
def simulation(scene: Scene, psf: EffectivePsf) -> Simulation:
    return prepare_simulation(scene, dict.fromkeys(ELEMENTS, psf))


@pytest.fixture(scope="session")
def plan(parameters: SimulationParameters) -> tuple[PlannedExposure, ...]:
    return plan_exposures(parameters.survey)


@pytest.fixture
def window() -> Window:
    return Window(1000, 500, 64, 48)


@pytest.fixture(scope="session")
def lonely(psf: EffectivePsf) -> Simulation:
    """One star of magnitude 17 in the middle, moving and variable by an event; a quiet detector."""
    changes = {
        "scene": {
            "stars": {"density_per_arcmin2": 40},
            "variables": [],
            "galaxies": {"density_per_arcmin2": 0},
        },
        "survey": {
            "duration_days": 0.26,
            "alignment_error_mas": 0.0,
            "window": {"x": 900, "y": 900, "width": 64, "height": 64},
        },
        "detector": {"cosmic_ray_rate": 0.0, "bad_pixels": False, "full_well": 1e9},
    }
    scene = _with_one_star(make_scene(parameters_from_mapping(changes)))
    return prepare_simulation(scene, dict.fromkeys(ELEMENTS, psf))


def _with_one_star(scene: Scene) -> Scene:
    astrometry = replace(
        scene.stars.astrometry,
        ra=np.array([268.0003]),
        dec=np.array([-29.2002]),
        pmra=np.array([30.0]),
        pmdec=np.array([-20.0]),
        parallax=np.array([2.0]),
    )
    stars = replace(
        scene.stars,
        astrometry=astrometry,
        magnitude=np.array([17.0]),
        temperature=np.array([5000.0]),
        a_v=np.array([2.0]),
        population=np.array(["bulge"]),
    )
    start = float(Time(scene.parameters.survey.start_time, scale="utc").tdb.mjd)
    numbers = (start + 0.13, 0.2, 0.1, 0.0, 1.0, 0.0, 0.0)
    events = Events(np.array([0]), np.array(["single_lens"]), *(np.array([v]) for v in numbers))
    magnitudes = {"F146": np.array([17.0]), "F087": np.array([18.0]), "F213": np.array([17.2])}
    return replace(scene, stars=stars, events=events, star_magnitude=magnitudes)
