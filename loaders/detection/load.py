"""The object catalog from reference images: what is found on them becomes objects, or confirms them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from scipy.spatial import cKDTree

from loaders.astrometry.load import CONFIRMED
from loaders.astrometry.place import CatalogAstrometry, place_at
from loaders.astrometry.stars import AU_KM, julian_year
from loaders.catalog.load import IMAGES, CatalogChange, store_found
from loaders.catalog.sources import Sources
from loaders.detection.image_search import options_for, search_image
from loaders.detection.layer import Layer, SearchOptions
from loaders.detection.measure import Detections
from loaders.presence.load import PROMISED, review
from loaders.psf.model import FloatArray
from loaders.psf.profile import fwhm
from loaders.reference.frame import ReferenceFrame
from loaders.reference.load import open_reference
from loaders.reference.product import StoredReference
from loaders.rejection import Rejected
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table

#: Distance (arcsec) within which a source that the search did not begin with is an object all the same.
MATCH_RADIUS = 0.03

#: Error (mas, along an axis) that every position on a reference is granted: PSF and distortion.
POSITION_FLOOR = 0.1

#: Size over that of the PSF, and its significance, from which a source is extended.
EXTENDED, EXTENDED_SIGMA = 0.1, 5.0

#: Median reduced chi-square of the sources above which a search has failed.
POOREST = 100.0

_PENDING = """
SELECT r.reference_image_id, r.detector, r.optical_element, r.start_mjd, r.epoch_mjd_tdb, r.psf_model_id,
       r.reference_kind, f.name AS field
FROM roman.reference_image r JOIN roman.field f USING (field_id)
WHERE r.superseded_at IS NULL
  AND r.detector = coalesce(CAST(:detector AS text), r.detector)
  AND r.optical_element = coalesce(CAST(:optical_element AS text), r.optical_element)
  AND NOT EXISTS (SELECT FROM roman.reference_source s WHERE s.reference_image_id = r.reference_image_id)
ORDER BY r.reference_kind = 'season', r.start_mjd, r.n_exposure DESC, r.reference_image_id
"""

_OBSERVER = """
SELECT avg(e.spatial_x), avg(e.spatial_y), avg(e.spatial_z)
FROM roman.reference_image_exposure m JOIN roman.exposure e USING (exposure_id)
WHERE m.reference_image_id = :reference_image_id AND m.is_used
"""

#: Whether what the catalog has of an object (``o``) is what an image showed that was made again since.
_OF_OLD_IMAGE = """EXISTS (
    SELECT FROM roman.reference_source s JOIN roman.reference_image r USING (reference_image_id)
    WHERE s.object_id = o.object_id AND r.superseded_at IS NOT NULL AND """

_OBJECTS = f"""
SELECT o.object_id, o.ra, o.dec,
       CASE WHEN place.is_old THEN NULL ELSE o.ra_err::float8 END,
       CASE WHEN place.is_old THEN NULL ELSE o.dec_err::float8 END,
       o.ref_epoch, o.pm_ra::float8, o.pm_dec::float8, o.parallax::float8, f.psf_flux::float8,
       CASE WHEN {_OF_OLD_IMAGE} r.optical_element = $1 AND s.psf_flux = f.psf_flux)
            THEN NULL ELSE f.psf_flux_err::float8 END
FROM roman.object o LEFT JOIN roman.object_flux f ON f.object_id = o.object_id AND f.optical_element = $1
CROSS JOIN LATERAL (SELECT {_OF_OLD_IMAGE} s.ra = o.ra AND s.dec = o.dec) AS is_old OFFSET 0) AS place
WHERE q3c_radial_query(o.ra, o.dec, $2, $3, $4) AND {CONFIRMED}
ORDER BY o.object_id"""


def pending_catalogs(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the reference images that were not searched yet. Arguments: ``detector, optical_element``."""
    chosen = {name: arguments[name] for name in ("detector", "optical_element")}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_PENDING), chosen).all()
    return [Unit(_name(row), row._asdict()) for row in rows]


def _name(row: sa.Row[Any]) -> str:
    kind = " season" if row.reference_kind == "season" else ""
    return f"{row.field} {row.detector} {row.optical_element} {row.start_mjd}{kind}"


