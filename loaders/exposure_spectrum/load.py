"""Spectra of exposures into the database: which are to be extracted, and one exposure in one transaction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.astrometry.load import stars_around
from loaders.exposure_spectrum.cutouts import cutout_file
from loaders.exposure_spectrum.measure import Calibration, Measured, Objects, measure
from loaders.exposure_spectrum.metrics import exposure_metrics
from loaders.exposure_spectrum.rows import location_columns, spectrum_columns
from loaders.input_file import LoadedFile
from loaders.rejection import Rejected
from loaders.spectral_extraction.calibration_file import read_flat, read_sensitivity
from loaders.spectral_extraction.exposure import BEYOND, DispersedExposure, by_wavelength, read_dispersed
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.read import read_geometry
from loaders.spectral_reference.load import reference_file
from loaders.wfi.level2 import Level2Image, read_level2
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.quality import Metric, store_metrics
from roman_db.schema.metadata import table
from roman_db.settings import settings

_PIXEL = 0.11 / 3600
"""Nominal side of a pixel, deg."""

_FLUXES = """
SELECT DISTINCT ON (f.object_id) f.object_id, f.psf_flux, b.wavelength_pivot
FROM roman.object_flux AS f
JOIN roman.optical_element AS b USING (optical_element)
JOIN roman.optical_element AS e ON e.optical_element = CAST(:optical_element AS text)
WHERE f.object_id = ANY(CAST(:object_id AS bigint[])) AND f.psf_flux > 0 AND f.psf_flux < 'Infinity'
ORDER BY f.object_id, abs(b.wavelength_pivot - e.wavelength_pivot)
"""
_DIRECT = """
SELECT path, sha256, size_bytes FROM ops.input_file WHERE file_id = CAST(:file_id AS bigint)
"""


def pending_exposures(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the exposures that are to be extracted.

    Arguments: ``detector, optical_element`` (or None), ``redo``, ``gain`` (electrons per DN).
    """
    names = ("detector", "optical_element", "redo")
    with session.reading() as connection:
        values = {name: arguments[name] for name in names}
        rows = sqlfile.run(connection, sqlfile.find("jobs", "spectral_exposure"), values).all()
    return [Unit(str(row[-1]), row._asdict() | {"gain": arguments["gain"]}) for row in rows]


