"""Photometry into light curves: what is still to do, and one unit of it in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.astrometry.load import StoredExposure, read_exposures, read_stars
from loaders.astrometry.stars import CatalogStars
from loaders.light_curve.block import NONE, BlockKey, Epochs
from loaders.light_curve.load import BlockContext, NewBlock, withdraw_exposures, write_blocks
from loaders.photometry.apertures import APERTURE_RADIUS, measure_apertures
from loaders.photometry.assemble import assemble_block
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.photometry.measure import ExposureMeasurement, measure_exposure
from loaders.photometry.metrics import exposure_metrics, psf_metrics, scatter_metrics
from loaders.photometry.options import FitOptions
from loaders.photometry.spool import spool
from loaders.psf.load import LIMITS, ServingPsf, psf_for
from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected, unexpected
from roman_db import session
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.parallel import worker_pool
from roman_db.quality import Metric, store_metrics
from roman_db.settings import settings

#: Kinds of photometry that are made here: with positions held, with those of bright stars fitted, and sums in
#: circles, which no PSF serves.
EVERY_DAY, FREE, APERTURE = "psf", "psf_free", "aperture"

#: And of the changes against the fluxes on a reference image, with positions held.
DIFFERENCE = "dia"

#: An exposure that an image refused unread, as its file was not there, has no scale of its light: it is not
#: photometered now, but what was measured of it before stays.
_PENDING = """
WITH measured AS (
    SELECT b.block_id, b.catalog_version_id, m.exposure_id, m.file_id, m.psf_model_id
    FROM roman.light_curve_block b CROSS JOIN LATERAL
        unnest(b.exposure_id, b.file_id, b.psf_model_id) AS m (exposure_id, file_id, psf_model_id)
    WHERE b.photometry_kind = CAST(:photometry_kind AS text) AND b.superseded_at IS NULL
      AND b.start_mjd <= CAST(:last_day AS int) AND b.end_mjd > CAST(:first_day AS int)
), refused AS (
    SELECT e.exposure_id, bool_or(m.flux_scale IS NOT NULL) AS is_misfit
    FROM roman.reference_image_exposure m JOIN roman.reference_image r USING (reference_image_id)
    JOIN roman.exposure e ON e.exposure_id = m.exposure_id AND e.file_id = m.file_id
    WHERE NOT m.is_used AND r.superseded_at IS NULL GROUP BY e.exposure_id
), pending AS (
    SELECT e.*, m.block_id
    FROM roman.exposure e
    JOIN roman.optical_element o USING (optical_element)
    LEFT JOIN measured m USING (exposure_id)
    LEFT JOIN refused x USING (exposure_id)
    WHERE o.kind = 'imaging'
      AND (x.exposure_id IS NULL OR x.is_misfit AND m.block_id IS NOT NULL)
      AND (x.exposure_id IS NOT NULL
           OR m.block_id IS NULL OR CAST(:redo AS bool) OR m.file_id IS DISTINCT FROM e.file_id
           OR CAST(:follow_catalog AS bool) AND m.catalog_version_id < (
               SELECT max(v.catalog_version_id) FROM roman.catalog_version v
               WHERE v.n_new > 0 OR v.n_restored > 0)
           OR m.psf_model_id IS NULL AND CAST(:photometry_kind AS text) <> 'aperture' AND EXISTS (
               SELECT FROM roman.psf_model p
               WHERE p.detector = e.detector AND p.optical_element = e.optical_element
                 AND p.superseded_at IS NULL
                 AND p.epoch_mjd_tdb >= e.day_mjd AND p.epoch_mjd_tdb < e.day_mjd + 1
                 AND p.n_star >= CAST(:min_star AS int) AND p.reduced_chi2 <= CAST(:max_chi2 AS float8)))
      AND e.day_mjd BETWEEN CAST(:first_day AS int) AND CAST(:last_day AS int)
      AND (CAST(:photometry_kind AS text) <> 'dia' OR EXISTS (
          SELECT FROM roman.reference_image r
          JOIN roman.reference_source s ON s.reference_image_id = r.reference_image_id
          WHERE r.field_id = e.field_id AND r.detector = e.detector AND r.optical_element = e.optical_element
            AND r.superseded_at IS NULL))
      AND e.detector = coalesce(CAST(:detector AS text), e.detector)
      AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
), unit AS (
    SELECT field_id, detector, optical_element, day_mjd AS start_mjd, block_id,
           array_agg(exposure_id ORDER BY midpoint_mjd_tdb) AS exposure_id,
           CAST('{}' AS bigint[]) AS withdrawn
    FROM pending WHERE block_id IS NULL GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT b.field_id, b.detector, b.optical_element, b.start_mjd, b.block_id,
           ARRAY(SELECT one FROM unnest(b.exposure_id) WITH ORDINALITY AS m (one, n)
                 WHERE one NOT IN (SELECT exposure_id FROM refused WHERE is_misfit) ORDER BY n),
           ARRAY(SELECT one FROM unnest(b.exposure_id) AS m (one)
                 WHERE one IN (SELECT exposure_id FROM refused WHERE is_misfit) ORDER BY one)
    FROM roman.light_curve_block b WHERE b.block_id IN (SELECT block_id FROM pending)
)
SELECT f.name AS field, CAST(:photometry_kind AS text) AS photometry_kind, u.*
FROM unit u JOIN roman.field f USING (field_id)
ORDER BY start_mjd, field_id, detector, optical_element, block_id NULLS FIRST
"""

#: The sky around a source is taken away here as it is from the sums in exposures.
_STATIC_FLUX = """
SELECT DISTINCT ON (s.object_id) s.object_id,
       p.aper_flux[array_position(c.aper_radius, CAST(:radius AS real))]
       - coalesce(p.aper_bkg_flux, 0) * pi() * CAST(:radius AS float8) ^ 2 AS flux
