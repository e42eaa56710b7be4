"""Sizes of an effective PSF: encircled energy, full width at half maximum, noise-equivalent area."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from loaders.psf.model import EffectivePsf, FloatArray

_FINE = 16
"""Points per grid step, along each axis, in which the area above half maximum is counted."""


def encircled_energy(psf: EffectivePsf, x: float, y: float, radius: npt.ArrayLike) -> FloatArray:
    """Flux within circles around the origin of the PSF at a detector position.

    Parameters
    ----------
    psf
        The effective PSF.
    x, y
        Detector position.
    radius
        Shape (n,): radii, pixels.

    Returns
    -------
    ndarray
        Shape (n,): what apertures of whole pixels collect in the mean over all sub-pixel positions, as a
        fraction of the flux at infinity. NaN where the circle reaches beyond the stamp.
    """
    stamp = psf.at(x, y) / psf.oversampling**2
    radii = np.atleast_1d(np.asarray(radius, dtype=np.float64))
    axis = (np.arange(psf.size) - (psf.size - 1) // 2) / psf.oversampling
    distance = np.hypot(axis[:, None], axis[None, :])
    # A grid point stands for a cell; one that the circle cuts counts by the part of its width inside.
    share = np.clip((radii[:, None, None] - distance) * psf.oversampling + 0.5, 0, 1)
    energy = np.tensordot(share, stamp, axes=2)
    return np.where(radii <= psf.half_width, energy, np.nan)


def fwhm(psf: EffectivePsf, x: float, y: float) -> float:
    """Diameter, in pixels, of the circle of the area in which the PSF exceeds half of its maximum.

    NaN where the PSF is nowhere positive, or does not fall to half of its maximum on the stamp.
    """
    stamp = psf.at(x, y)
    j, i = (int(k) for k in np.unravel_index(int(np.argmax(stamp)), stamp.shape))
    furthest = min(j, i, stamp.shape[0] - 1 - j, stamp.shape[1] - 1 - i)
    reach = min(2 * psf.oversampling, furthest)
    while reach < furthest and _rim(stamp, (j, i), reach).max() > stamp.max() / 2:
        reach += 1
    offset = np.arange(-reach * _FINE, reach * _FINE + 1) / _FINE
    where = np.meshgrid(j + offset, i + offset, indexing="ij")
    fine = map_coordinates(stamp, where, order=3, mode="mirror")
    high = fine > fine.max() / 2
    if stamp.max() <= 0 or high[[0, -1]].any() or high[:, [0, -1]].any():
        return float("nan")
    area = np.count_nonzero(high) / (_FINE * psf.oversampling) ** 2
    return float(2 * np.sqrt(area / np.pi))


def _rim(stamp: FloatArray, middle: tuple[int, int], reach: int) -> FloatArray:
    """Values on the rim of a square about a grid point (row, column), shape (8 reach + 4,)."""
    j, i = middle
    square = stamp[j - reach : j + reach + 1, i - reach : i + reach + 1]
    return np.concatenate([square[0], square[-1], square[:, 0], square[:, -1]])


def noise_equivalent_area(psf: EffectivePsf, x: float, y: float) -> float:
    """Inverse of the sharpness, the sum of the squared pixel fractions, mean over all sub-pixel positions.

    In pixels; the variance of a faint flux is this area times that of a pixel (King 1983, PASP 95, 163).
    NaN for a PSF that is zero.
    """
    sharpness = float((psf.at(x, y) ** 2).sum())
    return psf.oversampling**2 / sharpness if sharpness > 0 else float("nan")


def light_within(psf: EffectivePsf) -> float:
    """Light of a star of unit flux within the stamps, mean over the nodes."""
    return float(psf.stamps.sum(axis=(-1, -2)).mean()) / psf.oversampling**2
