"""Uncalibrated spectra of the sources that can calibrate: electrons in rows, and where they lie across."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.exposure_spectrum.measure import Measured
from loaders.psf.render import SplinePsf
from loaders.spectral_calibration.profile import Profile, point_profile, profile_of
from loaders.spectral_extraction.exposure import DispersedExposure
from loaders.spectral_extraction.frame import BoolArray
from loaders.spectral_extraction.path import Path
from loaders.spectral_extraction.point import point_psf, point_shape
from loaders.spectral_extraction.product import RADIUS
from loaders.spectral_extraction.shape import Shape
from loaders.spectral_extraction.spectrum import Decontaminated
from loaders.spectral_geometry.polynomial import FloatArray

_CLEAN = 0.05
"""Share of others in the light (median over rows) up to which a source calibrates."""
_LEAST_SNR = 5.0
"""Signal-to-noise ratio of a row (median) from which on a source calibrates."""
_KNOWN = 0.7
"""Share of the light of a row that must fall on usable pixels."""
_POINT = 1.25
"""Width over that of a point up to which a source is one."""
_BLOCK = 60
"""Rows over which the place of a trace across the dispersion is measured."""
_ACROSS = 5.0
"""Half width (pixels) of the window in which it is."""


@dataclass(frozen=True)
class Across:
    """Where a trace lies across the dispersion, beside where the geometry says; arrays of shape (m,).

    ``wavelength`` in µm; ``offset`` and ``error`` in pixels along x.
    """

    wavelength: FloatArray
    offset: FloatArray
    error: FloatArray


@dataclass(frozen=True)
class SourceRows:
    """The first order of a source on an exposure.

    Parameters
    ----------
    object_id, exposure_id
        Which.
    direct
        Direct pixel x, y of the detector, 0-based.
    steps
        Its trace in pixels of the detector, row by row; of n rows.
    rate, error
        Shape (n,): all light of a row, electrons/s; NaN where too few pixels can be used.
    profile
        How its light spreads along the dispersion.
    is_point
        Whether it is no wider than a point.
    across
        Where its trace lies.
    """

    object_id: int
    exposure_id: int
    direct: tuple[float, float]
    steps: Path
    rate: FloatArray
    error: FloatArray
    profile: Profile
    is_point: bool
    across: Across


def calibrating_rows(exposure_id: int, exposure: DispersedExposure, measured: Measured) -> list[SourceRows]:
    """Rows of all sources of an exposure that are bright and free of others.

    Parameters
    ----------
    exposure_id
        Of the exposure.
    exposure, measured
        The exposure, and what was extracted.
    """
    found = measured.extraction
    if found is None:
        return []
    place = _middle(exposure)
    point, psf = point_profile(*place, RADIUS), point_psf(*place, RADIUS)
    rows = []
    for n, spectrum in measured.spectra.items():
        snr = spectrum.extracted.rate / spectrum.extracted.error
        if np.median(spectrum.contamination) > _CLEAN or not np.nanmedian(snr) > _LEAST_SNR:
            continue
        cut, source = found.cutout(n), found.model.sources[found.row[n]]
        trace, shape = source.rows, source.shape
        rate, error = _summed(cut, trace.steps.x - trace.box.x)
        is_point = shape.fwhm < _POINT * _as_point(shape, psf).fwhm
        rows.append(
            SourceRows(
                int(measured.object_id[n]),
                exposure_id,
                (shape.x + exposure.corner[0], shape.y + exposure.corner[1]),
                _on_detector(trace.steps, exposure.corner),
                rate,
                error,
                point if is_point else profile_of(shape),
                is_point,
                _across(cut, trace.steps, trace.box.x),
            )
        )
    return rows


def _middle(exposure: DispersedExposure) -> tuple[str, str, float, float]:
    """Detector, element, and the pixel of the detector in the middle of an exposure."""
    metadata, (ny, nx) = exposure.image.metadata, exposure.image.shape
    x, y = (first + (size - 1) / 2 for first, size in zip(exposure.corner, (nx, ny), strict=True))
    return metadata.detector, metadata.optical_element, x, y


def _as_point(shape: Shape, psf: SplinePsf) -> Shape:
    """A point that lies between pixels as a source does, since images as sharp as these depend on that."""
    return point_shape(psf, shape.x - shape.corner[0], shape.y - shape.corner[1], RADIUS)


def _on_detector(steps: Path, corner: tuple[int, int]) -> Path:
    return replace(steps, x=steps.x + corner[0], y=steps.y + corner[1])


def _near(cut: Decontaminated, x: FloatArray, reach: float) -> FloatArray:
    """Distance of the pixels of a cut-out from its trace, shape (n, w); NaN beyond ``reach``."""
    distance = np.arange(cut.rate.shape[1]) - x[:, None]
    return np.where(np.abs(distance) <= reach, distance, np.nan)


def _summed(cut: Decontaminated, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """All light of each row and its error; what falls on pixels that cannot be used is made up for.

    Sums do not depend on how well the shape is known, as fits of the profile do.
    """
    used = np.isfinite(cut.rate) & np.isfinite(_near(cut, x, RADIUS + 0.5))
    light = cut.profile.sum(axis=1)
    share = np.divide(
        np.where(used, cut.profile, 0.0).sum(axis=1), light, out=np.zeros(light.shape), where=light > 0
    )
    share = np.where(share > _KNOWN, share, np.nan)
    rate = np.where(used, cut.rate, 0.0).sum(axis=1) / share
    return rate, np.sqrt(np.where(used, cut.variance, 0.0).sum(axis=1)) / share


def _across(cut: Decontaminated, steps: Path, column: int) -> Across:
    """Centroids of blocks of rows about the trace less those of the profile; none where pixels are bad."""
    distance = _near(cut, steps.x - column, _ACROSS)
    inside = np.isfinite(distance)
    own = np.where(inside, distance * cut.profile, 0.0)
    blocks = [
        _centroid(cut, inside, (distance, own), slice(first, first + _BLOCK))
        for first in range(0, steps.y.size - _BLOCK + 1, _BLOCK)
    ]
    wavelength = steps.wavelength[_BLOCK // 2 :: _BLOCK][: len(blocks)]
    offset, error = np.array(blocks, dtype=np.float64).reshape(-1, 2).T
    return Across(wavelength, offset, error)


def _centroid(
    cut: Decontaminated, inside: BoolArray, sums: tuple[FloatArray, FloatArray], rows: slice
) -> tuple[float, float]:
    """Centroid of a block less that of the profile, and its error; NaN where it has no light."""
    distance, own = sums[0][rows], sums[1][rows]
    used = inside[rows] & np.isfinite(cut.rate[rows])
    rate = np.where(used, cut.rate[rows], 0.0)
    total = float(rate.sum())
    noise = float(np.sqrt((np.where(used, cut.variance[rows], 0.0) * np.nan_to_num(distance) ** 2).sum()))
    if total <= 0 or noise > total or used.sum() < _KNOWN * inside[rows].sum():
        return float("nan"), float("nan")
    light = float(np.where(inside[rows], cut.profile[rows], 0.0).sum())
    mean = float((rate * np.nan_to_num(distance)).sum()) / total
    return mean - float(own.sum()) / light, noise / total