FROM roman.source s JOIN roman.source_catalog c USING (source_catalog_id)
JOIN roman.source_photometry p USING (source_catalog_id, label)
WHERE c.superseded_at IS NULL AND c.exposure_id IS NULL AND p.optical_element = CAST(:element AS text)
  AND s.object_id = ANY(CAST(:object_id AS bigint[]))
ORDER BY s.object_id, s.source_catalog_id DESC
"""


#: Of objects too faint for the image of a span, those on the image of a season.
_REFERENCE_FLUX = """
WITH image AS (
    SELECT DISTINCT ON (r.reference_kind) r.reference_image_id, r.reference_kind
    FROM roman.reference_image r
    WHERE r.superseded_at IS NULL AND r.field_id = $1 AND r.detector = $2 AND r.optical_element = $3
      AND EXISTS (SELECT FROM roman.reference_source q WHERE q.reference_image_id = r.reference_image_id)
    ORDER BY r.reference_kind, r.start_mjd > $4, abs(r.start_mjd - $4)
)
SELECT DISTINCT ON (s.object_id) s.object_id, s.psf_flux::float8
FROM image i JOIN roman.reference_source s USING (reference_image_id)
WHERE s.psf_flux IS NOT NULL
ORDER BY s.object_id, i.reference_kind = 'season'
"""


def pending_units(arguments: Mapping[str, Any]) -> list[Unit]:
    """List exposures not photometered yet by field, detector, optical element and day.

    Left out are those that did not fit a reference image: their WCS or their light is wrong.
    Listed whole are blocks that hold an exposure whose file is another than the one that was measured, or one
    that was measured with the PSF of the optics although the library has a good one of its day by now, or one
    that was found not to fit since: without it, which is ``withdrawn``. With
    ``redo`` all blocks of the days, with ``follow_catalog`` those measured before the catalog last grew.
    Arguments: ``first_day, last_day`` (MJD), ``detector, optical_element`` (or None), ``redo``,
    ``follow_catalog``, ``photometry_kind`` ("psf", "psf_free" for positions fitted with the fluxes,
    "aperture", or "dia" for changes against a reference image, of exposures of which there is one).
    """
    limits = {"min_star": LIMITS.min_star, "max_chi2": LIMITS.max_chi2}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_PENDING), dict(arguments) | limits).all()
    return [Unit(_name(row), row._asdict()) for row in rows]


def _name(row: sa.Row[Any]) -> str:
    """Name of a unit; a block that is done again has its number in it, a kind not of every day its own."""
    new = f"{row.field} {row.detector} {row.optical_element} {row.start_mjd}"
    new += "" if row.photometry_kind == EVERY_DAY else f" {row.photometry_kind}"
    return new if row.block_id is None else f"{new} block {row.block_id}"


def photometer_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Photometer the exposures of a unit, day by day, and store them as a block for each day.

    Those that are withdrawn go with the block that holds them, also where nothing takes its place. All blocks
    are stored in one transaction. Those of a merged block wait on disk, so that memory holds the
    measurements of one day.
    """
    with session.reading() as connection:
        exposures = read_exposures(connection, unit.arguments["exposure_id"])
    days = [list(of_day) for _, of_day in groupby(exposures, lambda exposure: exposure.day_mjd)]
    done = 0
    with TemporaryDirectory(prefix="roman-db-") as folder:
        measured = []
        for number, of_day in enumerate(days):
            tell = partial(_tell, progress, f"photometer {unit.name}", done, len(exposures))
            place = Path(folder) / f"{number}.npz" if len(days) > 1 else None
            measured.append(_measure_day(unit, run, of_day, tell, place))
            done += len(of_day)
        if kept := [day for day in measured if day is not None]:
            _store(run, kept, unit.arguments["withdrawn"])
    if not exposures:
        _withdraw(unit)


