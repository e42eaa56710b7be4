"""Differences of exposures in the database: which are to be made, some of them made, and new objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from loaders.astrometry.load import StoredExposure, read_exposures
from loaders.catalog.load import CatalogChange, refresh_statistics, store_found
from loaders.detection.load import MATCH_RADIUS, read_known
from loaders.difference.exposure import compare_exposure
from loaders.difference.matching import Difference, MatchingOptions
from loaders.difference.sources import DifferenceOptions, significance_image
from loaders.input_file import LoadedFile, file_checksum
from loaders.output_folder import writable_folder
from loaders.photometry.parallel import Workers, available_threads
from loaders.psf.load import ServingPsf, psf_for
from loaders.reference.load import open_reference
from loaders.reference.others import KnownPlace
from loaders.reference.product import StoredReference
from loaders.rejection import Rejected, unexpected
from loaders.time_domain.appeared import PLACE_COLUMNS, appeared_sources
from loaders.time_domain.coincidences import FalseRate, needed_exposures
from loaders.time_domain.measure import KnownObjects, MeasuredSources, measure_sources
from loaders.time_domain.product import TemplateKeywords, write_catalog
from loaders.time_domain.templates import EarlierReference, ReferenceWithout, Templates
from loaders.time_domain.waiting import waiting_lines
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows, stage_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.rejected_inputs import RejectedInputs, rejected_inputs
from roman_db.schema.metadata import table
from roman_db.settings import settings

#: Exposures that must remain in a reference when one is left out: enough to tell one from the rest.
FEWEST_OTHERS = 8

#: Exposures that must show new light at one place in any case before it is an object, and how many objects an
#: image may get by chance; the more exposures look at a place, the more of them must show it.
FEWEST_SEEN, CHANCE_OBJECTS = 2, 0.01

#: How near such light must be: standard errors, error that is granted (arcsec), and at most half a pixel.
SIGMAS, FLOOR, MOST = 3.0, 0.01, 0.055

_FAR = 5.0
"""Standard deviations beyond which a pixel of a difference is counted."""

_MEMBERS = """
SELECT f.path, f.sha256, f.size_bytes, m.shift_ra, m.shift_dec, m.sky, m.flux_scale
FROM roman.reference_image_exposure m JOIN ops.input_file f USING (file_id)
WHERE m.reference_image_id = :reference_image_id AND m.is_used ORDER BY m.exposure_id
"""

#: Side of a detector pixel, arcsec.
_PIXEL = 0.11

#: Exposures of each field, and the mean of the sources in them that ``queries/jobs/appeared.sql`` may join.
_UNMATCHED = """
SELECT e.field_id, count(*) AS n_exposure, avg(e.n_x::float8 * e.n_y) AS n_pixel,
       avg(coalesce(s.n, 0))::float8 AS n_source
FROM roman.difference_image d JOIN roman.exposure e USING (exposure_id)
LEFT JOIN (
    SELECT difference_image_id, count(*) AS n FROM roman.dia_source
    WHERE kind = 'new' AND psf_flux > 0 AND object_id IS NULL AND ra_err > 0 AND dec_err > 0
    GROUP BY difference_image_id) s USING (difference_image_id)
WHERE d.superseded_at IS NULL AND e.field_id = coalesce(CAST(:field_id AS integer), e.field_id)
GROUP BY e.field_id HAVING sum(s.n) > 0 ORDER BY e.field_id
"""

_SUMMARY = """
SELECT (SELECT count(*) FROM roman.difference_image
        WHERE load_run_id = CAST(:run AS bigint) AND exposure_id IS NOT NULL) AS n_exposure,
       (SELECT coalesce(json_object_agg(kind, n ORDER BY kind), '{}') FROM (
            SELECT s.kind, count(*) AS n FROM roman.dia_source s
            WHERE s.load_run_id = CAST(:run AS bigint) GROUP BY s.kind) AS k) AS kinds,
       (SELECT coalesce(sum(n_new), 0) FROM roman.catalog_version
        WHERE load_run_id = CAST(:run AS bigint)) AS n_object
