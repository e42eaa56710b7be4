"""Back from dispersed pixels: to the wavelength on a trace, and to the direct position."""

from __future__ import annotations

import numpy as np

from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import Dispersion

_SAMPLES = 65
_ROUNDS = 25
_STEP = 1e-5
"""Step in µm and in pixels of the differences that stand in for derivatives."""
_CLOSE = 1e-9
"""Steps, in pixels, below which nothing is refined any more."""
_RIM = 1e-7
"""By how many µm a wavelength may leave the range of its order by rounding."""


def wavelength_at(
    dispersion: Dispersion,
    order: int,
    direct: tuple[FloatArray, FloatArray],
    pixel: tuple[FloatArray, FloatArray],
    weight: tuple[float, float] = (1.0, 1.0),
) -> FloatArray:
    """Wavelengths of the points on traces that are closest to pixels.

    Parameters
    ----------
    dispersion, order
        The geometry.
    direct
        x, y, each of shape (m,): direct positions of the sources.
    pixel
        x, y, each of shape (m, l): pixels, 0-based.
    weight
        Of distances in x and in y: (0, 1) asks where the trace crosses the pixel's row.

    Returns
    -------
    µm, shape (m, l); NaN beyond the range of the order.
    """
    low, high = dispersion.wavelength_range[order]
    target = tuple(np.asarray(p, dtype=np.float64) for p in pixel)
    wavelength = _closest_sample(dispersion, order, direct, target, weight)
    for _ in range(_ROUNDS):
        here = dispersion.disperse(order, *direct, wavelength)
        there = dispersion.disperse(order, *direct, wavelength + _STEP)
        speed = [w * (b - a) / _STEP for w, a, b in zip(weight, here, there, strict=True)]
        miss = [w * (p - a) for w, a, p in zip(weight, here, target, strict=True)]
        square = speed[0] ** 2 + speed[1] ** 2
        step = (speed[0] * miss[0] + speed[1] * miss[1]) / square
        wavelength = np.clip(wavelength + step, low - 0.1 * (high - low), high + 0.1 * (high - low))
        if not np.any(np.abs(step) * np.sqrt(square) > _CLOSE):
            break
    inside = (wavelength >= low - _RIM) & (wavelength <= high + _RIM)
    return np.where(inside, wavelength, np.nan)


def _closest_sample(
    dispersion: Dispersion,
    order: int,
    direct: tuple[FloatArray, FloatArray],
    target: tuple[FloatArray, ...],
    weight: tuple[float, float],
) -> FloatArray:
    """The closest of some wavelengths of the order, shape (m, l)."""
    samples = np.linspace(*dispersion.wavelength_range[order], _SAMPLES)
    x, y = dispersion.disperse(order, *direct, samples)
    best, nearest = np.full(target[0].shape, np.inf), np.full(target[0].shape, samples[0])
    for column, sample in enumerate(samples):
        distance = (weight[0] * (target[0] - x[:, column, None])) ** 2
        distance = distance + (weight[1] * (target[1] - y[:, column, None])) ** 2
        closer = distance < best
        best, nearest = np.where(closer, distance, best), np.where(closer, sample, nearest)
    return nearest


def direct_position(
    dispersion: Dispersion, order: int, pixel: tuple[FloatArray, FloatArray], wavelength: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Direct positions from which light of a wavelength falls on pixels, by Newton's rule.

    Parameters
    ----------
    dispersion, order
        The geometry.
    pixel
        x, y, each of shape (m,): where the light falls, 0-based.
    wavelength
        Shape (m,): µm.

    Returns
    -------
    x, y
        Each of shape (m,); NaN where no position was found.
    """
    target = tuple(np.asarray(p, dtype=np.float64) for p in pixel)
    column = np.asarray(wavelength, dtype=np.float64)[:, None]

    def falls(x: FloatArray, y: FloatArray) -> FloatArray:
        return np.stack(dispersion.disperse(order, x, y, column))[:, :, 0]

    x, y = target
    for _ in range(_ROUNDS):
        here = falls(x, y)
        miss = np.stack(target) - here
        along_x, along_y = (falls(x + _STEP, y) - here) / _STEP, (falls(x, y + _STEP) - here) / _STEP
        determinant = along_x[0] * along_y[1] - along_x[1] * along_y[0]
        dx = (miss[0] * along_y[1] - miss[1] * along_y[0]) / determinant
        dy = (along_x[0] * miss[1] - along_x[1] * miss[0]) / determinant
        x, y = x + dx, y + dy
        if not np.any(np.hypot(dx, dy) > _CLOSE):
            break
    found = np.hypot(*(np.stack(target) - falls(x, y))) < 1e-4
    return np.where(found, x, np.nan), np.where(found, y, np.nan)
