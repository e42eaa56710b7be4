"""Reference images in the database: which are to be made, one of them made, and one read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from astropy.time import Time

from loaders.astrometry.load import StoredExposure, read_exposures
from loaders.astrometry.place import CatalogAstrometry, place_at
from loaders.astrometry.stars import AU_KM, julian_year
from loaders.input_file import fingerprint
from loaders.output_folder import writable_folder
from loaders.photometry.image import StarList
from loaders.psf.load import LIMITS, psf_for
from loaders.psf.model import EffectivePsf
from loaders.psf.profile import fwhm
from loaders.reference.absolute import LEAST, AbsoluteSolution, corrected, lay_on_stars
from loaders.reference.build import Reference, build_reference
from loaders.reference.exposures import ExposureStore
from loaders.reference.frame import (
    ReferenceFrame,
    choose_frame,
    choose_oversampling,
    on_pixels_of,
    phases_of,
)
from loaders.reference.members import dithered_on
from loaders.reference.product import (
    ReferenceKeywords,
    StoredReference,
    read_reference,
    remove_earlier,
    write_reference,
)
from loaders.reference.psf import PlacedPsf, reference_psf
from loaders.reference.psf_shape import ServedPsf, origin_row, shape_columns, shape_metrics
from loaders.reference.rows import anchor_row, limiting_magnitude, member_row
from loaders.rejection import Rejected
from loaders.wfi.footprint import footprint
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.quality import Metric, store_metrics
from roman_db.schema.metadata import table
from roman_db.settings import settings

#: Half width of the PSF of a reference, detector pixels.
PSF_REACH = 56.0

#: Reduced chi-square of a PSF up to which an image of the PSF of the optics is made again with it.
GOOD_PSF = 3.0

_FRAME = """
SELECT ra_ref, dec_ref, rotation_matrix, n_x, n_y, oversampling FROM roman.reference_image
WHERE field_id = :field_id AND detector = :detector AND oversampling = :oversampling AND superseded_at IS NULL
ORDER BY optical_element = :optical_element DESC, start_mjd LIMIT 1
"""

_ANCHORS = """
SELECT o.ra, o.dec, o.ref_epoch, o.pm_ra::float8, o.pm_dec::float8, o.parallax::float8,
       greatest(o.ra_err, o.dec_err)::float8, greatest(o.pm_ra_err, o.pm_dec_err)::float8, f.psf_flux::float8
FROM roman.current_object o
LEFT JOIN roman.object_flux f ON f.object_id = o.object_id AND f.optical_element = $1
WHERE q3c_radial_query(o.ra, o.dec, $2, $3, $4) ORDER BY o.object_id
"""

_OBSERVER = """
SELECT avg(spatial_x) AS x, avg(spatial_y) AS y, avg(spatial_z) AS z
FROM roman.exposure WHERE exposure_id = ANY(CAST(:exposure_id AS bigint[]))
"""

_EXPOSED = """
SELECT f.name, f.ra, f.dec, min(e.exposure_start_time) AS start, max(e.exposure_end_time) AS finish,
       sum(e.exposure_time) AS exposure_time
FROM roman.exposure e JOIN roman.field f USING (field_id)
WHERE e.exposure_id = ANY(CAST(:exposure_id AS bigint[])) GROUP BY f.name, f.ra, f.dec
"""


def pending_references(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the spans of which an image is to be made.

    Arguments: ``detector, optical_element`` (or None), ``unfinished, redo``.
    """
    names = ("detector", "optical_element", "unfinished", "redo")
    values = {name: arguments[name] for name in names}
    values |= {"min_star": LIMITS.min_star, "max_chi2": GOOD_PSF, "max_residual": LIMITS.max_residual}
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "reference_window"), values).all()
    return [Unit(_name(row), row._asdict()) for row in rows]


def _name(row: sa.Row[Any]) -> str:
    return f"{row.field} {row.detector} {row.optical_element} {row.start_mjd}"


@dataclass(frozen=True)
class _OwnPsf:
    """PSF of an image, that of the library which serves its epoch, and those that it follows from."""

    psf: EffectivePsf
    psf_model_id: int | None
    served: Sequence[ServedPsf]


@dataclass(frozen=True)
class _Made:
    """An image that was made, and of what: exposures that could be read, and those that could not."""

    reference: Reference
    exposures: Sequence[StoredExposure]
    unreadable: Sequence[Rejected]
    own: _OwnPsf
    anchored: AbsoluteSolution | None


