"""The tasks of the modes ``eight-day`` and ``first-30-days``."""

from __future__ import annotations

from loaders.daily.tasks import DIFFERENCE as DIFFERENCE_PHOTOMETRY
from loaders.daily.tasks import PHOTOMETER, PSF, SCOPE, exposure_files, exposure_names, first_psfs, selection
from loaders.detection.load import catalog_unit, pending_catalogs
from loaders.difference.load import difference_unit, pending_differences
from loaders.psf.load import build_unit
from loaders.reference.load import make_reference, pending_references
from roman_db.jobs import Mode, Task, itself


def arguments(
    detector: str | None = None,
    optical_element: str | None = None,
    *,
    unfinished: bool = False,
    redo: bool = False,
) -> dict[str, object]:
    """Arguments of the modes: for one detector and optical element, or all, where None is given."""
    daily = selection(None, detector, optical_element)
    return daily | {"unfinished": unfinished, "redo": redo, "follow_catalog": True}


REFERENCE = Task(
    "reference",
    "Make the super-sampled image of a span of days",
    pending_references,
    make_reference,
    exposure_names,
)
CATALOG = Task("catalog", "Find the objects on a reference image", pending_catalogs, catalog_unit, itself)
DIFFERENCE = Task(
    "difference",
    "Compare a reference image with the one before",
    pending_differences,
    difference_unit,
    itself,
)

#: The fluxes of the first images are as wrong as the PSF of the optics: PSFs are laid on their own light,
#: and on the catalog once it has the fluxes of images with such PSFs.
FIRST_PSF = Task(
    "first_psf",
    "Build the PSF of each detector, optical element and day, on the scale of its own light",
    first_psfs,
    build_unit,
    files=exposure_files,
)

EIGHT_DAY = Mode(
    "eight-day",
    "New references, what is new on them, and its light curves",
    (PSF, REFERENCE, CATALOG, DIFFERENCE, PHOTOMETER, DIFFERENCE_PHOTOMETRY),
    "references",
    SCOPE,
)

#: Without a catalog the first images have the PSF of the optics; with that of the stars they are made again.
FIRST_30_DAYS = Mode(
    "first-30-days",
    "From nothing but exposures to PSFs, references, a catalog and light curves",
    (REFERENCE, CATALOG, FIRST_PSF, REFERENCE, CATALOG, PSF, DIFFERENCE, PHOTOMETER, DIFFERENCE_PHOTOMETRY),
    "references",
    SCOPE,
)
