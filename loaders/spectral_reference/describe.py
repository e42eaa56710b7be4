"""What a file of a reference is: its kind, its element, and the detector that it is of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import asdf

from loaders.input_file import read_bytes
from loaders.rejection import Rejected
from loaders.spectral_extraction.calibration_file import FLAT, SENSITIVITY, read_flat, read_sensitivity
from loaders.spectral_geometry.read import read_geometry
from loaders.spectral_geometry.reference import TraceReference

_ELEMENTS = ("GRISM", "PRISM")
_UNSAID = "unsaid"
"""Detector of a reference that is of one and does not say of which."""


@dataclass(frozen=True)
class Description:
    """A reference: ``geometry``, ``sensitivity`` or ``flat``, of an element and a detector (None: of all)."""

    reftype: str
    optical_element: str
    detector: str | None


def describe(path: Path, detector: str | None = None) -> Description:
    """Read a reference as a whole, and say what it is.

    Parameters
    ----------
    path
        File.
    detector
        Detector that people say it is of; None where they say nothing.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``not_dispersion``, ``not_sensitivity``, ``not_flat``;
        ``wrong_reference`` where it is of another element or detector, ``no_detector`` where it is of one and
        nobody says of which.
    """
    found = _described(path)
    if found.optical_element not in _ELEMENTS:
        what = f"it is of {found.optical_element!r}, which does not disperse"
        raise Rejected(str(path), what, "Give a reference of GRISM or PRISM", "wrong_reference")
    if detector is not None and found.detector not in (None, _UNSAID, detector):
        what = f"it is of {found.detector}, not of {detector}"
        raise Rejected(str(path), what, "Correct --detector, or leave it out", "wrong_reference")
    if detector is None and found.detector == _UNSAID:
        what = "it is of one detector, and does not say of which"
        raise Rejected(str(path), what, "Say it: --detector WFI01", "no_detector")
    return Description(found.reftype, found.optical_element, detector or found.detector)


def _described(path: Path) -> Description:
    kind = _key(path)
    if kind == SENSITIVITY:
        return Description("sensitivity", read_sensitivity(path).optical_element, None)
    if kind == FLAT:
        flat = read_flat(path)
        return Description("flat", flat.optical_element, flat.detector)
    reference = read_geometry(path)
    of_one = isinstance(reference, TraceReference)
    return Description("geometry", reference.optical_element, _UNSAID if of_one else None)


def _key(path: Path) -> str:
    """Key of the tree of a file of ours; empty for what is no ASDF, or none of these."""
    if read_bytes(path, "a reference of grism or prism", 5) != b"#ASDF":
        return ""
    try:
        with asdf.open(path, lazy_load=True, memmap=False) as opened:
            return next((key for key in (SENSITIVITY, FLAT) if key in opened.tree), "")
    except (OSError, ValueError) as error:
        what = f"it cannot be read as ASDF ({' '.join(str(error).split())[:100]})"
        raise Rejected(str(path), what, "Fetch or write it again", "unreadable_file") from error
