"""Photometry into light curves: what is still to do, and one unit of it in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.astrometry.load import StoredExposure, read_exposures, read_stars
from loaders.astrometry.stars import CatalogStars
from loaders.light_curve.block import BlockKey, Epochs
from loaders.light_curve.load import BlockContext, write_block
from loaders.photometry.assemble import assemble_block
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.photometry.measure import ExposureMeasurement, measure_exposure
from loaders.photometry.metrics import exposure_metrics, scatter_metrics
from loaders.photometry.options import FitOptions
from loaders.psf.load import psf_for
from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected, unexpected
from roman_db import session
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.parallel import worker_pool
from roman_db.quality import Metric, store_metrics
from roman_db.settings import settings

_PENDING = """
WITH pending AS (
    SELECT e.*, b.block_id, b.start_mjd, b.end_mjd
    FROM roman.exposure e
    JOIN roman.optical_element o USING (optical_element)
    JOIN ops.input_file f USING (file_id)
    LEFT JOIN roman.light_curve_block b
        ON b.exposure_id @> ARRAY[e.exposure_id] AND b.photometry_kind = 'psf' AND b.superseded_at IS NULL
    WHERE o.kind = 'imaging'
      AND (b.block_id IS NULL OR f.load_run_id > b.load_run_id OR CAST(:redo AS bool))
      AND e.day_mjd BETWEEN CAST(:first_day AS int) AND CAST(:last_day AS int)
      AND e.detector = coalesce(CAST(:detector AS text), e.detector)
      AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
)
SELECT field_id, detector, optical_element, day_mjd AS start_mjd, day_mjd + 1 AS end_mjd,
       array_agg(exposure_id ORDER BY midpoint_mjd_tdb) AS exposure_id
FROM pending WHERE block_id IS NULL GROUP BY 1, 2, 3, 4
UNION ALL
SELECT b.field_id, b.detector, b.optical_element, b.start_mjd, b.end_mjd, b.exposure_id
FROM roman.light_curve_block b WHERE b.block_id IN (SELECT block_id FROM pending)
ORDER BY start_mjd, field_id, detector, optical_element
"""


def pending_units(arguments: Mapping[str, Any]) -> list[Unit]:
    """List exposures not photometered yet by field, detector, optical element and day.

    Blocks that hold an exposure whose file has been replaced since are listed whole, and with ``redo`` all
    blocks of the days. Arguments: ``first_day, last_day`` (MJD), ``detector, optical_element`` (or None),
    ``redo``.
    """
    with session.reading() as connection:
        rows = connection.execute(sa.text(_PENDING), dict(arguments)).all()
    return [Unit(f"{row.detector} {row.optical_element} {row.start_mjd}", row._asdict()) for row in rows]


def photometer_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Photometer the exposures of a unit and store them as one block."""
    element = unit.arguments["optical_element"]
    with session.reading() as connection:
        exposures = read_exposures(connection, unit.arguments["exposure_id"])
        middle = float(np.mean([exposure.midpoint_mjd_tdb for exposure in exposures]))
        psf = psf_for(connection, unit.arguments["detector"], element, middle)
        catalog = connection.execute(sa.text("SELECT max(catalog_version_id) FROM roman.catalog_version"))
        context = BlockContext(run.load_run_id, catalog.scalar_one() or 0, EXCLUDING_FLAGS)
    stars = _stars(element, exposures, run)
    measured = []
    for done, outcome in enumerate(_measure_all(exposures, stars, psf), 1):
        if isinstance(outcome, Rejected):
            with session.transaction() as connection:
                run.reject(connection, outcome)
        else:
            measured.append(outcome)
        progress(f"photometer {unit.name}", done, len(exposures))
    if measured:
        kept = {measurement.exposure_id for measurement in measured}
        exposures = [exposure for exposure in exposures if exposure.exposure_id in kept]
        _store(unit, run, context, exposures, stars, measured)


def _stars(element: str, exposures: Sequence[StoredExposure], run: LoadRun) -> CatalogStars:
    """Read the catalogued stars; where there is none all exposures of the unit are refused, and it fails."""
    try:
        return read_stars(element, exposures)
    except Rejected as rejected:
        why = {"code": rejected.code, "reason": rejected.what, "remedy": rejected.remedy, "row_number": None}
        with session.transaction() as connection:
            run.reject_rows(connection, [why | {"source": str(exposure.path)} for exposure in exposures])
        raise


def _epochs(exposures: Sequence[StoredExposure]) -> Epochs:
    """Times and identifiers of exposures."""
    return Epochs(
        np.array([exposure.exposure_id for exposure in exposures], np.int64),
        np.array([exposure.midpoint_mjd_tdb for exposure in exposures], np.float64),
        np.array([exposure.midpoint_bjd_tdb for exposure in exposures], np.float64),
    )


@dataclass(frozen=True)
class _Context:
    """What all exposures of a unit share in a worker process."""

    stars: CatalogStars
    psf: EffectivePsf
    options: FitOptions


_context: _Context | None = None


def _measure_all(
    exposures: Sequence[StoredExposure], stars: CatalogStars, psf: EffectivePsf
) -> Iterator[ExposureMeasurement | Rejected]:
    """Measure the exposures side by side, in order of time; one alone gets all processors."""
    workers = min(settings().workers, len(exposures))
    files = [(exposure.path, exposure.exposure_id) for exposure in exposures]
    context = _Context(stars, psf, FitOptions())
    if workers == 1:
        _set_context(context)
        yield from map(_measure, files)
        return
    alone = replace(context, options=FitOptions(threads=1))
    with worker_pool(workers, __name__, _set_context, (alone,)) as pool:
        yield from pool.map(_measure, files)


def _set_context(context: _Context) -> None:
    """Keep what the exposures share in this process."""
    global _context
    _context = context


def _measure(file: tuple[Path, int]) -> ExposureMeasurement | Rejected:
    """Measure one exposure, or say why it can't be."""
    assert _context is not None
    try:
        return measure_exposure(file[0], file[1], _context.stars, _context.psf, _context.options)
    except Rejected as rejected:
        return rejected
    except Exception as error:  # noqa: BLE001 - a fault of ours costs this exposure, not its block
        return unexpected(file[0], error)


def _store(
    unit: Unit,
    run: LoadRun,
    context: BlockContext,
    exposures: Sequence[StoredExposure],
    stars: CatalogStars,
    measured: Sequence[ExposureMeasurement],
) -> None:
    """Store block, metrics and counts in one transaction."""
    arguments = unit.arguments
    element = arguments["optical_element"]
    key = BlockKey(
        arguments["field_id"],
        arguments["detector"],
        element,
        "psf",
        arguments["start_mjd"],
        arguments["end_mjd"],
    )
    photometry = assemble_block(stars, measured)
    with session.transaction() as connection:
        block_id = write_block(connection, key, _epochs(exposures), photometry, context)
        metrics = [
            Metric(name, element, value, exposure_id=measurement.exposure_id)
            for measurement in measured
            for name, value in exposure_metrics(stars, measurement).items()
        ]
        metrics += [
            Metric(name, element, getattr(exposure, name), exposure_id=exposure.exposure_id)
            for exposure in exposures
            for name in ("fraction_usable", "median_background")
        ]
        metrics += [
            Metric(name, element, value, block_id=block_id)
            for name, value in scatter_metrics(photometry.segments)
        ]
        store_metrics(connection, run.load_run_id, metrics)
        run.count(connection, loaded=len(measured))
