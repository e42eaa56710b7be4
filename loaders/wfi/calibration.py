"""Image units: DN/s, whatever the file holds, and the flux density that one of them stands for."""

from __future__ import annotations

import math
from pathlib import Path

from loaders.rejection import Rejected
from loaders.wfi.metadata import ExposureMetadata

NJY_PER_MJY = 1e15


def njy_per_unit(metadata: ExposureMetadata, path: Path) -> float:
    """Compute the flux density of a source that makes one DN/s in all pixels together.

    ``|conversion_megajanskys| * |pixel_area|``: both are negative in files of romanisim, as it takes the
    handedness of the detector's axes for the sign of an area.

    Parameters
    ----------
    metadata
        Metadata of the exposure; ``conversion_megajanskys`` in MJy/sr per DN/s, ``pixel_area`` in sr.
    path
        The file, for messages.

    Returns
    -------
    float
        nJy per DN/s, positive.

    Raises
    ------
    Rejected
        Code ``no_flux_calibration`` if either number is unknown or zero.
    """
    factor = 1.0
    for name in ("conversion_megajanskys", "pixel_area"):
        value = getattr(metadata, name)
        if value is None or value == 0:
            what = f"the flux calibration is {'unknown' if value is None else 'zero'}"
            remedy = "Process the file with the photom step of the pipeline"
            raise Rejected(f"{path}: meta.photometry.{name}", what, remedy, "no_flux_calibration")
        factor *= math.fabs(value)
    return factor * NJY_PER_MJY


def to_rate(metadata: ExposureMetadata, flux_step: str | None) -> float:
    """Compute the factor that brings the file's image to DN/s.

    Parameters
    ----------
    metadata
        Metadata of the exposure with a flux calibration.
    flux_step
        ``meta.cal_step.flux``: COMPLETE if the pipeline has multiplied the image by
        ``conversion_megajanskys``, so that it is in MJy/sr.

    Returns
    -------
    float
        1 for an image in DN/s. Negative where the pipeline multiplied by a negative conversion.
    """
    if flux_step != "COMPLETE" or metadata.conversion_megajanskys is None:
        return 1.0
    return 1.0 / metadata.conversion_megajanskys
