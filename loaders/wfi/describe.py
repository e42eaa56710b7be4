"""All that the database keeps of an exposure, worked out from its file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.input_file import file_checksum
from loaders.rejection import Rejected
from loaders.wfi.footprint import footprint
from loaders.wfi.identity import detector_number, exposure_id
from loaders.wfi.level2 import Level2Image, read_level2
from loaders.wfi.metadata import ExposureMetadata
from loaders.wfi.quality import QualitySummary, quality_summary, usable_pixels
from loaders.wfi.times import bjd_tdb, mjd_tdb, mjd_utc, observatory


@dataclass(frozen=True)
class ExposureDescription:
    """An exposure as it goes into ``roman.exposure`` and ``ops.input_file``.

    ``pointing`` is the position (deg, ICRS) by which the exposure is assigned to a field: the target of the
    aperture where the file knows it, else the middle of the detector. Midpoints are MJD.
    """

    path: Path
    sha256: str
    size_bytes: int
    exposure_id: int
    metadata: ExposureMetadata
    center: tuple[float, float]
    pointing: tuple[float, float]
    footprint: npt.NDArray[np.int64]
    midpoint_mjd_utc: float
    midpoint_mjd_tdb: float
    midpoint_bjd_tdb: float
    observatory_source: str
    shape: tuple[int, int]
    njy_per_unit: float
    quality: QualitySummary

    @property
    def day_mjd(self) -> int:
        """Whole day (MJD TDB) of the midpoint."""
        return math.floor(self.midpoint_mjd_tdb)


def describe_exposure(path: Path) -> ExposureDescription:
    """Read a Level-2 file and work out what is stored of it.

    Raises
    ------
    Rejected
        If the file can't be used; see `loaders.wfi.level2.read_level2`; ``artificial_sources`` if there are
        any in the image.
    """
    image = read_level2(path)
    if image.injection is not None:
        what = f"artificial sources were added to it in the injection {image.injection}"
        raise Rejected(str(path), what, "Load the exposure that they were added to", "artificial_sources")
    metadata = image.metadata
    center = image.projection.center
    middle = mjd_tdb(metadata.exposure_mid_time)
    place = observatory(metadata, middle)
    return ExposureDescription(
        path=path.absolute(),
        sha256=file_checksum(path),
        size_bytes=path.stat().st_size,
        exposure_id=exposure_id(metadata.exposure_start_time, detector_number(metadata.detector)),
        metadata=metadata,
        center=center,
        pointing=_pointing(metadata) or center,
        footprint=footprint(image.projection),
        midpoint_mjd_utc=mjd_utc(metadata.exposure_mid_time),
        midpoint_mjd_tdb=middle,
        midpoint_bjd_tdb=float(bjd_tdb(middle, place, center[0], center[1])),
        observatory_source=place.source,
        shape=image.shape,
        njy_per_unit=image.njy_per_unit,
        quality=_quality(image),
    )


def _pointing(metadata: ExposureMetadata) -> tuple[float, float] | None:
    """Position of the target aperture, if the file knows it."""
    if metadata.target_ra is None or metadata.target_dec is None:
        return None
    return metadata.target_ra, metadata.target_dec


def _quality(image: Level2Image) -> QualitySummary:
    """Summarise the pixels."""
    usable = usable_pixels(image.data, image.err, image.var_poisson, image.dq)
    return quality_summary(image.data, image.dq, usable)