def extract_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Extract the spectra of an exposure and store them in place of earlier ones, or reject it."""
    try:
        measured, row = _measure(unit.arguments)
        with session.transaction() as connection:
            _check_current(connection, unit.arguments)
            earlier = _supersede(connection, unit.arguments)
            row |= cutout_file(measured, _cutout_path(unit, run), earlier)
            _store(connection, run, unit.arguments, measured, row)
            run.count(connection, loaded=1)
        for file in earlier:
            file.unlink(missing_ok=True)
    except Rejected as rejected:
        with session.transaction() as connection:
            path = str(unit.arguments["path"])
            what = rejected.what if rejected.where == path else f"{rejected.where}: {rejected.what}"
            run.reject(connection, Rejected(path, what, rejected.remedy, rejected.code))
    progress(unit.name, 1, 1)


def _measure(given: Mapping[str, Any]) -> tuple[Measured, dict[str, Any]]:
    """Extract the spectra of an exposure; with what its row in the database says of catalog and geometry.

    Raises
    ------
    Rejected
        See `exposure_inputs`; and code ``wrong_reference``.
    """
    read = exposure_inputs(given)
    row = {
        "catalog_version_id": read.catalog_version_id,
        "reference_wavelength": read.calibration.reference_wavelength,
    }
    return measure(read.exposure, read.direct, read.calibration, read.near), row


@dataclass(frozen=True)
class ExposureInputs:
    """What the spectra of an exposure are made from: what `measure` takes, and the version of the catalog."""

    exposure: DispersedExposure
    direct: Level2Image | None
    calibration: Calibration
    near: Objects
    catalog_version_id: int


def exposure_inputs(given: Mapping[str, Any]) -> ExposureInputs:
    """Read what the spectra of an exposure are made from; ``given`` as a unit of `pending_exposures` has it.

    Raises
    ------
    Rejected
        Codes of files that are gone, changed or of no use, and ``no_catalog``.
    """
    path = Path(given["path"])
    LoadedFile(path, given["sha256"], given["size_bytes"]).require_unchanged()
    near, version = _objects(given, path)
    direct, calibration = _direct(given["direct_file_id"]), _calibration(given)
    return ExposureInputs(read_dispersed(path, given["gain"]), direct, calibration, near, version)


def search_radius(given: Mapping[str, Any]) -> float:
    """Distance (deg) from the middle of an exposure within which light may come from into it."""
    return (math.hypot(given["n_x"], given["n_y"]) / 2 + BEYOND) * _PIXEL


def _objects(given: Mapping[str, Any], path: Path) -> tuple[Objects, int]:
    """Objects around an exposure with their brightness, and the version of the catalog."""
    circle = given["ra"], given["dec"], search_radius(given)
    stars = stars_around(given["optical_element"], circle, path)
    flux: FloatArray = np.full(stars.object_id.size, np.nan)
    values = {"object_id": stars.object_id.tolist(), "optical_element": given["optical_element"]}
    with session.reading() as connection:
        rows = np.array(connection.execute(sa.text(_FLUXES), values).all(), dtype=object).reshape(-1, 3)
    where = np.searchsorted(stars.object_id, rows[:, 0].astype(np.int64))
    flux[where] = by_wavelength(rows[:, 1].astype(np.float64), rows[:, 2].astype(np.float64))
    return Objects(stars.object_id, stars.astrometry, flux), stars.catalog_version_id


def _direct(file_id: int | None) -> Level2Image | None:
    """Direct exposure of a file; None where there is none."""
    if file_id is None:
        return None
    with session.reading() as connection:
        row = connection.execute(sa.text(_DIRECT), {"file_id": file_id}).one()
    LoadedFile(Path(row.path), row.sha256, row.size_bytes).require_unchanged()
    return read_level2(row.path)


def _calibration(given: Mapping[str, Any]) -> Calibration:
    """References of an exposure, as far as there are any."""
    paths = {
        kind: None if given[f"{kind}_reference_id"] is None else reference_file(given[f"{kind}_reference_id"])
        for kind in ("geometry", "sensitivity", "flat")
    }
    geometry, sensitivity, flat = paths.values()
    return Calibration(
        None if geometry is None else read_geometry(geometry),
        None if sensitivity is None else read_sensitivity(sensitivity),
        None if flat is None else read_flat(flat).values,
    )


def _check_current(connection: sa.Connection, given: Mapping[str, Any]) -> None:
    """Take turns with who else stores spectra of the exposure; refuse what was replaced meanwhile.

    Raises
    ------
    Rejected
        Code ``superseded_exposure``.
    """
    name = f"spectra of exposure {given['exposure_id']}"
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
    exposures = table("roman.exposure").c
    query = sa.select(exposures.file_id).where(exposures.exposure_id == given["exposure_id"])
    if connection.execute(query).scalar() != given["file_id"]:
        what = "was replaced while its spectra were extracted"
        raise Rejected(given["path"], what, "Give the same command again", "superseded_exposure")


def _cutout_path(unit: Unit, run: LoadRun) -> Path:
    """File of the cut-outs that a run makes of an exposure."""
    name = f"{Path(unit.arguments['path']).stem}_run{run.load_run_id}_cutouts.parquet"
    return settings().product_folder / "spectra" / name


def _supersede(connection: sa.Connection, given: Mapping[str, Any]) -> list[Path]:
    """Supersede what an exposure gave before; return its files of cut-outs, which hold until the commit."""
    extractions = table("roman.spectral_extraction")
    before = [extractions.c.exposure_id == given["exposure_id"], extractions.c.superseded_at.is_(None)]
    files = connection.execute(sa.select(extractions.c.cutout_path).where(*before)).scalars().all()
    gone = {"superseded_at": sa.func.now(), "combined_at": None, "cutout_path": None, "cutout_sha256": None}
    connection.execute(extractions.update().where(*before).values(gone))
    return [Path(path) for path in files if path is not None]


def _store(
    connection: sa.Connection,
    run: LoadRun,
    given: Mapping[str, Any],
    measured: Measured,
    known: Mapping[str, Any],
) -> None:
    """Store what an exposure gives; ``known`` is of its row what is known already."""
    extractions = table("roman.spectral_extraction")
    row = _extraction_row(given, measured) | {**known, "load_run_id": run.load_run_id}
    insert = extractions.insert().returning(extractions.c.spectral_extraction_id)
    key = int(connection.execute(insert, row).scalar_one())
    spectra = spectrum_columns(measured)
    _copy(connection, run, key, "roman.exposure_spectrum", spectra)
    if measured.locations is not None:
        columns = location_columns(measured, measured.locations)
        _copy(connection, run, key, "roman.spectrum_location", columns)
    store_metrics(
        connection,
        run.load_run_id,
        [
            Metric(name, given["optical_element"], value, exposure_id=given["exposure_id"])
            for name, value in exposure_metrics(measured).items()
        ],
    )


def _copy(connection: sa.Connection, run: LoadRun, key: int, name: str, columns: dict[str, Any]) -> None:
    """Append rows of an extraction."""
    number = len(columns["object_id"])
    same = {"spectral_extraction_id": [key] * number, "load_run_id": [run.load_run_id] * number}
    if number:
        copy_rows(connection, name, columns | same)


def _extraction_row(given: Mapping[str, Any], measured: Measured) -> dict[str, Any]:
    """Row of roman.spectral_extraction, but for catalog, geometry, cut-outs and run."""
    names = (
        *("exposure_id", "file_id", "direct_exposure_id", "direct_file_id"),
        *(f"{kind}_reference_id" for kind in ("geometry", "sensitivity", "flat")),
    )
    reasons = set(measured.reason)
    sky = None if measured.extraction is None else measured.extraction.sky
    return {name: given[name] for name in names} | {
        "search_radius": search_radius(given),
        "sky_rate": None if sky is None else sky.scale,
        "sky_rate_err": None if sky is None else sky.error,
        "n_source": len(measured.reason),
        "n_extracted": len(measured.spectra),
        "reason": reasons.pop() if sky is None and len(reasons) == 1 else None,
    }
