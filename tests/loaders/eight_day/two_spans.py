"""Two short series of exposures eight days apart, between which a star brightened and one appeared."""

from __future__ import annotations

import fcntl
import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.simulation.parameters import SimulationParameters, parameters_from_mapping
from loaders.simulation.scene import Scene, make_scene
from loaders.simulation.season import plan_exposures
from loaders.simulation.simulate import prepare_simulation, simulate_to_file

STARTS = ("2027-03-01T06:00:00", "2027-03-09T06:00:00")
#: MJD TDB of the days on which the series are taken.
DAYS = (61465, 61473)
N_EXPOSURE = 20
#: The exposure of the first series whose WCS is far off, and by how much (mas).
LOST, FAR = 5, 400.0
BRIGHTER = 1.0


def parameters(number: int) -> SimulationParameters:
    """Parameters of a series: constant stars alone."""
    return parameters_from_mapping(
        {
            "scene": {"variables": [], "events": [], "galaxies": {"density_per_arcmin2": 0}},
            "survey": {
                "execution_plan": number + 1,
                "start_time": STARTS[number],
                "duration_days": N_EXPOSURE * 12.1 / 1440 - 0.001,
                "pointing_scatter_mas": 30.0,
                "window": {"x": 1900, "y": 2100, "width": 72, "height": 64},
                "seed": number + 1,
                "cadences": [
                    {
                        "optical_element": "F146",
                        "interval_minutes": 12.1,
                        "offset_minutes": 0.0,
                        "ma_table": "SIM_66_6",
                    }
                ],
            },
        }
    )


@dataclass(frozen=True, eq=False)
class TwoSpans:
    """Files of both series, their scenes, and the rows of the stars that brightened and appeared."""

    folder: Path
    scenes: tuple[Scene, Scene]
    brightened: int
    appeared: int

    @property
    def files(self) -> list[Path]:
        """All exposures."""
        return sorted(self.folder.glob("*_cal.asdf"))


@functools.cache
def simulated(shared: Path) -> TwoSpans:
    """The files in a folder that all workers of a run share; the first to come makes them."""
    folder = shared / "two_spans"
    folder.mkdir(exist_ok=True)
    spans = _scenes(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _write(spans)
            (folder / "done").touch()
    return spans


def _scenes(folder: Path) -> TwoSpans:
    """The same stars, two of which are not the same before and after."""
    before, after = (make_scene(parameters(number)) for number in (0, 1))
    stars = before.stars
    east = (stars.astrometry.ra - before.parameters.scene.ra) * np.cos(np.radians(stars.astrometry.dec))
    middle = np.hypot(east, stars.astrometry.dec - before.parameters.scene.dec) * 3600 < 2.5
    bright = np.flatnonzero(middle & (stars.magnitude > 18) & (stars.magnitude < 20.5))
    brightened, appeared = (int(row) for row in bright[:2])
    magnitude = before.star_magnitude["F146"].copy()
    absent, lit = magnitude.copy(), magnitude.copy()
    absent[appeared] = 40.0
    lit[brightened] -= BRIGHTER
    scenes = (
        replace(before, star_magnitude=dict(before.star_magnitude) | {"F146": absent}),
        replace(after, star_magnitude=dict(before.star_magnitude) | {"F146": lit}),
    )
    return TwoSpans(folder, scenes, brightened, appeared)


def _write(spans: TwoSpans) -> None:
    for scene in spans.scenes:
        survey = scene.parameters.survey
        x, y = survey.window.x + survey.window.width / 2, survey.window.y + survey.window.height / 2
        psf = optical_psf(survey.detector, "F146", x, y, OpticsSettings(half_width=60))
        simulation = prepare_simulation(scene, {"F146": psf})
        lost = replace(
            simulation,
            scene=replace(
                scene, parameters=replace(scene.parameters, survey=replace(survey, alignment_error_mas=FAR))
            ),
        )
        for planned in plan_exposures(survey):
            is_lost = scene is spans.scenes[0] and planned.index == LOST
            simulate_to_file(lost if is_lost else simulation, planned, spans.folder)
