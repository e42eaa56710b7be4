"""Shapes of galaxies, corrected for the PSF: re-Gaussianisation by GalSim's HSM.

Hirata & Seljak (2003, MNRAS 343, 459) with Mandelbaum et al. (2005, MNRAS 361, 1287): adaptive second
moments of galaxy and PSF, the PSF's departure from a Gaussian taken out first.
"""

from __future__ import annotations

from dataclasses import dataclass

import galsim
import numpy as np

from loaders.psf.model import EffectivePsf
from loaders.static_catalog.apertures import Plane
from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.detection import pixel_stamp

_SIDE = (24, 64)
"""Least and greatest half side, in pixels, of a stamp."""
_REACH = 5.0
"""Half side in semimajor axes."""
_PSF_HALF = 32
_OF_SHEAR = 2.0
"""GalSim gives the error of a shear, ``sqrt(4 pi) sigma noise / (resolution flux)``: half that of e1, e2."""


@dataclass(frozen=True)
class Shapes:
    """Shapes of sources, shape (n,); NaN where the moments did not converge or the source is not resolved.

    Parameters
    ----------
    e1, e2
        Ellipticity ``(a**2 - b**2) / (a**2 + b**2)`` times the cosine and the sine of twice the angle from
        the x axis, corrected for the PSF.
    e_err
        Standard error of each.
    sigma
        Adaptive size before the correction, pixels: the fourth root of the determinant of the moments.
    resolution
        0 for a point source, 1 for a galaxy much larger than the PSF.
    """

    e1: FloatArray
    e2: FloatArray
    e_err: FloatArray
    sigma: FloatArray
    resolution: FloatArray


def measure_shapes(
    plane: Plane, sky: FloatArray, psf: EffectivePsf, place: tuple[FloatArray, FloatArray, FloatArray]
) -> Shapes:
    """Measure the shape of each source; source k has the label k + 1.

    Parameters
    ----------
    plane
        The image; the pixels of neighbours are replaced by those opposite.
    sky
        Shape (n,): variance of a pixel without sources at each source.
    psf
        Effective PSF of the image.
    place
        Position x, y and semimajor axis of each source, pixels, shape (n,) each.
    """
    stamp = pixel_stamp(psf)
    middle = stamp.shape[0] // 2
    half = min(middle, _PSF_HALF)
    kernel = galsim.Image(
        np.ascontiguousarray(stamp[middle - half : middle + half + 1, middle - half : middle + half + 1])
    )
    found = np.full((x_count := place[0].size, 5), np.nan)
    for k in range(x_count):
        if all(np.isfinite(part[k]) for part in place):
            found[k] = _one(plane, float(sky[k]), kernel, k, place)
    return Shapes(*found.T)


def _one(
    plane: Plane, sky: float, kernel: galsim.Image, k: int, place: tuple[FloatArray, FloatArray, FloatArray]
) -> tuple[float, float, float, float, float]:
    """Shape of source k."""
    x, y, semimajor = (float(part[k]) for part in place)
    half = int(np.clip(_REACH * semimajor, *_SIDE))
    stamp, counts = _stamp(plane, (x, y), half, k + 1)
    image = galsim.Image(stamp.astype(np.float64))
    centre = galsim.PositionD(x - round(x) + half + 1, y - round(y) + half + 1)
    result = galsim.hsm.EstimateShear(
        image,
        kernel,
        weight=galsim.Image(counts.astype(np.int32)),
        sky_var=sky * float(plane.inflation.at(np.pi * 4 * semimajor**2)),
        guess_centroid=centre,
        strict=False,
    )
    if result.error_message or result.correction_status != 0:
        size = result.moments_sigma if result.moments_sigma > 0 else np.nan
        return np.nan, np.nan, np.nan, size, np.nan
    return (
        result.corrected_e1,
        result.corrected_e2,
        _OF_SHEAR * result.corrected_shape_err,
        result.moments_sigma,
        result.resolution_factor,
    )


def _stamp(plane: Plane, centre: tuple[float, float], half: int, label: int) -> tuple[FloatArray, FloatArray]:
    """Cut-out around a source, neighbours replaced by what is opposite, and which of its pixels count."""
    ny, nx = plane.data.shape
    j = round(centre[1]) + np.arange(-half, half + 1)
    i = round(centre[0]) + np.arange(-half, half + 1)
    rows, columns = np.clip(j, 0, ny - 1), np.clip(i, 0, nx - 1)
    labels = plane.labels[np.ix_(rows, columns)]
    counts = plane.good[np.ix_(rows, columns)] & ((labels == 0) | (labels == label))
    counts &= ((j >= 0) & (j < ny))[:, None] & ((i >= 0) & (i < nx))
    data = plane.data[np.ix_(rows, columns)]
    opposite = counts[::-1, ::-1] & ~counts
    values = np.where(opposite, data[::-1, ::-1], np.where(counts, data, 0))
    return values, counts | opposite
