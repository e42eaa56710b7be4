"""Simulated exposures of an event whose source lies beside a brighter star; the catalog has both as one."""

from __future__ import annotations

import fcntl
import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.simulation.external_catalog import CatalogErrors, external_catalog
from loaders.simulation.parameters import SimulationParameters, parameters_from_mapping
from loaders.simulation.scene import Scene, make_scene
from loaders.simulation.season import plan_exposures
from loaders.simulation.simulate import prepare_simulation, simulate_to_file

#: Of the source from the star beside it, mas east and north.
OFFSET = np.array([55.0, -40.0])
#: Exposures, and minutes from one to the next.
N_EXPOSURE = 32
INTERVAL = 45.375
CATALOG = "catalog.ecsv"
#: AB magnitudes in F146 of the source and of the star beside it.
SOURCE, BESIDE = 20.6, 20.2

CHANGES = {
    "scene": {
        "variables": [],
        "galaxies": {"density_per_arcmin2": 0},
        "events": [
            {
                "kind": "single_lens",
                "number": 1,
                "t_einstein": [0.35, 0.35],
                "u0": [0.25, 0.25],
                "rho": [0.001, 0.001],
                "t0": [0.5, 0.5],
                "magnitude": [19.0, 21.5],
                "source_fraction": [1.0, 1.0],
                "pi_e": [0.0, 0.0],
            }
        ],
    },
    "survey": {
        "program": 7,
        "start_time": "2027-03-02T12:00:00",
        "duration_days": N_EXPOSURE * INTERVAL / 1440 - 0.001,
        "window": {"x": 1900, "y": 2100, "width": 72, "height": 64},
        "cadences": [
            {
                "optical_element": "F146",
                "interval_minutes": INTERVAL,
                "offset_minutes": 0.0,
                "ma_table": "SIM_66_6",
            }
        ],
    },
}


@dataclass(frozen=True, eq=False)
class Blended:
    """Files, the scene, and the rows of its source and of the star beside it."""

    folder: Path
    scene: Scene
    source: int
    beside: int

    @property
    def catalog(self) -> Path:
        """Catalog in which source and neighbour are one star, and stars are numbered from 1000 on."""
        return self.folder / CATALOG

    @property
    def shares(self) -> np.ndarray:
        """Shares of source and neighbour in their light without magnification."""
        flux = 10 ** (-0.4 * self.scene.star_magnitude["F146"][[self.source, self.beside]])
        return flux / flux.sum()


@functools.cache
def parameters() -> SimulationParameters:
    return parameters_from_mapping(CHANGES)


@functools.cache
def simulated(shared: Path) -> Blended:
    """The files in a folder that all workers of a run share; the first to come makes them."""
    folder = shared / "blended_event"
    folder.mkdir(exist_ok=True)
    blended = _scene(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _write(blended)
            (folder / "done").touch()
    return blended


def _scene(folder: Path) -> Blended:
    """A scene in which some star is moved beside the lensed one, of its motion and parallax."""
    scene = make_scene(parameters())
    at = scene.stars.astrometry
    source = int(scene.events.star[0])
    distance = np.hypot((at.ra - at.ra[source]) * np.cos(np.radians(at.dec)), at.dec - at.dec[source])
    beside = int(np.argsort(distance)[1])
    move = -OFFSET / 3.6e6
    changed = {name: getattr(at, name).copy() for name in ("ra", "dec", "pmra", "pmdec", "parallax")}
    for column in changed.values():
        column[beside] = column[source]
    changed["ra"][beside] += move[0] / np.cos(np.radians(at.dec[source]))
    changed["dec"][beside] += move[1]
    magnitude = scene.star_magnitude["F146"].copy()
    magnitude[[source, beside]] = SOURCE, BESIDE
    stars = replace(scene.stars, astrometry=replace(at, **changed))
    made = replace(scene, stars=stars, star_magnitude={"F146": magnitude})
    return Blended(folder, made, source, beside)


def _write(blended: Blended) -> None:
    survey = blended.scene.parameters.survey
    x, y = survey.window.x + survey.window.width / 2, survey.window.y + survey.window.height / 2
    psf = optical_psf(survey.detector, "F146", x, y, OpticsSettings(half_width=60))
    simulation = prepare_simulation(blended.scene, {"F146": psf})
    for planned in plan_exposures(survey):
        simulate_to_file(simulation, planned, blended.folder)
    table = external_catalog(blended.scene, CatalogErrors(position=0.5, proper_motion=0.1))
    table["source_id"] = np.arange(len(table)) + 1000
    for name in ("ra", "dec"):
        pair = table[name][[blended.source, blended.beside]]
        table[name][blended.source] = float(np.sum(blended.shares * np.asarray(pair)))
    for name in ("flux_F146", "flux_F146_error"):
        table[name][blended.source] += table[name][blended.beside]
    table.remove_row(blended.beside)
    table.write(blended.catalog)
