"""Whether the database knows the detector and the filter of an exposure."""

from __future__ import annotations

from collections.abc import Collection

from loaders.rejection import Rejected
from loaders.wfi.metadata import ExposureMetadata


def check_known(
    metadata: ExposureMetadata, detectors: Collection[str], optical_elements: Collection[str]
) -> None:
    """Reject an exposure of a detector or filter that is not registered.

    Parameters
    ----------
    metadata
        Metadata of the exposure.
    detectors, optical_elements
        Registered names.

    Raises
    ------
    Rejected
        Codes ``unknown_detector``, ``unknown_optical_element``.
    """
    for name, known in (("detector", detectors), ("optical_element", optical_elements)):
        value = getattr(metadata, name)
        if value not in known:
            where = f"{metadata.filename}: meta.instrument.{name}"
            what = f"{value!r} is not among the registered ones ({', '.join(sorted(known)) or 'none'})"
            remedy = f"Register it in the table {name}, or correct the keyword"
            raise Rejected(where, what, remedy, f"unknown_{name}")
