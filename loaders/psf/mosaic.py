"""The PSF of a mosaic, from those of the exposures that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import map_coordinates, uniform_filter

from loaders.psf.model import EffectivePsf, FloatArray

DETECTOR_SCALE = 0.11
"""Nominal arcsec per detector pixel."""
_OVERSAMPLING = 3


def at_position(psf: EffectivePsf, x: float, y: float) -> EffectivePsf:
    """The PSF at one place of the detector, serving everywhere."""
    return EffectivePsf(psf.at(x, y)[None, None], psf.oversampling, np.zeros(1), np.zeros(1))


def mosaic_psf(psf: EffectivePsf, jacobian: FloatArray, pixel_scale: float) -> EffectivePsf:
    """The effective PSF on a mosaic of exposures at one roll: rotated, rescaled and spread over its pixels.

    Parameters
    ----------
    psf
        Effective PSF of the detector (one node).
    jacobian
        Shape (2, 2): arcsec east (first row) and north (second row) per detector pixel in x and y.
    pixel_scale
        Arcsec per pixel of the mosaic, whose x runs west and y north.

    Returns
    -------
    A single node. Drizzling with point-like drops is assumed: no blur but that of the mosaic's own pixel.
    That of larger drops is `dropped`.
    """
    half = int(psf.half_width * DETECTOR_SCALE / pixel_scale) * _OVERSAMPLING
    step = pixel_scale / _OVERSAMPLING
    offset = np.arange(-half, half + 1) * step
    west, north = np.meshgrid(offset, offset)
    x, y = np.linalg.solve(jacobian, np.stack([-west.ravel(), north.ravel()]))
    middle = psf.size // 2
    where = np.stack([y, x]) * psf.oversampling + middle
    density = map_coordinates(psf.stamps[0, 0], where, order=3, mode="constant").reshape(west.shape)
    share = density * pixel_scale**2 / abs(np.linalg.det(jacobian))
    stamp = uniform_filter(share, _OVERSAMPLING, mode="constant")
    return EffectivePsf(stamp[None, None], _OVERSAMPLING, np.zeros(1), np.zeros(1))


def dropped(psf: EffectivePsf, pixfrac: float) -> EffectivePsf:
    """The PSF of a detector blurred by the drop of drizzling: a square of ``pixfrac`` detector pixels.

    The side of the square is rounded to the grid of the PSF.
    """
    steps = round(pixfrac * psf.oversampling)
    if steps <= 1:
        return psf
    # A square with an even number of grid points has its middle between two of them: both are taken by half.
    origins = (0,) if steps % 2 else (0, -1)
    for axis in (-1, -2):
        parts = [_running_mean(psf.stamps, steps, axis, origin) for origin in origins]
        psf = replace(psf, stamps=np.mean(parts, axis=0))
    return psf


def _running_mean(stamps: FloatArray, steps: int, axis: int, origin: int) -> FloatArray:
    """Running mean along an axis; nothing lies beyond the edge."""
    size, shift = [1] * stamps.ndim, [0] * stamps.ndim
    size[axis], shift[axis] = steps, origin
    return np.asarray(uniform_filter(stamps, size, mode="constant", origin=shift))


def cropped(psf: EffectivePsf, half_width: int) -> EffectivePsf:
    """The PSF within some pixels of its centre; as it is if it is no wider."""
    keep, middle = half_width * psf.oversampling, psf.size // 2
    if keep >= middle:
        return psf
    part = slice(middle - keep, middle + keep + 1)
    return replace(psf, stamps=psf.stamps[..., part, part])


def mean_psf(psfs: Sequence[EffectivePsf]) -> EffectivePsf:
    """Mean of PSFs on the grid of the smallest of them; all of one oversampling and one node."""
    half = min(int(psf.half_width) for psf in psfs)
    stamps = [cropped(psf, half).stamps for psf in psfs]
    return replace(psfs[0], stamps=np.mean(stamps, axis=0))
