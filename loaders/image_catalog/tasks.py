"""The tasks of the mode ``image-catalog``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loaders.daily.tasks import selection
from loaders.image_catalog.load import catalog_unit, forced_unit, pending_exposures, pending_forced
from roman_db.jobs import Mode, Task, Unit
from roman_db.load_run import InputFile


def arguments(
    products: Path,
    day: int | None = None,
    detector: str | None = None,
    optical_element: str | None = None,
    *,
    redo: bool = False,
) -> dict[str, Any]:
    """Arguments of the mode: products go to a folder; for one day (MJD), detector and element, or all."""
    return selection(day, detector, optical_element, redo=redo) | {"products": str(products)}


def _names(unit: Unit) -> list[str]:
    """Name the exposure of a unit by its file."""
    return [str(unit.arguments["path"])]


def _files(unit: Unit) -> list[InputFile]:
    """File of the exposure of a unit, with the checksum of when it was loaded."""
    given = unit.arguments
    names = ("path", "sha256", "size_bytes", "file_id")
    return [InputFile("exposure", *(given[name] for name in names))]


IMAGE_CATALOG = Task(
    "image_catalog",
    "Detect and measure the sources of each exposure, and find their objects",
    pending_exposures,
    catalog_unit,
    _names,
    _files,
)

FORCED_IMAGE_CATALOG = Task(
    "forced_image_catalog",
    "Measure the sources of the catalogs of mosaics in each exposure",
    pending_forced,
    forced_unit,
    _names,
    _files,
)

IMAGE_CATALOGS = Mode(
    "image-catalog",
    "Make the catalogs of single exposures that are new or have changed",
    (IMAGE_CATALOG, FORCED_IMAGE_CATALOG),
)
