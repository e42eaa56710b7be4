"""Simulated exposures in which a lens moves away from its source; the catalog has both as one."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from astropy.time import Time

from loaders.astrometry.stars import julian_year
from loaders.psf.load import row_of_psf, wide_psf
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.simulation.external_catalog import CatalogErrors, external_catalog
from loaders.simulation.parameters import SimulationParameters, parameters_from_mapping
from loaders.simulation.scene import make_scene
from loaders.simulation.season import plan_exposures
from loaders.simulation.simulate import prepare_simulation, simulate_to_file
from roman_db import session
from roman_db.schema.metadata import table
from tests.loaders.refined_photometry.blended import CHANGES, INTERVAL, Blended

#: Of the lens less that of the source, mas/yr east and north: so fast that a year is enough.
MOTION = np.array([28.0, -24.0])
#: AB magnitudes in F146 of source and lens.
SOURCE, LENS = 18.6, 19.3
#: First day, roll of V3 and exposures of each season: 1 in spring, 2 in autumn, 3 in spring again.
SEASONS = {1: (61460, 0.0, 4), 2: (61650, 180.0, 4), 3: (61825, 0.0, 24)}
DETECTOR, ELEMENT = "WFI07", "F146"


def parameters(season: int) -> SimulationParameters:
    day, turn, n = SEASONS[season]
    survey = CHANGES["survey"] | {
        "program": season,
        "start_time": Time(day, format="mjd").isot,
        "duration_days": n * INTERVAL / 1440 - 0.001,
    }
    made = parameters_from_mapping(CHANGES | {"survey": survey})
    return replace(made, survey=replace(made.survey, roll_v3=(made.survey.roll_v3 + turn) % 360))


def separating(shared: Path) -> Blended:
    """The files in a folder that all workers of a run share; the first to come makes them."""
    folder = shared / "separating_event"
    folder.mkdir(exist_ok=True)
    made = _scene(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _write(made)
            (folder / "done").touch()
    return made


def _scene(folder: Path) -> Blended:
    """A scene in which some star is put where the lensed one is when it is lensed, with another motion."""
    scene = make_scene(parameters(1))
    at = scene.stars.astrometry
    source = int(scene.events.star[0])
    distance = np.hypot((at.ra - at.ra[source]) * np.cos(np.radians(at.dec)), at.dec - at.dec[source])
    lens = int(np.argsort(distance)[1])
    moved = {name: getattr(at, name).copy() for name in ("ra", "dec", "pmra", "pmdec", "parallax")}
    for column in moved.values():
        column[lens] = column[source]
    since = MOTION * (julian_year(float(scene.events.t0[0])) - parameters(1).scene.reference_epoch) / 3.6e6
    moved["ra"][lens] -= since[0] / np.cos(np.radians(at.dec[source]))
    moved["dec"][lens] -= since[1]
    moved["pmra"][lens] += MOTION[0]
    moved["pmdec"][lens] += MOTION[1]
    magnitude = scene.star_magnitude[ELEMENT].copy()
    magnitude[[source, lens]] = SOURCE, LENS
    stars = replace(scene.stars, astrometry=replace(at, **moved))
    return Blended(folder, replace(scene, stars=stars, star_magnitude={ELEMENT: magnitude}), source, lens)


def _middle() -> tuple[float, float]:
    window = parameters(1).survey.window
    return window.x + window.width / 2, window.y + window.height / 2


def _write(made: Blended) -> None:
    psf = optical_psf(DETECTOR, ELEMENT, *_middle(), OpticsSettings(half_width=60))
    for season in SEASONS:
        chosen = parameters(season)
        simulation = prepare_simulation(replace(made.scene, parameters=chosen), {ELEMENT: psf})
        for planned in plan_exposures(chosen.survey):
            simulate_to_file(simulation, planned, made.folder)
    table = external_catalog(made.scene, CatalogErrors(position=0.5, proper_motion=0.1))
    table["source_id"] = np.arange(len(table)) + 1000
    for name in ("ra", "dec", "pmra", "pmdec"):
        table[name][made.source] = float(made.shares @ np.asarray(table[name][[made.source, made.beside]]))
    for name in ("flux_F146", "flux_F146_error"):
        table[name][made.source] += table[name][made.beside]
    table.remove_row(made.beside)
    table.write(made.catalog)


def store_library_psf() -> None:
    """The PSF of the simulation as an entry of the library, of the time of the last season."""
    core = optical_psf(DETECTOR, ELEMENT, *_middle(), OpticsSettings(half_width=12))
    core = replace(core, x_node=np.zeros(1), y_node=np.zeros(1))
    epoch = float(SEASONS[3][0])
    row = row_of_psf(core, wide_psf(DETECTOR, ELEMENT)) | {
        "detector": DETECTOR, "optical_element": ELEMENT, "epoch_mjd_tdb": epoch,
        "epoch_start_mjd_tdb": epoch, "epoch_end_mjd_tdb": epoch, "exposure_id": [1], "n_star": 500,
        "reduced_chi2": 1.0, "residual_fraction": 0.002, "origin": "empirical", "flux_scale": "catalog",
    }  # fmt: skip
    with session.transaction() as connection:
        run = connection.execute(sa.text("SELECT max(load_run_id) FROM ops.load_run")).scalar_one()
        connection.execute(table("roman.psf_model").insert(), row | {"load_run_id": run})
