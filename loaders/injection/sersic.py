"""Sersic profiles in Fourier space: one table for all indices, sizes and shapes.

The profile is ``exp(-b r**(1/n))`` (Sersic 1968) with ``r`` in half-light radii, cut off at five of these;
``b`` is such that half of the light *within the cut* is within ``r = 1``. The transform of a circular profile
depends on one number, ``kappa``: two pi times the frequency times the half-light radius. An ellipse is the
same in stretched axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import gammainc, j0

FloatArray = npt.NDArray[np.float64]

TRUNCATION = 5.0
"""Radius in half-light radii at which profiles end."""

STEP = 0.05
"""Steps of kappa in the table."""

_FIRST, _LAST, _INDICES = 0.3, 8.0, 80
_POINTS, _NODES = 3001, 2000


@dataclass(frozen=True)
class RadialTable:
    """Transforms of circular profiles, 1 at kappa 0.

    ``index`` of shape (m,) are Sersic indices in equal ratios, ``value`` of shape (m, k) the transforms at
    kappa = 0, `STEP`, 2 `STEP` …
    """

    index: FloatArray
    value: FloatArray

    def at(self, sersic_n: float) -> FloatArray:
        """Transform of a profile, shape (k,); between the indices of the table it is interpolated."""
        low = int(np.clip(np.searchsorted(self.index, sersic_n) - 1, 0, self.index.size - 2))
        part = (sersic_n - self.index[low]) / (self.index[low + 1] - self.index[low])
        return np.asarray((1 - part) * self.value[low] + part * self.value[low + 1])


@lru_cache(maxsize=1)
def radial_table() -> RadialTable:
    """Compute the table by Gauss-Legendre quadrature in the square root of the radius."""
    index = np.geomspace(_FIRST, _LAST, _INDICES)
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    root = (node + 1) / 2
    radius, measure = TRUNCATION * root**2, weight * root * TRUNCATION
    bessel = j0(np.outer(np.arange(_POINTS) * STEP, radius))
    profiles = np.stack([np.exp(-scale_b(n) * radius ** (1 / n)) for n in index])
    light = profiles * radius * measure
    return RadialTable(index, (light @ bessel.T) / light.sum(axis=1)[:, None])


def scale_b(sersic_n: float) -> float:
    """The number b with which half of the light within the cut is within one half-light radius."""

    def excess(b: float) -> float:
        """Light within one half-light radius less half of that within the cut."""
        whole = gammainc(2 * sersic_n, b * TRUNCATION ** (1 / sersic_n))
        return float(gammainc(2 * sersic_n, b) - whole / 2)

    return float(brentq(excess, 1e-3, 2 * sersic_n + 1))


def stretch(jacobian: FloatArray, radius: float, axis_ratio: float, position_angle: float) -> FloatArray:
    """Matrix from frequencies of an image to those of the round profile of unit half-light radius.

    Parameters
    ----------
    jacobian
        Shape (2, 2): arcsec east (first row) and north (second row) per pixel in x and y.
    radius
        Half-light radius, arcsec, circularised.
    axis_ratio
        Minor over major axis.
    position_angle
        Of the major axis, deg, north through east.

    Returns
    -------
    ndarray
        Shape (2, 2): applied to a frequency (x, y) in cycles per pixel it gives a vector of length kappa.
    """
    angle = np.radians(position_angle)
    axes = np.array([[np.sin(angle), np.cos(angle)], [np.cos(angle), -np.sin(angle)]])
    lengths = radius * np.array([axis_ratio**-0.5, axis_ratio**0.5])
    return np.asarray(2 * np.pi * lengths[:, None] * axes @ np.linalg.inv(jacobian).T)
