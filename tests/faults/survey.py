"""A small simulated survey, made once for all tests and all workers of a run."""

from __future__ import annotations

import fcntl
import functools
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.simulation.external_catalog import CatalogErrors, external_catalog
from loaders.simulation.parameters import SimulationParameters, parameters_from_mapping
from loaders.simulation.scene import Scene, make_scene
from loaders.simulation.season import plan_exposures
from loaders.simulation.simulate import prepare_simulation, simulate_to_file

#: Constant stars alone, four exposures in F146 before midnight and four after, and one in F087.
CHANGES = {
    "scene": {"variables": [], "events": [], "galaxies": {"density_per_arcmin2": 0}},
    "survey": {
        "start_time": "2027-03-01T23:20:00",
        "duration_days": 0.06,
        "window": {"x": 1900, "y": 2100, "width": 72, "height": 64},
        "exposures_per_visit": 4,
        "cadences": [
            {
                "optical_element": "F146",
                "interval_minutes": 12.1,
                "offset_minutes": 0.0,
                "ma_table": "SIM_66_6",
            },
            {
                "optical_element": "F087",
                "interval_minutes": 363.0,
                "offset_minutes": 4.0,
                "ma_table": "SIM_66_6",
            },
        ],
    },
}
#: MJD TDB of the days before and after midnight.
DAYS = (61465, 61466)
DETECTOR = "WFI07"
CATALOG = "catalog.ecsv"


@dataclass(frozen=True, eq=False)
class Survey:
    """Files on disk, and the truth."""

    folder: Path
    scene: Scene

    def exposures(self, element: str = "F146", day: int | None = None) -> list[Path]:
        """Files of an optical element in order of time, of one day or of all."""
        files = sorted(self.folder.glob(f"*_{element.lower()}_cal.asdf"))
        return files if day is None else [files[:4], files[4:]][DAYS.index(day)]

    @property
    def catalog(self) -> Path:
        """Catalog of all stars, with errors."""
        return self.folder / CATALOG

    def copy(self, folder: Path, files: list[Path] | None = None) -> Survey:
        """The same in a folder of the test's own: all files or some exposures, and the catalog."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in [*(sorted(self.folder.glob("*.asdf")) if files is None else files), self.catalog]:
            shutil.copy(path, folder)
        return Survey(folder, self.scene)


@functools.cache
def parameters() -> SimulationParameters:
    """Parameters of the survey."""
    return parameters_from_mapping(CHANGES)


@functools.cache
def simulated(shared: Path) -> Survey:
    """The survey in a folder that all workers of a run share; the first to come makes it."""
    folder = shared / "small_survey"
    folder.mkdir(exist_ok=True)
    scene = make_scene(parameters())
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / CATALOG).exists():
            _write(scene, folder)
    return Survey(folder, scene)


def _write(scene: Scene, folder: Path) -> None:
    survey = scene.parameters.survey
    x, y = survey.window.x + survey.window.width / 2, survey.window.y + survey.window.height / 2
    elements = [cadence.optical_element for cadence in survey.cadences]
    wide = OpticsSettings(half_width=60)
    psfs = {element: optical_psf(survey.detector, element, x, y, wide) for element in elements}
    simulation = prepare_simulation(scene, psfs)
    for planned in plan_exposures(survey):
        simulate_to_file(simulation, planned, folder)
    table = external_catalog(scene, CatalogErrors(position=0.3, proper_motion=0.1))
    table["source_id"] = np.arange(len(table)) + 1000
    table.write(folder / CATALOG)
