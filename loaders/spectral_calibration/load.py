"""References derived from exposures in the database: which are to be, and one in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.exposure_spectrum.load import ExposureInputs, exposure_inputs, pending_exposures
from loaders.exposure_spectrum.measure import Calibration, measure
from loaders.input_file import fingerprint
from loaders.output_folder import writable_folder, writing
from loaders.rejection import Rejected
from loaders.spectral_calibration.derivation import (
    Derived,
    Known,
    Said,
    derive_geometry,
    derive_sensitivity,
)
from loaders.spectral_calibration.flat import SkyFlat
from loaders.spectral_calibration.rows import SourceRows, calibrating_rows
from loaders.spectral_extraction.calibration_file import FlatReference, SensitivityReference, write_flat
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import Reference
from loaders.spectral_reference.describe import Description
from loaders.spectral_reference.load import KIND, ReferenceOptions, store_reference, wait_for_others
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import InputFile, LoadRun
from roman_db.quality import Metric, store_metrics
from roman_db.settings import settings

_RADIUS = 0.15
"""Degrees from the middle of an exposure within which spectra of other telescopes are looked for."""
_SURE = 0.95
"""Reliability from which on a redshift counts."""
_NEEDS = {"geometry": (), "sensitivity": ("geometry", "flat"), "flat": ("geometry",)}
"""Other references from which one is derived: a new one makes it be derived again."""

_FILES = """
SELECT r.calibration_reference_id, r.file_id FROM roman.calibration_reference AS r
WHERE r.calibration_reference_id = ANY(CAST(:key AS bigint[]))
"""
_SPECTRA = """
SELECT object_id, wavelength, flux FROM roman.spectrum WHERE spectrum_id = ANY(CAST(:key AS bigint[]))
"""
_VERSION = """
SELECT coalesce(max(version), -1) + 1 FROM roman.calibration_reference
WHERE reftype = :reftype AND optical_element = :optical_element
  AND coalesce(detector, :detector) = :detector
"""
_MADE = """
SELECT r.reftype, r.optical_element, r.detector, r.version, f.path,
       count(s.exposure_id) AS n_exposure, coalesce(sum(s.n_source), 0) AS n_source
FROM roman.calibration_reference AS r
JOIN ops.input_file AS f USING (file_id)
JOIN roman.calibration_source AS s ON s.calibration_reference_id = r.calibration_reference_id
WHERE r.load_run_id = CAST(:run AS bigint)
GROUP BY r.calibration_reference_id, f.path ORDER BY r.calibration_reference_id
"""
_UNIT = 1e-20
"""W m⁻² µm⁻¹ of one, as fluxes of spectra are stored."""


def pending(reftype: str) -> Callable[[Mapping[str, Any]], list[Unit]]:
    """Make the function that lists the references of a kind to be derived, one of a detector and element.

    Its arguments are those of `loaders.spectral_calibration.tasks.DEFAULTS`. What is derived from the same
    files as a current reference is done.
    """

    def units(arguments: Mapping[str, Any]) -> list[Unit]:
        """References of this kind."""
        exposures = _exposures(arguments)
        with session.reading() as connection:
            rows = sqlfile.run(
                connection, sqlfile.find("jobs", "spectral_calibration_done"), {"reftype": reftype}
            )
            done = {(row.optical_element, row.detector, tuple(row.file_id)) for row in rows}
        found = []
        for key, some in groupby(exposures, key=lambda one: (one["optical_element"], one["detector"])):
            unit = _unit(reftype, key, list(some), arguments)
            if arguments["redo"] or (*key, tuple(unit.arguments["file_id"])) not in done:
                found.append(unit)
        return found

    return units


def _exposures(arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Dispersed exposures from which references may be derived, as units of `pending_exposures` have them."""
    wanted = {name: arguments[name] for name in ("detector", "optical_element")}
    wanted["program"] = _array(arguments["program"]) if arguments["program"] else None
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "spectral_calibration_exposure"), wanted).all()
    midpoints = {row.exposure_id: row.midpoint_mjd_tdb for row in rows}
    every = pending_exposures({**arguments, "redo": True})
    some = [dict(one.arguments) for one in every if one.arguments["exposure_id"] in midpoints]
    for one in some:
        one["midpoint_mjd_tdb"] = midpoints[one["exposure_id"]]
    return sorted(some, key=lambda one: (one["optical_element"], one["detector"], one["midpoint_mjd_tdb"]))


