"""The tasks of the mode ``spectral-calibration``."""

from __future__ import annotations

from typing import Any

from loaders.spectral_calibration.load import derive_unit, pending
from roman_db.jobs import Mode, Task, Unit, itself
from roman_db.load_run import InputFile

KINDS = ("geometry", "flat", "sensitivity")
"""What is derived, in the order in which one needs the other."""


DEFAULTS: dict[str, Any] = {
    "detector": None,
    "optical_element": None,
    "program": None,
    "standard": [],
    "pedigree": "INFLIGHT",
    "valid_from_mjd": None,
    "gain": 1.8,
    "redo": False,
}
"""Arguments of the mode.

``detector``, ``optical_element``: which; None for all. ``program``: numbers of programs whose exposures
count; None for all. ``standard``: names of spectra of standards; empty for those of all stars with absolute
fluxes. ``pedigree``, ``valid_from_mjd``: of the references; valid from their first exposure on if None.
``gain``: electrons per DN. ``redo``: whether to derive again what is derived.
"""


def _files(unit: Unit) -> list[InputFile]:
    """Files of the exposures of a unit, with the checksums of when they were loaded."""
    names = ("path", "sha256", "size_bytes", "file_id")
    return [InputFile("exposure", *(one[name] for name in names)) for one in unit.arguments["exposures"]]


GEOMETRY, FLAT, SENSITIVITY = (
    Task(f"derive_{kind}", f"Derive the {kind} of each detector", pending(kind), derive_unit, itself, _files)
    for kind in KINDS
)
TASKS = dict(zip(KINDS, (GEOMETRY, FLAT, SENSITIVITY), strict=True))

CALIBRATION = Mode(
    "spectral-calibration",
    "References of grism and prism from exposures: geometry, flat, sensitivity with its response",
    tuple(TASKS.values()),
)