"""


@dataclass(frozen=True)
class Summary:
    """What a run made: exposures compared, sources by kind, new objects, inputs rejected."""

    n_exposure: int
    kinds: Mapping[str, int]
    n_object: int
    rejected: RejectedInputs


def summary_of(load_run_id: int) -> Summary:
    """Read what a run made."""
    with session.reading() as connection:
        row = connection.execute(sa.text(_SUMMARY), {"run": load_run_id}).one()
    return Summary(**row._asdict(), rejected=rejected_inputs(load_run_id))


def pending_exposures(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the exposures that were not compared yet, by the reference image that gives their template.

    Arguments: ``first_day, last_day`` (MJD), ``detector, optical_element`` (or None), ``redo``.
    """
    names = ("first_day", "last_day", "detector", "optical_element", "redo")
    values = {name: arguments[name] for name in names} | {"fewest": FEWEST_OTHERS}
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "difference_exposure"), values).all()
    return [
        Unit(_name(row), {name: value for name, value in row._asdict().items() if name != "waits_for"})
        for row in rows
        if row.waits_for is None
    ]


def waiting_exposures(arguments: Mapping[str, Any]) -> list[str]:
    """Say how many exposures were not compared as they have no template, and why.

    Arguments as of `pending_exposures`; exposures that are compared do not wait, whatever ``redo`` says.
    """
    names = ("first_day", "last_day", "detector", "optical_element")
    values = {name: arguments[name] for name in names} | {"fewest": FEWEST_OTHERS, "redo": False}
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "difference_exposure"), values).all()
    waits = [
        (row.waits_for, f"{row.detector} {row.optical_element}", len(row.exposure_id))
        for row in rows
        if row.waits_for is not None
    ]
    return waiting_lines(waits, FEWEST_OTHERS)


def _name(row: sa.Row[Any]) -> str:
    how = "without each" if row.is_left_out else "before"
    return f"{row.field} {row.detector} {row.optical_element}, reference of {row.start_mjd} {how}"


def compare_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Compare exposures with a template of others, each stored in a transaction of its own.

    What was stored when the unit is cut off stays; the others are listed again.
    """
    with session.reading() as connection:
        exposures = read_exposures(connection, unit.arguments["exposure_id"])
    folder = writable_folder(_folder(unit, run))
    with Workers(available_threads()) as workers:
        shared = _shared(unit, workers, folder)
        for done, exposure in enumerate(exposures, 1):
            outcome = _compare(exposure, shared, run)
            with session.transaction() as connection:
                if isinstance(outcome, Rejected):
                    run.reject(connection, outcome)
                else:
                    _store(connection, run, exposure, shared, outcome)
                    run.count(connection, loaded=1)
            progress(f"difference {unit.name}", done, len(exposures))


def _known_places(reference_image_id: int, reference: StoredReference) -> dict[LoadedFile, KnownPlace]:
    """What is stored of the exposures of a reference, by file; shifts on the sky as those of pixels."""
    with session.reading() as connection:
        rows = connection.execute(sa.text(_MEMBERS), {"reference_image_id": reference_image_id}).all()
    to_pixels = np.linalg.inv(reference.frame.matrix * 1000.0)
    known = {}
    for row in rows:
        u, v = to_pixels @ np.array([row.shift_ra, row.shift_dec])
        file = LoadedFile(Path(row.path), row.sha256, row.size_bytes)
        known[file] = KnownPlace((float(u), float(v)), row.sky, row.flux_scale)
    return known


@dataclass(frozen=True)
class _Shared:
    """What the exposures of a unit share."""

    unit: Unit
    reference: StoredReference
    path: Path
    templates: Templates
    objects: KnownObjects
    psfs: dict[int, ServingPsf]


def _shared(unit: Unit, workers: Workers, folder: Path) -> _Shared:
    """Open the reference, and read the objects that exposures may show."""
    given = unit.arguments
    identifier = given["reference_image_id"]
    images = table("roman.reference_image")
    with session.reading() as connection:
        reference = open_reference(connection, identifier)
        query = sa.select(images.c.path).where(images.c.reference_image_id == identifier)
        path = Path(connection.execute(query).scalar_one())
    known = read_known(reference.frame, given)
    objects = KnownObjects(known.object_id, known.x, known.y, known.flux)
    templates: Templates
    if given["is_left_out"]:
        templates = ReferenceWithout(reference, _known_places(identifier, reference), workers, folder)
    else:
        templates = EarlierReference(reference, given["n_exposure"], workers)
    return _Shared(unit, reference, path, templates, objects, {})


def _psf(shared: _Shared, day: int) -> ServingPsf:
    """PSF of a day, read once."""
    if day not in shared.psfs:
        given = shared.unit.arguments
        with session.reading() as connection:
            shared.psfs[day] = psf_for(connection, given["detector"], given["optical_element"], day + 0.5)
    return shared.psfs[day]


@dataclass(frozen=True)
class _Compared:
    """The sources of an exposure, the figures of its difference, and its catalog."""

    measured: MeasuredSources
    keywords: TemplateKeywords
    psf_model_id: int | None
    catalog: Path


def _compare(exposure: StoredExposure, shared: _Shared, run: LoadRun) -> _Compared | Rejected:
    """Compare one exposure and write its catalog, or say why it can't be."""
    try:
        serving = _psf(shared, exposure.day_mjd)
        prepared = shared.templates.prepare(exposure.file)
        options = DifferenceOptions()
        image, objects = prepared.exposure.image, shared.objects
        compared = compare_exposure(
            *(image, prepared.place, serving.psf, prepared.template, (objects.u, objects.v)),
            options=(MatchingOptions(), options),
        )
        where = (shared.reference.frame, prepared.place)
        measured = measure_sources(compared, image, serving.psf, where, objects)
        keywords = _keywords(shared, compared.difference, options)
        catalog = write_catalog(measured, exposure.path, keywords, _folder(shared.unit, run))
        return _Compared(measured, keywords, serving.psf_model_id, catalog)
    except Rejected as rejected:
        return Rejected(str(exposure.path), rejected.what, rejected.remedy, rejected.code)
    except Exception as error:  # noqa: BLE001 - a fault of ours costs this exposure, not its unit
        return unexpected(exposure.path, error)


