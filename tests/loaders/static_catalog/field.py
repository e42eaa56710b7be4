"""A small field on disk: mosaics in three bands, three exposures of each, and the truth."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.time import Time

from loaders.psf.optics import optical_psf
from loaders.simulation.astrometry import observed_position
from loaders.simulation.level3 import simulate_level3
from loaders.simulation.mosaic import MosaicGrid
from loaders.simulation.parameters import parameters_from_mapping
from loaders.simulation.product import write_product
from loaders.simulation.scene import Scene, make_scene
from loaders.simulation.season import PlannedExposure, plan_exposures
from loaders.simulation.simulate import prepare_simulation, simulate_to_file

ELEMENTS = ("F106", "F158", "F213")
SIDE, SCALE = 180, 0.055
#: Exposures of each element on disk.
N_EXPOSURE = 3

PARAMETERS = {
    "scene": {
        "seed": 9,
        "stars": {"density_per_arcmin2": 150},
        "variables": [],
        "events": [],
        "galaxies": {"density_per_arcmin2": 200},
    },
    "survey": {
        "duration_days": 0.1,
        "window": {"x": 1800, "y": 1800, "width": SIDE, "height": SIDE},
        "cadences": [
            {
                "optical_element": element,
                "interval_minutes": 20.0,
                "offset_minutes": 4.0 * k,
                "ma_table": "SIM_66_6",
            }
            for k, element in enumerate(ELEMENTS)
        ],
    },
}


@dataclass(frozen=True, eq=False)
class Field:
    """Mosaics by optical element and the folder with these and some exposures of each."""

    folder: Path
    scene: Scene
    mosaics: dict[str, Path]

    def copy(self, folder: Path) -> Field:
        """The same in a folder of the test's own."""
        shutil.copytree(self.folder, folder)
        return Field(folder, self.scene, {e: folder / path.name for e, path in self.mosaics.items()})

    def exposures(self, element: str) -> tuple[PlannedExposure, ...]:
        """Exposures of an element, as planned."""
        plan = plan_exposures(self.scene.parameters.survey)
        return tuple(one for one in plan if one.optical_element == element)

    def write_mosaic(self, element: str, number: int | None = None) -> Path:
        """Make a mosaic of some exposures, in place of the one that is there."""
        grid = MosaicGrid(SCALE, 2 * SIDE, 2 * SIDE)
        chosen = self.exposures(element)[:number]
        model = simulate_level3(self.scene, optical_psf("WFI07", element), chosen, grid)
        path = self.folder / str(model.meta.filename)
        write_product(path, model)
        return path

    def truth(self, element: str):
        """Right ascension, declination (deg), flux (nJy) and whether it is a galaxy, of all sources."""
        scene = self.scene
        mean = Time(np.mean([one.mid_time.mjd for one in self.exposures(element)]), format="mjd", scale="utc")
        ra, dec = observed_position(scene.stars.astrometry, mean)
        magnitude = np.append(scene.star_magnitude[element], scene.galaxy_magnitude[element])
        kind = np.arange(magnitude.size) >= ra.size
        place = np.append(ra, scene.galaxies.ra), np.append(dec, scene.galaxies.dec)
        return *place, 3631e9 * 10 ** (-0.4 * magnitude), kind


def make_field(folder: Path, elements: tuple[str, ...] = ELEMENTS) -> Field:
    """Simulate the field in some optical elements."""
    scene = make_scene(parameters_from_mapping(PARAMETERS))
    folder.mkdir()
    field = Field(folder, scene, {})
    simulation = prepare_simulation(scene, {e: optical_psf("WFI07", e) for e in ELEMENTS})
    for element in elements:
        field.mosaics[element] = field.write_mosaic(element)
        for planned in field.exposures(element)[:N_EXPOSURE]:
            simulate_to_file(simulation, planned, folder)
    return field