def _tell(progress: Progress, what: str, before: int, total: int, done: int) -> None:
    """Report how many exposures of a unit are done: those of the days before, and some of this day."""
    progress(what, before + done, total)


@dataclass(frozen=True)
class _MeasuredDay:
    """A block to be stored, whence it comes, and the quality of its exposures and itself; values by name."""

    block: NewBlock
    catalog_version_id: int
    n_exposure: int
    of_exposures: Sequence[Metric]
    of_block: Sequence[tuple[str, float]]


def _measure_day(
    unit: Unit,
    run: LoadRun,
    exposures: Sequence[StoredExposure],
    tell: Callable[[int], None],
    place: Path | None,
) -> _MeasuredDay | None:
    """Measure the exposures of a day; None if all had to be refused.

    The PSF is that of the middle of the day, whatever exposures of it are measured together: one of the day
    itself is nearer to it than any other. The photometry waits in a file, or in memory where there is none.
    """
    detector, element = unit.arguments["detector"], unit.arguments["optical_element"]
    kind, day = unit.arguments["photometry_kind"], exposures[0].day_mjd
    serving, stars = None, _stars(element, exposures, run)
    with session.reading() as connection:
        if kind == APERTURE:
            stars = with_static_flux(connection, stars, element)
        else:
            serving = psf_for(connection, detector, element, day + 0.5)
    if kind == DIFFERENCE:
        stars = with_reference_fluxes(stars, unit.arguments, day)
    psf = None if serving is None else serving.psf
    shared = _Shared(stars, psf, FitOptions(fit_positions=kind == FREE), kind == DIFFERENCE)
    measured = []
    for done, outcome in enumerate(_measure_all(exposures, shared), 1):
        if isinstance(outcome, Rejected):
            with session.transaction() as connection:
                run.reject(connection, outcome)
        else:
            measured.append(outcome)
        tell(done)
    if not measured:
        return None
    kept = {measurement.exposure_id for measurement in measured}
    exposures = [exposure for exposure in exposures if exposure.exposure_id in kept]
    photometry = assemble_block(stars, measured)
    key = BlockKey(unit.arguments["field_id"], detector, element, kind, day, day + 1)
    epochs = _epochs(exposures, serving)
    of_psf = (
        () if serving is None else psf_metrics(epochs.mjd_tdb, np.full(len(exposures), serving.epoch_mjd_tdb))
    )
    return _MeasuredDay(
        NewBlock(key, epochs, (lambda: photometry) if place is None else spool(photometry, place)),
        stars.catalog_version_id,
        len(measured),
        _exposure_metrics(element, exposures, stars, measured) if kind == EVERY_DAY else [],
        [*scatter_metrics(photometry.segments), *of_psf],
    )


def _stars(element: str, exposures: Sequence[StoredExposure], run: LoadRun) -> CatalogStars:
    """Read the catalogued stars; where there is none all exposures of the unit are refused, and it fails."""
    try:
        return read_stars(element, exposures)
    except Rejected as rejected:
        why = {"code": rejected.code, "reason": rejected.what, "remedy": rejected.remedy, "row_number": None}
        with session.transaction() as connection:
            run.reject_rows(connection, [why | {"source": str(exposure.path)} for exposure in exposures])
        raise


def with_reference_fluxes(stars: CatalogStars, given: Mapping[str, Any], day: int) -> CatalogStars:
    """Stars with the fluxes of the last reference image that began by a day, or of the first; NaN if none."""
    names = ("field_id", "detector", "optical_element")
    with session.arrow_connection(session.Role.LOADER) as connection, connection.cursor() as cursor:
        cursor.execute(_REFERENCE_FLUX, (*(given[name] for name in names), day))
        object_id, flux = (column.to_numpy() for column in cursor.fetch_arrow_table().columns)
    known = np.full(stars.object_id.size, np.nan)
    _, at, row = np.intersect1d(stars.object_id, object_id, assume_unique=True, return_indices=True)
    known[at] = flux[row]
    return replace(stars, flux=known)