def _keywords(shared: _Shared, difference: Difference, options: DifferenceOptions) -> TemplateKeywords:
    far = np.abs(significance_image(difference)) > _FAR
    return TemplateKeywords(
        template=shared.path.name,
        n_template=shared.templates.n_template,
        is_left_out=shared.unit.arguments["is_left_out"],
        threshold=options.threshold,
        kernel_sum=difference.kernel_sum,
        template_share=difference.template_share,
        reduced_chi2=difference.reduced_chi2,
        fraction_beyond=float(far.sum() / difference.usable.sum()),
    )


def _folder(unit: Unit, run: LoadRun) -> Path:
    """Folder of the catalogs of a run: another run leaves them as their rows in the database say."""
    given = unit.arguments
    instrument = f"{given['detector']}_{given['optical_element']}".lower()
    folder = settings().product_folder / "time_domain" / f"field{given['field_id']:03d}"
    return folder / instrument / f"run{run.load_run_id}"


def _store(
    connection: sa.Connection, run: LoadRun, exposure: StoredExposure, shared: _Shared, compared: _Compared
) -> None:
    """Store a difference in place of an earlier one of the exposure, and its sources."""
    rows, keywords = table("roman.difference_image"), compared.keywords
    name = f"difference of exposure {exposure.exposure_id}"
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
    mine = [rows.c.exposure_id == exposure.exposure_id, rows.c.superseded_at.is_(None)]
    connection.execute(rows.update().where(*mine).values(superseded_at=sa.func.now()))
    row = {
        "reference_image_id": shared.unit.arguments["reference_image_id"],
        "exposure_id": exposure.exposure_id,
        "file_id": exposure.file_id,
        "is_left_out": keywords.is_left_out,
        "n_template": keywords.n_template,
        "psf_model_id": compared.psf_model_id,
        "kernel_sum": keywords.kernel_sum,
        "template_share": keywords.template_share,
        "reduced_chi2": keywords.reduced_chi2,
        "fraction_beyond": keywords.fraction_beyond,
        "n_source": compared.measured.count,
        "catalog_path": str(compared.catalog),
        "catalog_sha256": file_checksum(compared.catalog),
        "load_run_id": run.load_run_id,
    }
    statement = rows.insert().returning(rows.c.difference_image_id)
    identifier = int(connection.execute(statement, row).scalar_one())
    _store_sources(connection, run, identifier, exposure, compared.measured)


