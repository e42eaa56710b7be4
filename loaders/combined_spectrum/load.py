"""Combined spectra with their redshifts into the database: some objects at a time, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
JOIN unnest(CAST(:object_id AS bigint[]), CAST(:extraction AS bigint[])) AS g (object_id, extraction)
    ON g.object_id = s.object_id AND g.extraction = s.spectral_extraction_id
ORDER BY s.object_id, s.spectral_extraction_id
"""
_PLACES = "SELECT object_id, ra, dec FROM roman.object WHERE object_id = ANY(CAST(:object_id AS bigint[]))"
_SUPERSEDE = """
UPDATE roman.spectrum SET superseded_at = now()
WHERE object_id = ANY(CAST(:object_id AS bigint[])) AND optical_element = CAST(:optical_element AS text)
  AND superseded_at IS NULL
"""


def pending_ranges(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the ranges of objects whose spectra are to be combined.

    Arguments: ``optical_element`` (or None), ``redo``.
    """
    values = {name: arguments[name] for name in ("optical_element", "redo")}
    units = []
    for element, rows in groupby(_due(values), key=lambda row: row.optical_element):
        objects = [row.object_id for row in rows]
        for begin in range(0, len(objects), RANGE):
            given = {
                "optical_element": element,
                "first_object": objects[begin],
                "last_object": objects[min(begin + RANGE, len(objects)) - 1],
                "redo": arguments["redo"],
            }
            units.append(Unit(f"{element}, objects from {given['first_object']}", given))
    return units


def _due(values: Mapping[str, Any]) -> Sequence[sa.Row[Any]]:
    """Objects whose spectra are to be combined, with the extractions that they are of."""
    with session.reading() as connection:
        return sqlfile.run(connection, sqlfile.find("jobs", "spectra_to_combine"), values).all()


def combine_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Combine the spectra of a range of objects, fit them, and store both."""
    due = _due(unit.arguments)
    for first in range(0, len(due), AT_ONCE):
        _combine(run, unit.arguments["optical_element"], due[first : first + AT_ONCE])
        progress(unit.name, min(first + AT_ONCE, len(due)), len(due))
    with session.transaction() as connection:
        run.count(connection, loaded=1)


def _combine(run: LoadRun, optical_element: str, due: Sequence[sa.Row[Any]]) -> None:
    """Combine, fit and store some objects; those of which no spectrum is left have none from then on."""
    extractions = {row.object_id: list(row.spectral_extraction_id) for row in due}
    spectra = _read(optical_element, extractions)
    fits = fit_spectra(list(spectra.values()))
    with session.transaction() as connection:
        values = {"object_id": list(extractions), "optical_element": optical_element}
        connection.execute(sa.text(_SUPERSEDE), values)
        if not spectra:
            return
        origin: Columns = {
            "object_id": list(spectra),
            "optical_element": [optical_element] * len(spectra),
            "n_exposure": [len(extractions[object_id]) for object_id in spectra],
        }
        ids = store_spectra(connection, run, list(spectra.values()), fits, origin)
        pairs = [(key, one) for key, obj in zip(ids, spectra, strict=True) for one in extractions[obj]]
        parts = {
            "spectrum_id": [key for key, _ in pairs],
            "spectral_extraction_id": [one for _, one in pairs],
        }
        copy_columns(connection, run, "roman.spectrum_part", parts)


def _read(optical_element: str, extractions: Mapping[int, list[int]]) -> dict[int, Spectrum]:
    """Combined spectra by object, of those of which there is any."""
    pairs = [(key, one) for key, many in extractions.items() for one in many]
    values = {"object_id": [key for key, _ in pairs], "extraction": [one for _, one in pairs]}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_PARTS), values).all()
        places = connection.execute(sa.text(_PLACES), {"object_id": list(extractions)}).all()
    where = {row.object_id: (row.ra, row.dec) for row in places}
    parts: defaultdict[int, list[Part]] = defaultdict(list)
    for row in rows:
        arrays = (np.array(values, np.float64) for values in (row.wavelength, row.flux, row.flux_err))
        parts[row.object_id].append(Part(Rows(*arrays), float(row.lsf_fwhm)))
    wavelength = shared_wavelengths(optical_element)
    return {
        key: combined(f"{optical_element} {key}", where[key], some, wavelength) for key, some in parts.items()
    }
