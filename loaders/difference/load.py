"""Differences of reference images in the database: each compared with the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from loaders.astrometry.stars import julian_year
from loaders.catalog.load import store_found
from loaders.catalog.sources import Sources
from loaders.detection.load import MATCH_RADIUS, KnownObjects, read_known
from loaders.difference.far_pixels import fraction_beyond, of_changes
from loaders.difference.matching import Difference, MatchingOptions, Template, match_template
from loaders.difference.sources import (
    DifferenceOptions,
    DifferenceSources,
    SourceClass,
    find_difference_sources,
)
from loaders.reference.load import open_reference
from loaders.reference.product import StoredReference
from loaders.wfi.placement import fit_placement
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table

#: Errors of one reference as the other shows it: of the light at a place, and of the brightest around.
PSF_ERROR, HALO_ERROR = 0.03, 0.004

_VARIES = """
SELECT DISTINCT object_id FROM roman.variable_object WHERE object_id = ANY(CAST(:object_ids AS bigint[]))
"""

_PENDING = """
SELECT r.reference_image_id, p.reference_image_id AS template_id, r.detector, r.optical_element, r.start_mjd,
       r.epoch_mjd_tdb, f.name AS field
FROM roman.reference_image r
JOIN roman.field f USING (field_id)
JOIN LATERAL (
    SELECT q.reference_image_id FROM roman.reference_image q
    WHERE q.superseded_at IS NULL AND q.reference_kind = 'span' AND q.field_id = r.field_id
      AND q.detector = r.detector AND q.optical_element = r.optical_element AND q.start_mjd < r.start_mjd
    ORDER BY q.start_mjd DESC LIMIT 1) p ON true
WHERE r.superseded_at IS NULL AND r.reference_kind = 'span'
  AND r.detector = coalesce(CAST(:detector AS text), r.detector)
  AND r.optical_element = coalesce(CAST(:optical_element AS text), r.optical_element)
  AND NOT EXISTS (
    SELECT FROM roman.difference_image d
    WHERE d.minuend_reference_image_id = r.reference_image_id AND d.superseded_at IS NULL
      AND d.reference_image_id = p.reference_image_id)
ORDER BY r.start_mjd, r.reference_image_id
"""


def pending_differences(arguments: Mapping[str, Any]) -> list[Unit]:
    """List reference images not compared with the one before. Arguments: ``detector, optical_element``."""
    chosen = {name: arguments[name] for name in ("detector", "optical_element")}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_PENDING), chosen).all()
    return [Unit(_name(row), row._asdict()) for row in rows]


def _name(row: sa.Row[Any]) -> str:
    return f"{row.field} {row.detector} {row.optical_element} {row.start_mjd}"


def difference_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Compare a reference image with the one before, and store what changed."""
    given = unit.arguments
    with session.reading() as connection:
        image = open_reference(connection, given["reference_image_id"])
        before = open_reference(connection, given["template_id"])
    progress(f"difference {unit.name}", 1, 3)
    difference = subtract_reference(image, before)
    progress(f"difference {unit.name}", 2, 3)
    known = read_known(image.frame, given)
    options = DifferenceOptions(
        psf_error=PSF_ERROR, halo_error=HALO_ERROR, oversampling=image.frame.oversampling
    )
    sources = find_difference_sources(difference, image.psf, (0.0, 0.0), (known.x, known.y), options)
    beyond = _fraction_beyond(image, difference, known, sources)
    with session.transaction() as connection:
        _supersede(connection, given["reference_image_id"])
        identifier = _register(connection, run, given, difference, (sources.x.size, beyond))
        objects = _objects(connection, run, given, image, known, sources)
        _store_sources(connection, run, given, identifier, image, sources, objects)
        run.count(connection, loaded=1)


def _fraction_beyond(
    image: StoredReference,
    difference: Difference,
    known: KnownObjects,
    sources: DifferenceSources,
) -> float:
    """Share of the pixels beyond five standard deviations, without those of what changed."""
    objects = np.full(sources.x.size, -1, dtype=np.int64)
    objects[sources.nearest >= 0] = known.object_id[sources.nearest[sources.nearest >= 0]]
    with session.reading() as connection:
        varies = of_variables(connection, objects)
    change = (sources.x, sources.y, sources.flux)
    changed = of_changes(difference, image.psf, change, sources.kind, varies)
    return fraction_beyond(difference, image.frame.oversampling, changed)