def _store_sources(
    connection: sa.Connection,
    run: LoadRun,
    identifier: int,
    exposure: StoredExposure,
    measured: MeasuredSources,
) -> None:
    if measured.count == 0:
        return
    sources, sky, object_id = measured.compared.sources, measured.sky, measured.object_id
    every = {
        "difference_image_id": identifier,
        "midpoint_mjd_tdb": exposure.midpoint_mjd_tdb,
        "load_run_id": run.load_run_id,
    }
    columns = {
        "source_number": np.arange(measured.count, dtype=np.int32),
        "object_id": np.ma.masked_array(object_id, object_id < 0),
        "x": sources.x,
        "y": sources.y,
        "ra": sky.ra,
        "dec": sky.dec,
        "ra_err": sky.ra_err,
        "dec_err": sky.dec_err,
        "psf_flux": sources.flux,
        "psf_flux_err": sources.flux_err,
        "reduced_chi2": sources.reduced_chi2,
        "kind": list(sources.kind),
    }
    constant = {name: np.full(measured.count, value) for name, value in every.items()}
    copy_rows(connection, "roman.dia_source", constant | columns)


def pending_places(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the fields in which new light was seen often enough to be objects."""
    del arguments
    with session.reading() as connection:
        rows = connection.execute(sa.text(_UNMATCHED), {"field_id": None}).all()
        fields = [row.field_id for row in rows if _places(connection, row.field_id)]
    return [Unit(f"field {field}", {"field_id": field}) for field in fields]


def _places(connection: sa.Connection, field_id: int) -> Sequence[sa.Row[Any]]:
    """Sources at places where light appeared in several exposures, see ``queries/jobs/appeared.sql``."""
    found = connection.execute(sa.text(_UNMATCHED), {"field_id": field_id}).one_or_none()
    if found is None:
        return []
    rate = FalseRate(found.n_source, found.n_pixel * _PIXEL**2, MOST)
    needed = needed_exposures(found.n_exposure, rate, CHANCE_OBJECTS, FEWEST_SEEN).tolist()
    values: dict[str, object] = {
        "field_id": field_id,
        "sigmas": SIGMAS,
        "floor": FLOOR,
        "most": MOST,
        "pixel": _PIXEL,
    }
    values["fewest"] = "{" + ",".join(map(str, needed)) + "}"
    return sqlfile.run(connection, sqlfile.find("jobs", "appeared"), values).all()


def appear_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Make objects of the new light of a field, and say of its sources that they are these."""
    with session.transaction() as connection:
        change = _make_objects(connection, run, _places(connection, unit.arguments["field_id"]))
    progress(f"objects {unit.name}", 1, 1)
    refresh_statistics(change)


def _make_objects(
    connection: sa.Connection, run: LoadRun, rows: Sequence[sa.Row[Any]]
) -> CatalogChange | None:
    if not rows:
        return None
    place = np.array([row.place for row in rows])
    _, first, which = np.unique(place, return_index=True, return_inverse=True)
    found = appeared_sources({name: [getattr(rows[k], name) for k in first] for name in PLACE_COLUMNS})
    unknown = np.full(first.size, -1, dtype=np.int64)
    change, object_id = store_found(connection, run, "difference", found, unknown, MATCH_RADIUS)
    columns: dict[str, npt.NDArray[np.int64]] = {
        name: np.array([getattr(row, name) for row in rows], dtype=np.int64)
        for name in ("difference_image_id", "source_number")
    }
    types = dict.fromkeys((*columns, "object_id"), "bigint")
    stage_rows(connection, "appeared_source", types, columns | {"object_id": object_id[which]})
    connection.exec_driver_sql(
        "UPDATE roman.dia_source AS s SET object_id = a.object_id FROM pg_temp.appeared_source AS a "
        "WHERE s.difference_image_id = a.difference_image_id AND s.source_number = a.source_number"
    )
    return change
