"""Simulations: files on disk, truth in the database."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from astropy.table import Table

from loaders.input_file import fingerprint
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.rejection import Rejected
from loaders.simulation.external_catalog import CatalogErrors, external_catalog
from loaders.simulation.level3 import simulate_level3
from loaders.simulation.mosaic import MosaicGrid
from loaders.simulation.parameters import SimulationParameters
from loaders.simulation.product import write_product
from loaders.simulation.scene import Scene, make_scene
from loaders.simulation.season import PlannedExposure, plan_exposures
from loaders.simulation.simulate import Simulation, prepare_simulation, simulate_to_file
from loaders.simulation.survey_layout import PlannedCadence, with_cadences
from loaders.simulation.throughput import flux_njy
from loaders.simulation.truth import truth_table, write_truth
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.load_run import InputFile, LoadRun, load_run
from roman_db.parallel import worker_pool
from roman_db.schema.metadata import table as table_of
from roman_db.settings import settings

#: Names of the files that lie beside the exposures.
TRUTH_FILE, CATALOG_FILE, PARAMETERS_FILE = "truth.parquet", "catalog.ecsv", "parameters.json"

#: Half width (pixels) of the PSF: bright stars shed light so far.
_WINGS = 60

#: Pixels over which the PSF is taken as the same.
_ONE_PSF = 700

#: Nominal side of a detector pixel, arcsec.
_PIXEL_ARCSEC = 0.11

_COMMON = ("source_id", "kind", "ra", "dec", "ref_epoch", "pmra", "pmdec", "parallax")


def simulate(
    parameters: SimulationParameters, name: str, directory: Path, progress: Callable[[int, int], None]
) -> Scene:
    """Write the exposures of a scene, its truth and a catalog to begin with, and store the truth.

    Exposures whose file is there already are kept: a simulation that was cut off goes on where it stood.

    Raises
    ------
    Rejected
        If the directory holds a simulation with other parameters, or these make no exposure.
    """
    if not plan_exposures(parameters.survey):
        what = f"no exposure fits into {parameters.survey.duration_days} days"
        raise Rejected("survey.duration_days", what, "Make it longer", "no_exposure")
    directory.mkdir(parents=True, exist_ok=True)
    _claim(directory, parameters)
    arguments = {"name": name, "directory": str(directory)}
    with load_run("simulate", arguments) as run:
        scene = make_scene(parameters)
        _record_given(run, scene, directory / PARAMETERS_FILE)
        write_truth(directory / TRUTH_FILE, scene)
        catalog = external_catalog(scene, CatalogErrors())
        catalog.write(directory / CATALOG_FILE, overwrite=True)
        store_truth(run, name, scene)
        _write_exposures(scene, directory, progress)
    return scene


def with_survey(parameters: SimulationParameters, survey: str) -> SimulationParameters:
    """Parameters with the cadences that the database has of a survey layout.

    Raises
    ------
    Rejected
        If the database has no cadences of a survey of that name.
    """
    cadence = table_of("roman.cadence").c
    columns = cadence.optical_element, cadence.interval_minutes, cadence.exposure_time
    with session.reading() as connection:
        rows = connection.execute(sa.select(*columns).where(cadence.survey == survey)).all()
        known = connection.execute(sa.select(cadence.survey).distinct().order_by(cadence.survey)).scalars()
        if not rows:
            what = f"there is no survey of that name with cadences, but: {', '.join(known) or 'none'}"
            raise Rejected(f"survey {survey}", what, "Name one of these, or add its rows", "unknown_survey")
    return with_cadences(parameters, [PlannedCadence(*row) for row in rows])


def simulate_mosaics(scene: Scene, directory: Path, pixel_scale: float) -> list[Path]:
    """Write a Level-3 mosaic of the scene in every filter, as deep as all its exposures together.

    Parameters
    ----------
    pixel_scale
        Side of a pixel of the sky grid, arcsec.
    """
    survey = scene.parameters.survey
    width, height = (
        math.ceil(n * _PIXEL_ARCSEC / pixel_scale) for n in (survey.window.width, survey.window.height)
    )
    grid = MosaicGrid(pixel_scale, width, height)
    plan = plan_exposures(survey)
    paths = []
    for element, psf in telescope_psfs(scene).items():
        model = simulate_level3(scene, psf, tuple(p for p in plan if p.optical_element == element), grid)
        paths.append(directory / str(model.meta.filename))
        write_product(paths[-1], model)
    return paths


def _claim(directory: Path, parameters: SimulationParameters) -> None:
    """Note the parameters in the directory; exposures with others must not come to lie beside these."""
    noted, text = directory / PARAMETERS_FILE, json.dumps(dataclasses.asdict(parameters), indent=1)
    if not noted.exists():
        whole = noted.with_suffix(".new")
        whole.write_text(text)
        whole.replace(noted)
    elif noted.read_text() != text:
        what = "holds a simulation with other parameters"
        raise Rejected(str(directory), what, "Name another directory, or empty this one", "other_simulation")


def _record_given(run: LoadRun, scene: Scene, parameters: Path) -> None:
    """Record the parameters, and how many sources the scene has, which the truth must have, too."""
    file = InputFile("parameters", str(parameters.absolute()), *fingerprint(parameters))
    with session.transaction() as connection:
        run.record_inputs(connection, [file])
        run.expect(connection, scene.stars.astrometry.ra.size + scene.galaxies.ra.size)


def store_truth(run: LoadRun, name: str, scene: Scene) -> int:
    """Store the truth of a scene in place of an earlier scene of that name; return its number."""
    scenes, sources = table_of("roman.simulated_scene"), table_of("roman.simulated_source")
    truth = truth_table(scene)
    with session.transaction() as connection:
        old = sa.select(scenes.c.scene_id).where(scenes.c.name == name).scalar_subquery()
        connection.execute(sources.delete().where(sources.c.scene_id == old))
        connection.execute(scenes.delete().where(scenes.c.name == name))
        row = {
            "name": name,
            "parameters": dataclasses.asdict(scene.parameters),
            "load_run_id": run.load_run_id,
        }
        scene_id = int(connection.execute(scenes.insert().returning(scenes.c.scene_id), row).scalar_one())
        columns = _source_columns(truth, list(scene.star_magnitude))
        constant = {name: np.full(len(truth), value) for name, value in _keys(scene_id, run).items()}
        copy_rows(connection, "roman.simulated_source", columns | constant)
        run.count(connection, loaded=len(truth))
    return scene_id


def _keys(scene_id: int, run: LoadRun) -> dict[str, int]:
    """Columns that all sources of a scene share."""
    return {"scene_id": scene_id, "load_run_id": run.load_run_id}


def _source_columns(truth: Table, elements: Sequence[str]) -> dict[str, Any]:
    """Columns of ``roman.simulated_source``."""
    magnitudes = [f"mag_{element.lower()}" for element in elements]
    model = [name for name in truth.colnames if name not in (*_COMMON, *magnitudes)]
    fluxes = {element: flux_njy(np.asarray(truth[f"mag_{element.lower()}"])) for element in elements}
    return {
        "source_id": np.asarray(truth["source_id"]),
        "kind": [str(kind) for kind in truth["kind"]],
        "ra": np.asarray(truth["ra"]),
        "dec": np.asarray(truth["dec"]),
        "ref_epoch": np.asarray(truth["ref_epoch"]),
        "pm_ra": np.asarray(truth["pmra"]),
        "pm_dec": np.asarray(truth["pmdec"]),
        "parallax": np.asarray(truth["parallax"]),
        "true_flux": [
            {element: float(flux[row]) for element, flux in fluxes.items()} for row in range(len(truth))
        ],
        "model": [_known(truth, model, row) for row in range(len(truth))],
    }


def _known(truth: Table, names: Sequence[str], row: int) -> dict[str, float | str]:
    """Parameters of one source that apply to it."""
    values = {name: truth[name][row] for name in names}
    return {
        name: str(value) if isinstance(value, str) else float(value)
        for name, value in values.items()
        if isinstance(value, str) or np.isfinite(value)
    }


def _write_exposures(scene: Scene, directory: Path, progress: Callable[[int, int], None]) -> None:
    """Write the exposures that are not there yet, side by side."""
    survey = scene.parameters.survey
    plan = plan_exposures(survey)
    todo = [planned for planned in plan if not (directory / planned.filename(survey.detector)).exists()]
    if not todo:
        return
    simulation = prepare_simulation(scene, telescope_psfs(scene))
    with worker_pool(settings().workers, __name__, _begin, (simulation, directory)) as pool:
        for done, _ in enumerate(pool.map(_write, todo, chunksize=4), 1):
            progress(len(plan) - len(todo) + done, len(plan))


def telescope_psfs(scene: Scene) -> dict[str, EffectivePsf]:
    """PSF of the telescope over the window, by filter."""
    survey, optics = scene.parameters.survey, scene.parameters.optics
    x, y = _nodes(survey.window.x, survey.window.width), _nodes(survey.window.y, survey.window.height)
    elements = {cadence.optical_element for cadence in survey.cadences}
    settings = OpticsSettings(
        half_width=_WINGS, jitter=optics.jitter, extra_aberrations=optics.extra_aberrations
    )
    return {element: optical_psf(survey.detector, element, x, y, settings) for element in sorted(elements)}


def _nodes(first: int, size: int) -> list[float]:
    """Pixels along an axis at which the PSF is computed: the middle of a small window, else also its ends."""
    middle = first + size / 2
    return [middle] if size <= _ONE_PSF else [float(first), middle, float(first + size - 1)]


_shared: tuple[Simulation, Path] | None = None


def _begin(simulation: Simulation, directory: Path) -> None:
    """Keep in this process what all exposures share."""
    global _shared
    _shared = simulation, directory


def _write(planned: PlannedExposure) -> None:
    """Write one exposure."""
    assert _shared is not None
    simulate_to_file(_shared[0], planned, _shared[1])