def _unit(
    reftype: str, key: tuple[str, str], exposures: list[dict[str, Any]], arguments: Mapping[str, Any]
) -> Unit:
    """A reference to be derived, with all that it is derived from."""
    spectra = _known_spectra(reftype, [one["exposure_id"] for one in exposures], arguments["standard"])
    others = {one[f"{name}_reference_id"] for one in exposures for name in _NEEDS[reftype]} - {None}
    with session.reading() as connection:
        files = connection.execute(sa.text(_FILES), {"key": sorted(others)}).all()
    file_ids = {one["file_id"] for one in (*exposures, *spectra)} | {row.file_id for row in files}
    start = arguments["valid_from_mjd"]
    given = {
        "reftype": reftype,
        "optical_element": key[0],
        "detector": key[1],
        "pedigree": arguments["pedigree"],
        "valid_from_mjd": exposures[0]["midpoint_mjd_tdb"] if start is None else start,
        "file_id": sorted(file_ids),
        "exposures": exposures,
        "spectra": spectra,
    }
    return Unit(f"{reftype} {key[0]} {key[1]}", given)


def _array(values: Sequence[int]) -> str:
    """Numbers as PostgreSQL writes an array."""
    return "{" + ",".join(map(str, values)) + "}"


def _known_spectra(reftype: str, exposures: Sequence[int], standards: Sequence[str]) -> list[dict[str, Any]]:
    """Spectra of other telescopes that a kind of reference uses."""
    values = {"exposure_id": _array(exposures), "radius": _RADIUS}
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "spectral_calibration_known"), values).all()
    found = [row._asdict() for row in rows]
    if reftype == "geometry":
        return [one for one in found if one["class_name"] == "GALAXY" and (one["reliability"] or 0) >= _SURE]
    if reftype == "sensitivity":
        return [
            one
            for one in found
            if one["flux_is_absolute"]
            and (one["spectrum_name"] in standards if standards else one["class_name"] == "STAR")
        ]
    return []