def with_static_flux(connection: sa.Connection, stars: CatalogStars, element: str) -> CatalogStars:
    """Stars whose flux is that in the same aperture of static catalogs, NaN where these have none."""
    values = {"radius": APERTURE_RADIUS, "element": element, "object_id": stars.object_id.tolist()}
    rows = connection.execute(sa.text(_STATIC_FLUX), values).all()
    known = {row.object_id: row.flux for row in rows}
    flux = np.array([known.get(one, np.nan) for one in stars.object_id.tolist()], np.float64)
    return replace(stars, flux=flux)


def _epochs(exposures: Sequence[StoredExposure], serving: ServingPsf | None) -> Epochs:
    """Times and identifiers of exposures, their files, and the PSF that measured them."""
    psf = NONE if serving is None or serving.psf_model_id is None else serving.psf_model_id
    return Epochs(
        np.array([exposure.exposure_id for exposure in exposures], np.int64),
        np.array([exposure.midpoint_mjd_tdb for exposure in exposures], np.float64),
        np.array([exposure.midpoint_bjd_tdb for exposure in exposures], np.float64),
        np.array([exposure.file_id for exposure in exposures], np.int64),
        np.full(len(exposures), psf, np.int64),
    )


def _exposure_metrics(
    element: str,
    exposures: Sequence[StoredExposure],
    stars: CatalogStars,
    measured: Sequence[ExposureMeasurement],
) -> list[Metric]:
    """Quality of the exposures: what their photometry says, and what was noted when they were loaded."""
    metrics = [
        Metric(name, element, value, exposure_id=measurement.exposure_id)
        for measurement in measured
        for name, value in exposure_metrics(stars, measurement).items()
    ]
    return metrics + [
        Metric(name, element, getattr(exposure, name), exposure_id=exposure.exposure_id)
        for exposure in exposures
        for name in ("fraction_usable", "median_background")
    ]


@dataclass(frozen=True)
class _Shared:
    """What all exposures of a unit share in a worker process; without a PSF, apertures are summed."""

    stars: CatalogStars
    psf: EffectivePsf | None
    options: FitOptions
    difference: bool


_shared: _Shared | None = None


def _measure_all(
    exposures: Sequence[StoredExposure], shared: _Shared
) -> Iterator[ExposureMeasurement | Rejected]:
    """Measure the exposures side by side, in order of time; one alone gets all processors."""
    workers = min(settings().workers, len(exposures))
    if workers == 1:
        _set_shared(shared)
        yield from map(_measure, exposures)
        return
    alone = replace(shared, options=replace(shared.options, threads=1))
    with worker_pool(workers, __name__, _set_shared, (alone,)) as pool:
        yield from pool.map(_measure, exposures)


def _set_shared(shared: _Shared) -> None:
    """Keep what the exposures share in this process."""
    global _shared
    _shared = shared


def _measure(exposure: StoredExposure) -> ExposureMeasurement | Rejected:
    """Measure one exposure, or say why it can't be."""
    assert _shared is not None
    path, identifier, stars = exposure.path, exposure.exposure_id, _shared.stars
    try:
        exposure.file.require_unchanged()
        if _shared.psf is None:
            return measure_apertures(path, identifier, stars)
        how = (stars, _shared.psf, _shared.options)
        return measure_exposure(path, identifier, *how, difference=_shared.difference)
    except Rejected as rejected:
        return rejected
    except Exception as error:  # noqa: BLE001 - a fault of ours costs this exposure, not its block
        return unexpected(exposure.path, error)


def _withdraw(unit: Unit) -> None:
    """Let a block go of which no exposure is left to measure."""
    given = unit.arguments
    where, day = (given["field_id"], given["detector"], given["optical_element"]), given["start_mjd"]
    key = BlockKey(*where, given["photometry_kind"], day, day + 1)
    with session.transaction() as connection:
        withdraw_exposures(connection, key, given["withdrawn"])


def _store(run: LoadRun, days: Sequence[_MeasuredDay], withdrawn: Sequence[int]) -> None:
    """Store blocks, metrics and counts in one transaction; the blocks are of a catalog that all days know."""
    version = min(day.catalog_version_id for day in days)
    context = BlockContext(run.load_run_id, version, EXCLUDING_FLAGS)
    with session.transaction() as connection:
        block_ids = write_blocks(connection, [day.block for day in days], context, withdrawn)
        metrics = [metric for day in days for metric in day.of_exposures]
        metrics += [
            Metric(name, day.block.key.optical_element, value, block_id=block_id)
            for day, block_id in zip(days, block_ids, strict=True)
            for name, value in day.of_block
        ]
        store_metrics(connection, run.load_run_id, metrics)
        run.count(connection, loaded=sum(day.n_exposure for day in days))