def make_reference(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Make the reference image of a unit, write its file, and register both in one transaction."""
    # Hours of work would be for nothing if this were said at their end.
    writable_folder(_folder(unit))
    with session.reading() as connection:
        exposures = read_exposures(connection, unit.arguments["exposure_id"])
    store = ExposureStore([exposure.file for exposure in exposures])
    usable, unusable = store.sort_out()
    if not usable:
        raise unusable[0]
    readable, store = [exposures[number] for number in usable], store.only(usable)
    unreadable = list(unusable.values())
    if not unit.arguments["is_forced"] and unit.arguments["made_of"] == [one.file_id for one in readable]:
        _account_again(run, len(readable), unreadable)
        return
    frame = _frame(unit, store, len(readable))
    reference = build_reference(
        store,
        len(readable),
        frame,
        progress=lambda what, done, total: progress(f"reference {unit.name}, {what}", done, total),
    )
    own = _psf(unit, store, readable, reference)
    anchored = _anchor(unit, readable, reference, own.psf)
    if anchored is not None:
        reference = replace(reference, frame=corrected(reference.frame, anchored))
    made = _Made(reference, readable, unreadable, own, anchored)
    path = _write(unit, made, run.load_run_id)
    with session.transaction() as connection:
        _supersede(connection, unit)
        _register(connection, run, unit, made, path)
    remove_earlier(path)


def _account_again(run: LoadRun, n_readable: int, unreadable: Sequence[Rejected]) -> None:
    """Account for exposures whose image is there: all that can be read are in it."""
    with session.transaction() as connection:
        for why in unreadable:
            run.reject(connection, why)
        run.count(connection, loaded=n_readable, unchanged=n_readable)


def _frame(unit: Unit, store: ExposureStore, count: int) -> ReferenceFrame:
    """The frame of earlier images of the field and detector, or one that holds these exposures."""
    given = {name: unit.arguments[name] for name in ("field_id", "detector", "optical_element")}
    elements = table("roman.optical_element").c
    pivot = sa.select(elements.wavelength_pivot).where(elements.optical_element == given["optical_element"])
    projections = [store(k).projection for k in range(count)]
    with session.reading() as connection:
        wavelength = float(connection.execute(pivot).scalar_one())
        oversampling = choose_oversampling(wavelength, phases_of(projections))
        where = given | {"oversampling": oversampling}
        row = connection.execute(sa.text(_FRAME), where).one_or_none()
    if row is not None:
        matrix = np.array(row.rotation_matrix, dtype=np.float64).reshape(2, 2)
        frame = ReferenceFrame(row.ra_ref, row.dec_ref, matrix, (row.n_y, row.n_x), row.oversampling)
        if oversampling > 1 or on_pixels_of(frame, projections[0]):
            return frame
    return choose_frame(projections, oversampling)


def _psf(
    unit: Unit, store: ExposureStore, exposures: Sequence[StoredExposure], reference: Reference
) -> _OwnPsf:
    """PSF of the image from those that serve its exposures."""
    detector, element = unit.arguments["detector"], unit.arguments["optical_element"]
    days: dict[int, list[int]] = {}
    for number, (exposure, member) in enumerate(zip(exposures, reference.members, strict=True)):
        if member.refused is None:
            days.setdefault(exposure.day_mjd, []).append(number)
    middle = float(np.mean([exposures[k].midpoint_mjd_tdb for numbers in days.values() for k in numbers]))
    placed: dict[int | None, PlacedPsf] = {}
    served: list[ServedPsf] = []
    with session.reading() as connection:
        for day, numbers in days.items():
            serving = psf_for(connection, detector, element, day + 0.5)
            of_day = day <= serving.epoch_mjd_tdb < day + 1
            fit = serving.n_star, serving.reduced_chi2, serving.residual_fraction
            served.append(ServedPsf(serving.psf_model_id, len(numbers), of_day, *fit))
            before = placed.get(serving.psf_model_id)
            place = reference.members[numbers[0]].place
            assert place is not None
            weight = len(numbers) + (0.0 if before is None else before.weight)
            shape = store(numbers[0]).image.data.shape
            placed[serving.psf_model_id] = PlacedPsf(serving.psf, (0.0, 0.0), place, shape, weight)
        at_epoch = psf_for(connection, detector, element, middle)
    reach = min(PSF_REACH, min(one.psf.half_width for one in placed.values()) - 2)
    fine = reference.frame.oversampling
    psf = reference_psf(list(placed.values()), reach * fine, dithered_on(reference.members, fine))
    return _OwnPsf(psf, at_epoch.psf_model_id, served)


def _anchor(
    unit: Unit, exposures: Sequence[StoredExposure], reference: Reference, psf: EffectivePsf
) -> AbsoluteSolution | None:
    """What catalogued stars of known motion say of the frame; None where they are too few."""
    used = [e for e, m in zip(exposures, reference.members, strict=True) if m.refused is None]
    frame = reference.frame
    circle = (unit.arguments["optical_element"], frame.ra, frame.dec, _radius(frame))
    with session.arrow_connection(session.Role.LOADER) as connection, connection.cursor() as cursor:
        cursor.execute(_ANCHORS, circle)
        c = [column.to_numpy(zero_copy_only=False) for column in cursor.fetch_arrow_table().columns]
    with session.reading() as connection:
        names = {"exposure_id": [exposure.exposure_id for exposure in used]}
        observer = [value or 0.0 for value in connection.execute(sa.text(_OBSERVER), names).one()]
    epoch = julian_year(float(np.mean([exposure.midpoint_mjd_tdb for exposure in used])))
    ra, dec = place_at(CatalogAstrometry(*c[:6]), epoch, np.array(observer) / AU_KM)
    x, y = frame.projection.to_pixel(ra, dec)
    inside = frame.projection.inside(np.nan_to_num(x, nan=-9.0), np.nan_to_num(y, nan=-9.0))
    # Proper motions that are not known have no error either, and no star of theirs is an anchor.
    error = np.hypot(c[6], c[7] * (epoch - c[2])) / (1000.0 * frame.pixel_scale)
    stars = StarList(x[inside], y[inside], c[8][inside])
    if np.isfinite(error[inside]).sum() < LEAST:
        return None
    return lay_on_stars(reference.image, psf, frame, stars, error[inside])


def _radius(frame: ReferenceFrame) -> float:
    """Radius in degrees of a circle that holds the image and some more."""
    return float(np.hypot(*frame.shape)) / 2 * frame.pixel_scale / 3600 + 2 / 3600


def _folder(unit: Unit) -> Path:
    """Folder of the images of a field."""
    return settings().product_folder / "reference" / f"field{unit.arguments['field_id']:03d}"


def _write(unit: Unit, made: _Made, load_run_id: int) -> Path:
    """Write the file into the folder of products, beside that of the image before, which holds until then."""
    given = unit.arguments
    name = f"{given['detector']}_{given['optical_element']}_{given['start_mjd']}_{given['end_mjd']}".lower()
    path = _folder(unit) / f"r{given['field_id']:03d}_{name}_run{load_run_id}_reference.asdf"
    used = [e for e, m in zip(made.exposures, made.reference.members, strict=True) if m.refused is None]
    with session.reading() as connection:
        row = connection.execute(sa.text(_EXPOSED), {"exposure_id": [e.exposure_id for e in used]}).one()
    keywords = ReferenceKeywords(
        field=row.name,
        field_centre=(row.ra, row.dec),
        season=given["season"] or 0,
        sequence=min(int(given["sequence"]), 99),
        start=Time(row.start),
        end=Time(row.finish),
        exposure_time=float(row.exposure_time),
        inputs=[exposure.path.name for exposure in used],
    )
    write_reference(path, made.reference, made.own.psf, used[0].path, keywords)
    return path


def _supersede(connection: sa.Connection, unit: Unit) -> None:
    """Mark the image of the span that there is as superseded."""
    images = table("roman.reference_image")
    mine = [
        images.c[name] == unit.arguments[name]
        for name in ("field_id", "detector", "optical_element", "start_mjd")
    ]
    mine.append(images.c.reference_kind == "span")
    statement = images.update().where(*mine, images.c.superseded_at.is_(None))
    connection.execute(statement.values(superseded_at=sa.func.now()))


def _register(connection: sa.Connection, run: LoadRun, unit: Unit, made: _Made, path: Path) -> None:
    """Store the image and its exposures, and account for all of them."""
    images = table("roman.reference_image")
    row = _image_row(unit, made, path) | {"load_run_id": run.load_run_id}
    identifier = int(
        connection.execute(images.insert().returning(images.c.reference_image_id), row).scalar_one()
    )
    rows = _member_rows(made)
    keys = {"reference_image_id": identifier, "load_run_id": run.load_run_id}
    columns = {name: [one[name] for one in rows] for name in rows[0]}
    every = {name: [value] * len(rows) for name, value in keys.items()}
    copy_rows(connection, "roman.reference_image_exposure", every | columns)
    _register_psf(connection, keys, unit.arguments["optical_element"], made)
    for why in made.unreadable:
        run.reject(connection, why)
    used = 0
    for exposure, member in zip(made.exposures, made.reference.members, strict=True):
        if member.refused is None:
            used += 1
        else:
            remedy = "Look at the exposure; if its WCS is wrong, process it again and load it with --replace"
            run.reject(connection, Rejected(str(exposure.path), member.refused, remedy, "misfit"))
    run.count(connection, loaded=used)


def _register_psf(connection: sa.Connection, keys: Mapping[str, int], element: str, made: _Made) -> None:
    """Store the shape of the PSF of the image over it, and how good it is."""
    columns = shape_columns(made.own.psf, made.reference.frame)
    every = {name: [value] * len(columns["x"]) for name, value in keys.items()}
    copy_rows(connection, "roman.reference_psf_moment", every | columns)
    values = shape_metrics(columns)
    image = {"reference_image_id": keys["reference_image_id"]}
    change = sqlfile.run(connection, sqlfile.find("jobs", "reference_psf_change"), image).one()
    # Where there is no image before, nothing can have changed.
    if change.n_place:
        values |= {
            "reference_psf_fwhm_change": change.fwhm,
            "reference_psf_ellipticity_change": change.ellipticity,
        }
    metrics = [Metric(name, element, value, **image) for name, value in values.items()]
    store_metrics(connection, keys["load_run_id"], metrics)


def _known(value: float) -> float | None:
    """A value, None for NaN."""
    return value if np.isfinite(value) else None


def _image_row(unit: Unit, made: _Made, path: Path) -> dict[str, Any]:
    """Columns of ``roman.reference_image``."""
    given, reference = unit.arguments, made.reference
    frame, members = reference.frame, reference.members
    used = [e for e, m in zip(made.exposures, members, strict=True) if m.refused is None]
    sha256, size = fingerprint(path)
    with session.reading() as connection:
        exposed = connection.execute(sa.text(_EXPOSED), {"exposure_id": [e.exposure_id for e in used]}).one()
    ranges = ",".join(f"[{low},{high})" for low, high in footprint(frame.projection).tolist())
    return {name: given[name] for name in ("field_id", "detector", "optical_element")} | {
        "start_mjd": given["start_mjd"],
        "end_mjd": given["end_mjd"],
        "epoch_mjd_tdb": float(np.mean([exposure.midpoint_mjd_tdb for exposure in used])),
        "n_exposure": len(used),
        "n_refused": len(members) - len(used),
        "is_judged": reference.is_judged,
        "exposure_time": float(exposed.exposure_time),
        "oversampling": frame.oversampling,
        "n_x": frame.shape[1],
        "n_y": frame.shape[0],
        "ra_ref": frame.ra,
        "dec_ref": frame.dec,
        "rotation_matrix": frame.matrix.ravel().tolist(),
        "pixel_scale": frame.pixel_scale,
        "footprint": f"{{{ranges}}}",
        "limiting_mag": limiting_magnitude(reference, made.own.psf),
        "psf_model_id": made.own.psf_model_id,
        "psf_fwhm": _known(fwhm(made.own.psf, *frame.middle) * frame.pixel_scale),
        **origin_row(made.own.served),
        **anchor_row(made.anchored, frame),
        "path": str(path),
        "sha256": sha256,
        "size_bytes": size,
    }


def _member_rows(made: _Made) -> list[dict[str, Any]]:
    """Columns of ``roman.reference_image_exposure``, one a row for every exposure that could be read."""
    frame = made.reference.frame
    moved = np.zeros(2) if made.anchored is None else made.anchored.shift
    return [
        {"exposure_id": exposure.exposure_id, "file_id": exposure.file_id} | member_row(member, frame, moved)
        for exposure, member in zip(made.exposures, made.reference.members, strict=True)
    ]


def open_reference(connection: sa.Connection, reference_image_id: int) -> StoredReference:
    """Read the file of a reference image.

    Raises
    ------
    Rejected
        If the database has no such image, or its file is not the one that was written.
    """
    images = table("roman.reference_image")
    query = sa.select(images.c.path, images.c.sha256).where(images.c.reference_image_id == reference_image_id)
    row = connection.execute(query).one_or_none()
    where, remedy = f"reference image {reference_image_id}", "Make it again: roman-db run eight-day --redo"
    if row is None:
        raise Rejected(where, "the database has no such image", remedy, "no_reference")
    path = Path(row.path)
    if not path.is_file() or fingerprint(path)[0] != row.sha256:
        raise Rejected(str(path), "the file is not the one that was written", remedy, "bad_reference")
    return read_reference(path)
