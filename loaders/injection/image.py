"""What is to be known of an image before anything is put into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.injection.level3 import member_of
from loaders.rejection import Rejected
from loaders.wfi.identity import detector_number, exposure_id
from loaders.wfi.keywords import exposure_metadata
from loaders.wfi.product_file import level2_model, level3_model, product_level
from loaders.wfi.projection import SkyProjection
from loaders.wfi.times import mjd_tdb
from loaders.wfi.wcs import projection_of_wcs

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ImageFacts:
    """An image that sources are put into.

    Parameters
    ----------
    path
        Its file.
    level
        2 for an exposure, 3 for a mosaic.
    detector, optical_element, mjd_tdb
        What its PSF is looked up by; of a mosaic, those of one of its exposures.
    exposure_id
        Of an exposure; None for a mosaic.
    projection
        Pixels to sky and back.
    roll
        Shape (2, 2): arcsec east (first row) and north (second row) per pixel of the detector in x and y.
    detector_place
        Pixel (x, y) of the detector whose PSF a mosaic has; the middle of an exposure.
    """

    path: Path
    level: int
    detector: str
    optical_element: str
    mjd_tdb: float
    exposure_id: int | None
    projection: SkyProjection
    roll: FloatArray
    detector_place: tuple[float, float]


def read_facts(path: Path) -> ImageFacts:
    """Read what an image is.

    Raises
    ------
    Rejected
        If the file cannot be used, or has artificial sources in it (``artificial_sources``).
    """
    return _exposure_facts(path) if product_level(path) == 2 else _mosaic_facts(path)


def read_projection(path: Path) -> SkyProjection:
    """Read how an image sees the sky, with artificial sources or without.

    Raises
    ------
    Rejected
        If the file cannot be used.
    """
    opened = level2_model(path, pixels=False) if product_level(path) == 2 else level3_model(path)
    with opened as model:
        shape = model.data.shape
        return projection_of_wcs(lambda: model.meta.wcs, (shape[0], shape[1]), path)


def _exposure_facts(path: Path) -> ImageFacts:
    with level2_model(path, pixels=False) as model:
        _refuse_injected(path, model.meta)
        metadata = exposure_metadata(model.meta, path)
        shape = model.data.shape
        projection = projection_of_wcs(lambda: model.meta.wcs, (shape[0], shape[1]), path)
    middle = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    return ImageFacts(
        path,
        2,
        metadata.detector,
        metadata.optical_element,
        mjd_tdb(metadata.exposure_mid_time),
        exposure_id(metadata.exposure_start_time, detector_number(metadata.detector)),
        projection,
        projection.jacobian(*(np.array([value]) for value in middle))[0],
        middle,
    )


def _mosaic_facts(path: Path) -> ImageFacts:
    with level3_model(path) as model:
        _refuse_injected(path, model.meta)
        member = _exposure_facts(member_of(path, model))
        shape = model.data.shape
        projection = projection_of_wcs(lambda: model.meta.wcs, (shape[0], shape[1]), path)
        element = str(model.meta.instrument.optical_element)
    return ImageFacts(
        path,
        3,
        member.detector,
        element,
        member.mjd_tdb,
        None,
        projection,
        member.roll,
        member.detector_place,
    )


def _refuse_injected(path: Path, meta: dict[str, object]) -> None:
    """Refuse an image that has artificial sources: others do not go on top of them."""
    if "injection" in meta:
        what = "artificial sources were added to it before"
        raise Rejected(str(path), what, "Give the image that they were added to", "artificial_sources")
