"""The tasks of the mode ``daily``, and the exposures that their units have to account for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from loaders.astrometry.load import has_stars, read_exposures
from loaders.photometry.load import DIFFERENCE as DIFFERENCE_KIND
from loaders.photometry.load import EVERY_DAY, pending_units, photometer_unit
from loaders.psf.load import build_unit, units_without_psf
from roman_db import session
from roman_db.jobs import Mode, Task, Unit
from roman_db.load_run import InputFile

#: Days before and after any observation.
_FIRST, _LAST = 0, 1_000_000

_FILES = """
SELECT e.exposure_id, f.path, f.sha256, f.size_bytes, f.file_id
FROM roman.exposure e JOIN ops.input_file f USING (file_id)
WHERE e.exposure_id = ANY(CAST(:exposure_id AS bigint[]))
"""


def selection(
    day: int | None = None,
    detector: str | None = None,
    optical_element: str | None = None,
    *,
    redo: bool = False,
    follow_catalog: bool = False,
    photometry_kind: str = EVERY_DAY,
) -> dict[str, Any]:
    """Arguments of the mode: for one day (MJD), detector and optical element, or all, where None is given."""
    return {
        "first_day": _FIRST if day is None else day,
        "last_day": _LAST if day is None else day,
        "detector": detector,
        "optical_element": optical_element,
        "redo": redo,
        "follow_catalog": follow_catalog,
        "photometry_kind": photometry_kind,
    }


def units_with_stars(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the PSFs that can be built: where no star is catalogued it is the photometry that says so.

    Nor those of an element in which no star has a flux yet, of which no image was searched.
    """
    return _with_stars(units_without_psf(arguments))


def first_psfs(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the PSFs to be built for the first images: none that is there is built again for these."""
    return _with_stars(units_without_psf(dict(arguments) | {"redo": False}, is_first=True))


def _with_stars(units: list[Unit]) -> list[Unit]:
    """Leave out units where no star is catalogued with a flux in their element."""
    with session.reading() as connection:
        exposures = {unit.name: read_exposures(connection, unit.arguments["exposure_id"]) for unit in units}
        return [
            unit
            for unit in units
            if has_stars(connection, exposures[unit.name], unit.arguments["optical_element"])
        ]


def difference_units(arguments: Mapping[str, Any]) -> list[Unit]:
    """List exposures whose changes against a reference image are still to do, as `pending_units`.

    None where the mode is asked for photometry of another kind than that of every day.
    """
    if arguments["photometry_kind"] != EVERY_DAY:
        return []
    return pending_units(dict(arguments) | {"photometry_kind": DIFFERENCE_KIND})


def exposure_names(unit: Unit) -> list[str]:
    """Name each exposure of a unit: by its file, or by its number should the database have no file of it."""
    files = _files(unit)
    numbers = unit.arguments["exposure_id"]
    return [files[number].path if number in files else f"exposure {number}" for number in numbers]


def exposure_files(unit: Unit) -> list[InputFile]:
    """Files of the exposures of a unit, with the checksums of when they were loaded."""
    return list(_files(unit).values())


def _files(unit: Unit) -> dict[int, InputFile]:
    """Files by exposure."""
    with session.reading() as connection:
        rows = connection.execute(sa.text(_FILES), {"exposure_id": unit.arguments["exposure_id"]})
        return {row.exposure_id: InputFile("exposure", *row[1:]) for row in rows}


#: Makes what the exposures are measured with: `PHOTOMETER` accounts for them.
PSF = Task(
    "psf",
    "Build the PSF of each detector, optical element and day",
    units_with_stars,
    build_unit,
    files=exposure_files,
)
PHOTOMETER = Task(
    "photometer",
    "Photometer the exposures and store blocks",
    pending_units,
    photometer_unit,
    exposure_names,
    exposure_files,
)
DIFFERENCE = Task(
    "dia",
    "Photometer the changes against the reference images and store blocks",
    difference_units,
    photometer_unit,
    exposure_names,
    exposure_files,
)

#: Arguments that say which light curves a run writes: those of others may be written at the same time.
SCOPE = ("detector", "optical_element")

DAILY = Mode(
    "daily",
    "Update the PSF, photometer every catalogued object in every new exposure, write the light curves",
    (PSF, PHOTOMETER, DIFFERENCE),
    scope=SCOPE,
)

#: The same without PSFs, of which sums in apertures have no need.
APERTURES = Mode(
    "daily",
    "Sum the light of every catalogued object in every new exposure, write the light curves",
    (PHOTOMETER,),
    scope=SCOPE,
)