def of_variables(connection: sa.Connection, object_id: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which objects are known to vary, shape (n,)."""
    rows = connection.execute(sa.text(_VARIES), {"object_ids": object_id.tolist()})
    return np.isin(object_id, np.array(rows.scalars().all(), dtype=np.int64))


def subtract_reference(image: StoredReference, before: StoredReference) -> Difference:
    """Reference image less the one before, matched."""
    fine = before.frame.oversampling**2
    noise = before.image.noise
    scale = float(np.nanmedian(noise.scale))
    # What the kernel takes in is the flux in a detector pixel; what comes out is that in a fine pixel.
    template = Template(
        before.coefficient / fine,
        before.frame.oversampling,
        (noise.read * scale, noise.poisson * scale),
    )
    ny, nx = image.image.data.shape

    def to_before(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[Any, Any]:
        return before.frame.projection.to_pixel(*image.frame.projection.to_sky(x, y))

    place = fit_placement(to_before, (0, 0), (nx - 1, ny - 1))
    size = 64 * image.frame.oversampling
    return match_template(
        image.image,
        place,
        template,
        MatchingOptions(half_width=2.0, cell=size, background_spacing=2.0 * size),
    )


def _supersede(connection: sa.Connection, reference_image_id: int) -> None:
    rows = table("roman.difference_image")
    mine = rows.c.minuend_reference_image_id == reference_image_id
    statement = rows.update().where(mine, rows.c.superseded_at.is_(None))
    connection.execute(statement.values(superseded_at=sa.func.now()))


def _register(
    connection: sa.Connection,
    run: LoadRun,
    given: Mapping[str, Any],
    difference: Difference,
    counted: tuple[int, float],
) -> int:
    """Store a difference with the number of its sources and the share of its pixels that are far."""
    rows = table("roman.difference_image")
    row = {
        "reference_image_id": given["template_id"],
        "minuend_reference_image_id": given["reference_image_id"],
        "kernel_sum": difference.kernel_sum,
        "template_share": difference.template_share,
        "reduced_chi2": difference.reduced_chi2,
        "fraction_beyond": counted[1],
        "n_source": counted[0],
        "load_run_id": run.load_run_id,
    }
    return int(connection.execute(rows.insert().returning(rows.c.difference_image_id), row).scalar_one())


def _objects(
    connection: sa.Connection,
    run: LoadRun,
    given: Mapping[str, Any],
    image: StoredReference,
    known: KnownObjects,
    sources: DifferenceSources,
) -> npt.NDArray[np.int64]:
    """Objects of the sources, -1 where there is none; light that appeared where none was becomes one."""
    objects = np.full(sources.x.size, -1, dtype=np.int64)
    objects[sources.nearest >= 0] = known.object_id[sources.nearest[sources.nearest >= 0]]
    new = np.flatnonzero((sources.kind == SourceClass.NEW.value) & (sources.flux > 0))
    if new.size:
        found = _new_sources(image, given, sources, new)
        unknown = np.full(new.size, -1, dtype=np.int64)
        _, objects[new] = store_found(connection, run, "difference", found, unknown, MATCH_RADIUS)
    return objects


def _new_sources(
    image: StoredReference,
    given: Mapping[str, Any],
    sources: DifferenceSources,
    new: npt.NDArray[np.int64],
) -> Sources:
    """Sources that appeared, as the catalog takes them; their flux without the change is not known."""
    ra, dec = image.frame.projection.to_sky(sources.x[new], sources.y[new])
    unknown = np.full(new.size, np.nan)
    ra_err, dec_err = _sky_errors(image, sources)
    epoch = julian_year(given["epoch_mjd_tdb"])
    return Sources(
        row=np.arange(new.size),
        source_id=np.full(new.size, None, dtype=object),
        ra=ra,
        dec=dec,
        ref_epoch=np.full(new.size, epoch),
        ra_err=ra_err[new],
        dec_err=dec_err[new],
        pm_ra=unknown,
        pm_dec=unknown,
        pm_ra_err=unknown,
        pm_dec_err=unknown,
        parallax=unknown,
        parallax_err=unknown,
    )


def _sky_errors(
    image: StoredReference, sources: DifferenceSources
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Errors of positions east and north, mas."""
    squares = (image.frame.matrix * 1000.0) ** 2 @ np.stack([sources.x_err**2, sources.y_err**2])
    east, north = np.sqrt(squares)
    return east, north


def _store_sources(
    connection: sa.Connection,
    run: LoadRun,
    given: Mapping[str, Any],
    identifier: int,
    image: StoredReference,
    sources: DifferenceSources,
    objects: npt.NDArray[np.int64],
) -> None:
    count = sources.x.size
    if count == 0:
        return
    ra, dec = image.frame.projection.to_sky(sources.x, sources.y)
    ra_err, dec_err = _sky_errors(image, sources)
    columns = {
        "difference_image_id": np.full(count, identifier),
        "source_number": np.arange(count, dtype=np.int32),
        "object_id": np.ma.masked_array(objects, objects < 0),
        "midpoint_mjd_tdb": np.full(count, given["epoch_mjd_tdb"]),
        "x": sources.x,
        "y": sources.y,
        "ra": ra,
        "dec": dec,
        "ra_err": ra_err,
        "dec_err": dec_err,
        "psf_flux": sources.flux,
        "psf_flux_err": sources.flux_err,
        "reduced_chi2": sources.reduced_chi2,
        "kind": list(sources.kind),
        "load_run_id": np.full(count, run.load_run_id),
    }
    copy_rows(connection, "roman.dia_source", columns)