def derive_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Derive a reference, write and store it, or reject it."""
    try:
        derived = _DERIVE[unit.arguments["reftype"]](unit, run, progress)
        with session.transaction() as connection:
            _store(connection, run, unit, derived)
            for refused in derived.refused:
                _reject_beside(connection, run, unit.name, refused)
    except Rejected as rejected:
        with session.transaction() as connection:
            run.reject(connection, _of_unit(unit.name, rejected))


def _of_unit(name: str, rejected: Rejected) -> Rejected:
    return Rejected(name, f"{rejected.where}: {rejected.what}", rejected.remedy, rejected.code)


def _reject_beside(connection: sa.Connection, run: LoadRun, where: str, rejected: Rejected) -> None:
    """Record what could not be used beside what the unit has to account for."""
    run.expect_more(connection, 1)
    run.reject(connection, _of_unit(where, rejected))


def _read(unit: Unit, run: LoadRun, progress: Progress) -> Iterator[tuple[dict[str, Any], ExposureInputs]]:
    """Read the exposures of a unit; those that cannot be read are recorded, and left out."""
    exposures = unit.arguments["exposures"]
    for done, given in enumerate(exposures, 1):
        try:
            _check_geometry(given, exposures[-1])
            yield given, exposure_inputs(given)
        except Rejected as rejected:
            with session.transaction() as connection:
                _reject_beside(connection, run, str(given["path"]), rejected)
        progress(unit.name, done, len(exposures))


def _check_geometry(given: Mapping[str, Any], last: Mapping[str, Any]) -> None:
    """Refuse an exposure that is measured by another geometry than the last, as corrections are to one.

    Raises
    ------
    Rejected
        Code ``wrong_reference``.
    """
    if given["geometry_reference_id"] != last["geometry_reference_id"]:
        what = "the best geometry of it is another than that of the latest exposure, and it is left out"
        remedy = "Derive references from it apart (--program), or load a geometry that is valid for both"
        raise Rejected(given["path"], what, remedy, "wrong_reference")


@dataclass(frozen=True)
class _Measured:
    """Spectra of all exposures of a unit, the names of their files, and the references of the last."""

    spectra: list[SourceRows]
    names: dict[int, str]
    geometry: Reference
    sensitivity: SensitivityReference


def _measured(unit: Unit, run: LoadRun, progress: Progress) -> _Measured:
    """Measure the sources that calibrate on all exposures.

    Raises
    ------
    Rejected
        Codes ``no_reference``, if there is no geometry or sensitivity to begin with, ``wrong_reference``, and
        ``no_calibration_source``, if no exposure can be read.
    """
    spectra: list[SourceRows] = []
    names: dict[int, str] = {}
    references: tuple[Reference, SensitivityReference] | None = None
    for given, read in _read(unit, run, progress):
        references = _references(read)
        measured = measure(read.exposure, read.direct, read.calibration, read.near)
        spectra += calibrating_rows(given["exposure_id"], read.exposure, measured)
        names[given["exposure_id"]] = read.exposure.image.metadata.filename
    if references is None:
        remedy = "See why the exposures were refused, and load them again"
        raise Rejected("the exposures", "none can be read", remedy, "no_calibration_source")
    return _Measured(spectra, names, *references)


def _references(read: ExposureInputs) -> tuple[Reference, SensitivityReference]:
    """Geometry and sensitivities of an exposure.

    Raises
    ------
    Rejected
        Code ``no_reference``.
    """
    geometry, sensitivity = read.calibration.geometry, read.calibration.sensitivity
    if geometry is None or sensitivity is None:
        what = "there is no valid geometry or sensitivity to begin with"
        remedy = "Load those of the ground: roman-db load spectral-reference FILE"
        raise Rejected("the exposures", what, remedy, "no_reference")
    return geometry, sensitivity


def _geometry(unit: Unit, run: LoadRun, progress: Progress) -> Derived:
    """Derive a geometry."""
    found = _measured(unit, run, progress)
    detector = unit.arguments["detector"]
    known = Known({}, {one["object_id"]: one["z"] for one in unit.arguments["spectra"]})
    curve = found.sensitivity.curves[detector][1]
    return derive_geometry(found.geometry, detector, found.spectra, curve, known)


def _sensitivity(unit: Unit, run: LoadRun, progress: Progress) -> Derived:
    """Derive a sensitivity."""
    found = _measured(unit, run, progress)
    keys = [one["spectrum_id"] for one in unit.arguments["spectra"]]
    with session.reading() as connection:
        rows = connection.execute(sa.text(_SPECTRA), {"key": keys}).all()
    fluxes = {row.object_id: _spectrum(row.wavelength, row.flux) for row in rows}
    detector = unit.arguments["detector"]
    return derive_sensitivity(found.sensitivity, detector, found.spectra, Known(fluxes, {}), found.names)


def _spectrum(wavelength: Sequence[float], flux: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """Wavelengths (µm) and flux densities (W m⁻² µm⁻¹) of a stored spectrum, where it has both."""
    both = np.array([wavelength, flux], dtype=np.float64)
    at, values = both[:, np.isfinite(both).all(axis=0)]
    return at, values * _UNIT


def _flat(unit: Unit, run: LoadRun, progress: Progress) -> Derived:
    """Derive a flat."""
    flat, said = SkyFlat(), {}
    for given, read in _read(unit, run, progress):
        calibration = Calibration(*_references(read))
        extraction = measure(read.exposure, read.direct, calibration, read.near).extraction
        if extraction is None:
            continue
        flat.add(extraction.frame, extraction.sky.scale, extraction.model.total, read.exposure.corner)
        said[given["exposure_id"]] = Said(len(extraction.spectra))
    values, error = flat.flat()
    made = FlatReference(unit.arguments["optical_element"], unit.arguments["detector"], values)
    return Derived(lambda path: write_flat(path, made), {"spectral_flat_err": error}, said)


_DERIVE: Mapping[str, Callable[[Unit, LoadRun, Progress], Derived]] = {
    "geometry": _geometry,
    "sensitivity": _sensitivity,
    "flat": _flat,
}


def _write(unit: Unit, derived: Derived, version: int) -> Path:
    """Write a reference among the products; what a killed run left of its version is overwritten."""
    folder = writable_folder(settings().product_folder / "spectral_calibration")
    path = folder / f"{unit.name.replace(' ', '_').lower()}_v{version}.asdf"
    with writing(folder):
        derived.write(path)
    return path


def _store(connection: sa.Connection, run: LoadRun, unit: Unit, derived: Derived) -> None:
    """Write and store a reference as the next version, what it was derived from, and its quality."""
    given = unit.arguments
    what = Description(given["reftype"], given["optical_element"], given["detector"])
    wait_for_others(connection)
    version = _next_version(connection, what)
    options = ReferenceOptions(
        version=version,
        detector=given["detector"],
        valid_from_mjd=given["valid_from_mjd"],
        pedigree=given["pedigree"],
        description=f"derived from {len(given['exposures'])} exposures by spectral-calibration",
    )
    path = _write(unit, derived, version)
    file = InputFile(KIND, str(path.absolute()), *fingerprint(path))
    key = store_reference(connection, run, file, what, options)
    said = {one["file_id"]: one["exposure_id"] for one in given["exposures"]}
    rows = [
        {
            "calibration_reference_id": key,
            "file_id": file_id,
            "exposure_id": said.get(file_id),
            "load_run_id": run.load_run_id,
            **_words(derived, said.get(file_id)),
        }
        for file_id in given["file_id"]
    ]
    copy_rows(connection, "roman.calibration_source", {name: [row[name] for row in rows] for name in rows[0]})
    metrics = [
        Metric(name, given["optical_element"], value, calibration_reference_id=key)
        for name, value in derived.metrics.items()
    ]
    store_metrics(connection, run.load_run_id, metrics)


def _words(derived: Derived, exposure_id: int | None) -> dict[str, Any]:
    """What an exposure said, of a row of roman.calibration_source; nothing of other files."""
    if exposure_id is None:
        return {"n_source": None, "zero_point": None, "throughput": None}
    said = derived.exposures.get(exposure_id, Said(0))
    return {"n_source": said.n_source, "zero_point": said.zero_point, "throughput": said.throughput}


def _next_version(connection: sa.Connection, what: Description) -> int:
    """Version above all that the detector ever had, and above those for all detectors."""
    values = {
        "reftype": what.reftype,
        "optical_element": what.optical_element,
        "detector": what.detector,
    }
    return int(connection.execute(sa.text(_VERSION), values).scalar_one())


def derived_references(load_run_id: int) -> list[str]:
    """Say what a run derived, a line each."""
    with session.reading() as connection:
        rows = connection.execute(sa.text(_MADE), {"run": load_run_id}).all()
    return [
        f"{row.reftype.capitalize()} of {row.optical_element} {row.detector}, version {row.version}: "
        f"{row.n_exposure} exposures with {row.n_source} spectra of sources. Written: {row.path}"
        for row in rows
    ]
