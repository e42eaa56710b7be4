"""The task of the mode ``static-catalog``."""

from __future__ import annotations

from loaders.static_catalog.load import catalog_unit, pending_sets, read_set
from roman_db import session
from roman_db.jobs import Mode, Task, Unit
from roman_db.load_run import InputFile


def mosaic_names(unit: Unit) -> list[str]:
    """Name each mosaic of a unit by its file."""
    return [file.path for file in mosaic_files(unit)]


def mosaic_files(unit: Unit) -> list[InputFile]:
    """Files of the mosaics of a unit, with the checksums of when they were loaded."""
    with session.reading() as connection:
        stored = read_set(connection, unit)
    return [InputFile("mosaic", str(one.path), one.sha256, one.size_bytes, one.file_id) for one in stored]


CATALOG = Task(
    "static_catalog",
    "Detect and measure the sources of each set of mosaics, and find their objects",
    pending_sets,
    catalog_unit,
    mosaic_names,
    mosaic_files,
)

STATIC_CATALOG = Mode(
    "static-catalog",
    "Make the static catalogs of all sets of mosaics that are new or have changed",
    (CATALOG,),
)
