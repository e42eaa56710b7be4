"""The demonstration run: every step is a command that a user would give, and can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.catalog.load import CatalogOptions, load_catalog
from loaders.daily.load import DailySummary, summarise_run
from loaders.daily.tasks import DAILY, selection
from loaders.demonstration.recovery import EventRecovery, Recovery, best_event, event_recovery, recovery
from loaders.photometry.metrics import HARMLESS
from loaders.simulation.load import CATALOG_FILE, simulate
from loaders.simulation.parameters import SimulationParameters
from loaders.simulation.scene import Scene
from loaders.simulation.throughput import flux_njy
from loaders.wfi.load import expand, load_exposures
from roman_db import session
from roman_db.jobs import ModeReport, run_mode

#: Name of the scene and of its catalog in the database.
NAME = "demonstration"

#: Optical element of the picture, and MJD of the origin of Julian Dates.
ELEMENT, MJD_OF_JD_ZERO = "F146", -2_400_000.5

FloatArray = npt.NDArray[np.float64]
Step = Callable[[str, int, int], None]

_CURVES = """
SELECT a.source_id::bigint, l.object_id, l.midpoint_bjd_tdb, l.flux::float8, l.flux_err::float8, l.flags
FROM roman.object_alias a JOIN roman.light_curve l ON l.object_id = a.object_id
WHERE a.catalog_name = $1 AND l.optical_element = $2 AND l.photometry_kind = 'psf'
"""


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration found."""

    report: ModeReport
    summary: DailySummary
    stars: Recovery
    event: EventRecovery
    event_object_id: int


@dataclass(frozen=True)
class _Curves:
    """Light curves of all stars of a scene, shape (n_star, n_epoch); NaN where there is no good point."""

    object_id: npt.NDArray[np.int64]
    bjd_tdb: FloatArray
    flux: FloatArray
    error: FloatArray


def demonstrate(directory: Path, parameters: SimulationParameters, days: float, step: Step) -> Demonstration:
    """Simulate, load, photometer, and compare with the truth."""
    survey = replace(parameters.survey, duration_days=days)
    scene = simulate(
        replace(parameters, survey=survey), NAME, directory, lambda done, n: step("simulate", done, n)
    )
    paths = expand([directory])
    load_exposures(paths, False, lambda done: step("load exposures", done, len(paths)))
    options = CatalogOptions(name=NAME)
    load_catalog(directory / CATALOG_FILE, options, lambda done, n: step("load catalog", done, n))
    report = run_mode(DAILY, selection(), step)
    curves = _read_curves(scene)
    truth, rest = _truth(scene, curves)
    events = np.intersect1d(scene.events.star, np.flatnonzero(np.isfinite(curves.flux).any(axis=1)))
    star = best_event(curves.flux, curves.error, truth, rest, events)
    return Demonstration(
        report,
        summarise_run(report.load_run_id),
        recovery(curves.flux, curves.error, truth),
        event_recovery(curves.flux, curves.error, truth, rest, star),
        int(curves.object_id[star]),
    )


def _read_curves(scene: Scene) -> _Curves:
    """Read the light curves of the scene's stars from the database."""
    with session.arrow_connection() as connection, connection.cursor() as cursor:
        cursor.execute(_CURVES, (NAME, ELEMENT))
        columns = [column.to_numpy() for column in cursor.fetch_arrow_table().columns]
    source, object_id, bjd, flux, error, flags = columns
    epochs, column = np.unique(bjd, return_inverse=True)
    shape = scene.stars.magnitude.size, epochs.size
    curves = _Curves(np.zeros(shape[0], np.int64), epochs, np.full(shape, np.nan), np.full(shape, np.nan))
    curves.object_id[source] = object_id
    curves.flux[source, column] = np.where(flags & ~HARMLESS == 0, flux, np.nan)
    curves.error[source, column] = error
    return curves


def _truth(scene: Scene, curves: _Curves) -> tuple[FloatArray, FloatArray]:
    """True fluxes at the epochs, and at rest."""
    rest = flux_njy(scene.star_magnitude[ELEMENT])
    factor = scene.flux_factor(curves.bjd_tdb + MJD_OF_JD_ZERO)
    return rest[:, None] * factor.T, rest