@dataclass(frozen=True)
class KnownObjects:
    """Catalogued objects on a reference image, each of shape (n,); NaN where unknown.

    ``x`` and ``y`` are pixels of the image at its epoch, the other columns those of the catalog. Errors are
    NaN too where position or flux are those on an image that was made again: its PSF may have been wrong.
    """

    object_id: npt.NDArray[np.int64]
    ra: FloatArray
    dec: FloatArray
    ra_err: FloatArray
    dec_err: FloatArray
    ref_epoch: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    x: FloatArray
    y: FloatArray


def catalog_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Search a reference image, beginning with the objects that are known, and store what is found."""
    given = unit.arguments
    with session.reading() as connection:
        reference = open_reference(connection, given["reference_image_id"])
    known = read_known(reference.frame, given)
    options = options_for(
        psf_was_measured=given["psf_model_id"] is not None, oversampling=reference.frame.oversampling
    )
    found, error = _search(unit, reference, known, options, progress)
    with session.transaction() as connection:
        _note_psf_error(connection, given["reference_image_id"], error)
        _store(connection, run, unit, reference, known, found)
        run.count(connection, loaded=1)
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql("ANALYZE roman.object, roman.object_flux, roman.reference_source")


def _note_psf_error(connection: sa.Connection, reference_image_id: int, error: float) -> None:
    """Note how far the PSF is off; 0 where too few stars tell."""
    images = table("roman.reference_image")
    mine = images.c.reference_image_id == reference_image_id
    connection.execute(images.update().where(mine).values(psf_error=error or None))


def _search(
    unit: Unit, reference: StoredReference, known: KnownObjects, options: SearchOptions, progress: Progress
) -> tuple[Detections, float]:
    """Search the image, beginning with what is known, and tell of each round; and how far its PSF is off.

    Raises
    ------
    Rejected
        If the sources do not describe the image.
    """
    counts = [known.x.size]

    def tell(done: int, total: int, count: int) -> None:
        counts.append(count)
        progress(f"catalog {unit.name}, {count} sources", done, total)

    places = known.x, known.y, np.nan_to_num(known.flux)
    try:
        found, error = search_image(Layer(reference.image, reference.psf), options, places, tell)
    except Rejected as refused:
        raise Rejected(unit.name, refused.what, f"{_page(unit)}. {refused.remedy}", refused.code) from None
    _require_sense(unit, found, max(counts))
    return found, error


def _page(unit: Unit) -> str:
    """Where to look at an image that is not what it should be."""
    return f"Look at its page (roman-db report reference {unit.arguments['reference_image_id']})"


def _require_sense(unit: Unit, found: Detections, most: int) -> None:
    """Refuse a search whose sources do not describe the image: objects made of it would spoil the catalog.

    Raises
    ------
    Rejected
        If nothing is left of ``most`` sources that there were, half of them have no flux, or they fit worse
        than any wrong PSF explains.
    """
    page = _page(unit)
    if found.x.size == 0 and most > 0:
        what = f"nothing is left of {most} sources: their fit went astray"
        remedy = f"{page}: a wrong PSF, saturated stars, or too few exposures or dithers may be why"
        raise Rejected(unit.name, what, remedy, "poor_search")
    if found.x.size and np.isfinite(found.flux).mean() < 0.5:
        what = f"most of the {found.x.size} sources found have no flux: their fit failed"
        remedy = f"{page}: saturated stars or a wrong PSF may spoil all of it"
        raise Rejected(unit.name, what, remedy, "poor_search")
    fit = found.reduced_chi2[np.isfinite(found.reduced_chi2)]
    if fit.size and np.median(fit) > POOREST:
        what = f"the sources found do not describe the image: reduced chi-square {np.median(fit):,.0f}"
        remedy = (
            f"{page}: a saturated core with its halo, a trail, a wrong PSF, or too few exposures or dithers "
            "may be why; leave out what spoils it, or make it again with a better PSF: --redo"
        )
        raise Rejected(unit.name, what, remedy, "poor_search")


def read_known(frame: ReferenceFrame, given: Mapping[str, Any]) -> KnownObjects:
    """Read the objects that a reference image should show, and where."""
    radius = np.hypot(*frame.shape) / 2 * frame.pixel_scale / 3600 + 2 / 3600
    with session.arrow_connection(session.Role.LOADER) as connection, connection.cursor() as cursor:
        cursor.execute(_OBJECTS, (given["optical_element"], frame.ra, frame.dec, float(radius)))
        c = [column.to_numpy(zero_copy_only=False) for column in cursor.fetch_arrow_table().columns]
    epoch = julian_year(given["epoch_mjd_tdb"])
    astrometry = CatalogAstrometry(c[1], c[2], c[5], c[6], c[7], c[8])
    ra, dec = place_at(astrometry, epoch, _observer(given["reference_image_id"]))
    x, y = frame.projection.to_pixel(ra, dec)
    inside = frame.projection.inside(np.nan_to_num(x, nan=-9.0), np.nan_to_num(y, nan=-9.0))
    columns = [column[inside] for column in (c[1], c[2], c[3], c[4], c[5], c[9], c[10], x, y)]
    return KnownObjects(c[0][inside], *columns)


def _observer(reference_image_id: int) -> FloatArray:
    """Mean place of the telescope, au from the barycentre, while the exposures were taken."""
    with session.reading() as connection:
        row = connection.execute(sa.text(_OBSERVER), {"reference_image_id": reference_image_id}).one()
    return np.array([float(value) if value is not None else 0.0 for value in row]) / AU_KM


def _store(
    connection: sa.Connection,
    run: LoadRun,
    unit: Unit,
    reference: StoredReference,
    known: KnownObjects,
    found: Detections,
) -> None:
    """Store the objects, and what the image says of each."""
    epoch = julian_year(unit.arguments["epoch_mjd_tdb"])
    sources, measured = catalog_sources(
        reference.frame, known, found, unit.arguments["optical_element"], epoch
    )
    before = np.full(found.x.size, -1, dtype=np.int64)
    before[found.known >= 0] = known.object_id[found.known[found.known >= 0]]
    change, object_id = store_found(connection, run, IMAGES, sources, before, MATCH_RADIUS)
    was_known = np.isin(object_id, known.object_id)
    rows = measured | {
        "object_id": object_id,
        "state": np.where(was_known, "known", "new"),
        "fwhm": _fwhm(reference, found),
    }
    lost, state, promised = _not_found(reference, known, found, object_id)
    keys = {"reference_image_id": unit.arguments["reference_image_id"], "load_run_id": run.load_run_id}
    _copy(connection, rows | {name: np.full(len(object_id), value) for name, value in keys.items()})
    if lost.size:
        _copy(
            connection,
            {"object_id": lost, "state": state, "expected_snr": promised}
            | {name: np.full(len(lost), value) for name, value in keys.items()},
        )
    _count_not_found(connection, change, state)
    if change.catalog_version_id is not None:
        review(connection, run, change.catalog_version_id, np.concatenate([object_id, lost]))


def _copy(connection: sa.Connection, columns: Mapping[str, npt.NDArray[Any]]) -> None:
    values = {name: list(column) if column.dtype.kind == "U" else column for name, column in columns.items()}
    copy_rows(connection, "roman.reference_source", values)


def _count_not_found(connection: sa.Connection, change: CatalogChange, state: npt.NDArray[np.str_]) -> None:
    """Say in the version of the catalog how many objects were not found, and how many not by themselves."""
    versions = table("roman.catalog_version")
    mine = versions.c.catalog_version_id == change.catalog_version_id
    missing, merged = int((state == "missing").sum()), int((state == "merged").sum())
    connection.execute(
        versions.update()
        .where(mine)
        .values(n_missing=versions.c.n_missing + missing, n_merged=versions.c.n_merged + merged)
    )


def catalog_sources(
    frame: ReferenceFrame, known: KnownObjects, found: Detections, optical_element: str, epoch: float
) -> tuple[Sources, dict[str, npt.NDArray[Any]]]:
    """What is found as sources of the catalog, and as rows of ``roman.reference_source``.

    The position of a known object is replaced where the image has it better, as is its flux.
    """
    ra, dec = frame.projection.to_sky(found.x, found.y)
    squares = (frame.matrix * 1000.0) ** 2 @ np.stack([found.x_err**2, found.y_err**2])
    ra_err, dec_err = np.sqrt(squares + POSITION_FLOOR**2)
    old = np.flatnonzero(found.known >= 0)
    row = found.known[old]
    better = known.ra_err[row] <= ra_err[old]

    def chosen(ours: FloatArray, theirs: FloatArray) -> FloatArray:
        out = ours.copy()
        out[old[better]] = theirs[row[better]]
        return out

    has_flux = np.zeros(ra.size, dtype=bool)
    has_flux[old] = known.flux_err[row] <= found.flux_err[old]
    unknown = np.full(ra.size, np.nan)
    sources = Sources(
        row=np.arange(ra.size),
        source_id=np.full(ra.size, None, dtype=object),
        ra=chosen(ra, known.ra),
        dec=chosen(dec, known.dec),
        ref_epoch=chosen(np.full(ra.size, epoch), known.ref_epoch),
        ra_err=chosen(ra_err, known.ra_err),
        dec_err=chosen(dec_err, known.dec_err),
        pm_ra=unknown,
        pm_dec=unknown,
        pm_ra_err=unknown,
        pm_dec_err=unknown,
        parallax=unknown,
        parallax_err=unknown,
        flux={optical_element: np.where(has_flux, np.nan, found.flux)},
        flux_err={optical_element: np.where(has_flux, np.nan, found.flux_err)},
    )
    return sources, _measured(found, (ra, dec), (ra_err, dec_err))


def _measured(
    found: Detections, place: tuple[FloatArray, FloatArray], error: tuple[FloatArray, FloatArray]
) -> dict[str, npt.NDArray[Any]]:
    """Columns of ``roman.reference_source`` that the search measured."""
    with np.errstate(invalid="ignore"):
        larger = (found.size > EXTENDED) & (found.size > EXTENDED_SIGMA * found.size_err)
    extended = np.ma.masked_array(larger, ~np.isfinite(found.size))
    return {
        "x": found.x,
        "y": found.y,
        "ra": place[0],
        "dec": place[1],
        "ra_err": error[0],
        "dec_err": error[1],
        "psf_flux": found.flux,
        "psf_flux_err": found.flux_err,
        "size_excess": found.size,
        "e1": found.e1,
        "e2": found.e2,
        "size_excess_err": found.size_err,
        "e1_err": found.e1_err,
        "e2_err": found.e2_err,
        "is_extended": extended,
        "reduced_chi2": found.reduced_chi2,
        "crowding": found.crowding,
        "flags": found.flags.astype(np.int32),
    }


def _fwhm(reference: StoredReference, found: Detections) -> FloatArray:
    """Full widths at half maximum, arcsec: that of the PSF times the size of the source."""
    width = fwhm(reference.psf, *reference.frame.middle) * reference.frame.pixel_scale
    return np.asarray(width * (1 + found.size))


def _not_found(
    reference: StoredReference, known: KnownObjects, found: Detections, object_id: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.str_], FloatArray]:
    """Known objects that the image should show and does not.

    Returns
    -------
    object_id, state, promise : ndarray
        Objects, whether they are missing or share the light of another, and the signal-to-noise ratios that
        their fluxes promised.
    """
    error = np.nanmedian(found.flux_err) if np.isfinite(found.flux_err).any() else np.inf
    promise = known.flux / error
    column = np.clip(np.rint(known.x), 0, reference.image.data.shape[1] - 1).astype(np.int64)
    line = np.clip(np.rint(known.y), 0, reference.image.data.shape[0] - 1).astype(np.int64)
    lost = np.flatnonzero(
        (promise > PROMISED) & reference.image.usable[line, column] & ~np.isin(known.object_id, object_id)
    )
    if lost.size == 0:
        return np.empty(0, np.int64), np.empty(0, "U7"), np.empty(0)
    places = np.column_stack([known.x, known.y])[lost]
    distance, _ = cKDTree(np.column_stack([found.x, found.y])).query(places)
    merged = np.asarray(distance) <= reference.frame.oversampling
    return known.object_id[lost], np.where(merged, "merged", "missing"), promise[lost]
