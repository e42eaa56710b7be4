"""Combined spectra with their redshifts into the database: some objects at a time, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.combined_spectrum.combine import Part, combined, shared_wavelengths
from loaders.redshift.fit import AT_ONCE, fit_spectra
from loaders.redshift.load import copy_columns, store_spectra
from loaders.redshift.rows import Columns
from loaders.redshift.spectrum import Spectrum
from loaders.spectral_extraction.combination import Spectrum as Rows
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun

RANGE = 500
"""Objects of a unit."""

_PARTS = """
SELECT s.object_id, s.spectral_extraction_id, s.wavelength, s.flux, s.flux_err, s.lsf_fwhm
FROM roman.exposure_spectrum AS s
JOIN roman.spectral_extraction AS x ON x.spectral_extraction_id = s.spectral_extraction_id
JOIN roman.exposure AS e ON e.exposure_id = x.exposure_id
WHERE s.object_id = ANY(CAST(:object_id AS bigint[])) AND e.optical_element = CAST(:optical_element AS text)
  AND x.superseded_at IS NULL AND s.n_pixel > 0
ORDER BY s.object_id, s.spectral_extraction_id
"""
_PLACES = "SELECT object_id, ra, dec FROM roman.object WHERE object_id = ANY(CAST(:object_id AS bigint[]))"
_SUPERSEDE = """
UPDATE roman.spectrum SET superseded_at = now()
WHERE object_id = ANY(CAST(:object_id AS bigint[])) AND optical_element = CAST(:optical_element AS text)
  AND superseded_at IS NULL
"""
#: An extraction that makes no object due is settled.
_SETTLE = """
UPDATE roman.spectral_extraction AS x SET combined_at = now()
WHERE combined_at IS NULL AND NOT EXISTS (
    SELECT FROM ({due}) AS due WHERE due.spectral_extraction_id = x.spectral_extraction_id
)
"""
_OBJECTS = "SELECT DISTINCT object_id FROM ({due}) AS due ORDER BY object_id"
_RANGES = f"""
SELECT optical_element, min(object_id) AS first_object, max(object_id) AS last_object
FROM (
    SELECT *, (dense_rank() OVER (PARTITION BY optical_element ORDER BY object_id) - 1) / {RANGE} AS number
    FROM ({{due}}) AS due
) AS numbered
GROUP BY optical_element, number ORDER BY optical_element, number
"""


def pending_ranges(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the ranges of objects whose spectra are to be combined.

    Extractions of which nothing is left to be done are noted first, so that the next look leaves them out.
    Arguments: ``optical_element`` (or None), ``redo``.
    """
    values = {name: arguments[name] for name in ("optical_element", "redo")}
    with session.transaction() as connection:
        _run(connection, _SETTLE, {"optical_element": None})
        ranges = _run(connection, _RANGES, values).all()
    return [
        Unit(f"{row.optical_element}, objects from {row.first_object}", values | dict(row._mapping))
        for row in ranges
    ]


def _run(connection: sa.Connection, template: str, values: Mapping[str, object]) -> sa.CursorResult[Any]:
    """Run a statement about what is to be combined."""
    due = sqlfile.find("jobs", "spectra_to_combine").bind(values)
    return connection.exec_driver_sql(template.format(due=due), execution_options={"no_parameters": True})


def combine_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Combine the spectra of a range of objects, fit them, and store both."""
    with session.reading() as connection:
        due = list(_run(connection, _OBJECTS, unit.arguments).scalars())
    for first in range(0, len(due), AT_ONCE):
        _combine(run, unit.arguments["optical_element"], due[first : first + AT_ONCE])
        progress(unit.name, min(first + AT_ONCE, len(due)), len(due))
    with session.transaction() as connection:
        run.count(connection, loaded=1)


def _combine(run: LoadRun, optical_element: str, objects: list[int]) -> None:
    """Combine, fit and store some objects; those of which no spectrum is left have none from then on."""
    found = _read(optical_element, objects)
    spectra = [one.spectrum for one in found]
    fits = fit_spectra(spectra)
    with session.transaction() as connection:
        values = {"object_id": objects, "optical_element": optical_element}
        connection.execute(sa.text(_SUPERSEDE), values)
        if not found:
            return
        origin: Columns = {
            "object_id": [one.object_id for one in found],
            "optical_element": [optical_element] * len(found),
            "n_exposure": [len(one.extractions) for one in found],
        }
        ids = store_spectra(connection, run, spectra, fits, origin)
        pairs = [(key, part) for key, one in zip(ids, found, strict=True) for part in one.extractions]
        parts = {
            "spectrum_id": [key for key, _ in pairs],
            "spectral_extraction_id": [part for _, part in pairs],
        }
        copy_columns(connection, run, "roman.spectrum_part", parts)


@dataclass(frozen=True)
class _Combined:
    """Combined spectrum of an object, and the extractions that it is of."""

    object_id: int
    spectrum: Spectrum
    extractions: tuple[int, ...]


def _read(optical_element: str, objects: list[int]) -> list[_Combined]:
    """Combine the current spectra of objects, of those of which there is any, in their order."""
    values = {"object_id": objects, "optical_element": optical_element}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_PARTS), values).all()
        places = connection.execute(sa.text(_PLACES), values).all()
    where = {row.object_id: (row.ra, row.dec) for row in places}
    wavelength = shared_wavelengths(optical_element)
    found = []
    for key, group in groupby(rows, key=lambda row: row.object_id):
        own = list(group)
        spectrum = combined(f"{optical_element} {key}", where[key], [_part(row) for row in own], wavelength)
        found.append(_Combined(key, spectrum, tuple(row.spectral_extraction_id for row in own)))
    return found


def _part(row: sa.Row[Any]) -> Part:
    """Spectrum of an object on an exposure."""
    arrays = (np.array(values, np.float64) for values in (row.wavelength, row.flux, row.flux_err))
    return Part(Rows(*arrays), float(row.lsf_fwhm))
