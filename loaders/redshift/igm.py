"""Absorption of light by hydrogen between galaxies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LYMAN_ALPHA = 1215.67
_LYMAN_LIMIT = 911.75
_WAVELENGTH = (1215.67, 1025.72, 972.537, 949.743)
_COEFFICIENT = (0.0036, 0.0017, 0.0011846, 0.0009410)


def transmission(wavelength: FloatArray, z: FloatArray) -> FloatArray:
    """Mean transmission of the intergalactic medium (Madau 1995, ApJ 441, 18, equations 12, 15, 16).

    Parameters
    ----------
    wavelength
        Shape (n,), observed, Å.
    z
        Shape (m,), redshifts of the sources.

    Returns
    -------
    numpy.ndarray
        Shape (m, n), from 0 to 1.
    """
    emitted = 1 + z[:, np.newaxis]
    depth = np.zeros((z.size, wavelength.size))
    for line, coefficient in zip(_WAVELENGTH, _COEFFICIENT, strict=True):
        x = wavelength / line
        depth += np.where(x < emitted, coefficient * x**3.46, 0.0)
    x = wavelength / _LYMAN_LIMIT
    return np.asarray(np.exp(-depth - np.where((x < emitted) & (x > 1), _continuum(x, emitted), 0.0)))


def _continuum(x: FloatArray, emitted: FloatArray) -> FloatArray:
    """Optical depth of the Lyman continuum (footnote 3 of the same)."""
    depth = 0.25 * x**3 * (emitted**0.46 - x**0.46) + 9.4 * x**1.5 * (emitted**0.18 - x**0.18)
    return np.asarray(depth - 0.7 * x**3 * (x**-1.32 - emitted**-1.32) - 0.023 * (emitted**1.68 - x**1.68))
