"""The tasks of the mode ``spectra``."""

from __future__ import annotations

from typing import Any

from loaders.combined_spectrum.load import combine_unit, pending_ranges
from loaders.exposure_spectrum.load import extract_unit, pending_exposures
from roman_db.jobs import Mode, Task, Unit, itself
from roman_db.load_run import InputFile


def arguments(
    detector: str | None = None,
    optical_element: str | None = None,
    *,
    gain: float = 1.8,
    redo: bool = False,
) -> dict[str, Any]:
    """Arguments of the mode: for one detector and element, or all; ``gain`` in electrons per DN."""
    return {"detector": detector, "optical_element": optical_element, "gain": gain, "redo": redo}


def _names(unit: Unit) -> list[str]:
    """Name the exposure of a unit by its file."""
    return [str(unit.arguments["path"])]


def _files(unit: Unit) -> list[InputFile]:
    """File of the exposure of a unit, with the checksum of when it was loaded."""
    given = (unit.arguments[name] for name in ("path", "sha256", "size_bytes", "file_id"))
    return [InputFile("exposure", *given)]


EXTRACT = Task(
    "extract_spectra",
    "Extract the spectra of all objects on each dispersed exposure",
    pending_exposures,
    extract_unit,
    _names,
    _files,
)
COMBINE = Task(
    "combine_spectra",
    "Combine the spectra of each object over its exposures, and fit redshift, class and lines",
    pending_ranges,
    combine_unit,
    itself,
)

SPECTRA = Mode(
    "spectra",
    "Dispersed exposures to spectra of single exposures, combined spectra, redshifts and lines",
    (EXTRACT, COMBINE),
)
