"""How the light of a source spreads along the dispersion, and what it makes of a spectrum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from loaders.spectral_extraction.path import Path
from loaders.spectral_extraction.point import point_psf, point_shape
from loaders.spectral_extraction.shape import Shape
from loaders.spectral_geometry.polynomial import FloatArray

_STEPS = 4
"""Steps a pixel in which spectra are spread."""
_PHASES = 8
"""Places within a pixel at which the image of a point is taken."""


@dataclass(frozen=True)
class Profile:
    """Share of the light of a point of the spectrum that a row gets, by its distance.

    Parameters
    ----------
    offset
        Shape (n,): rows from the point to the row, ascending.
    value
        Shape (n,): the share.
    """

    offset: FloatArray
    value: FloatArray

    def kernel(self, shift: float) -> FloatArray:
        """Shares at the steps from one end of the profile to the other, for light moved up by ``shift``."""
        reach = _STEPS * int(np.ceil(self.offset[-1] + abs(shift)))
        at = np.arange(-reach, reach + 1) / _STEPS - shift
        inside = (at >= self.offset[0]) & (at <= self.offset[-1])
        return np.where(inside, CubicSpline(self.offset, self.value)(at), 0.0)


@lru_cache(maxsize=8)
def point_profile(detector: str, optical_element: str, x: float, y: float, radius: int) -> Profile:
    """Profile of a point at a pixel of a detector, as the optics predict it."""
    psf = point_psf(detector, optical_element, x, y, radius)
    phases = (np.arange(_PHASES) + 0.5) / _PHASES - 0.5
    values = np.stack([point_shape(psf, 0.0, float(p), radius).stamp.sum(axis=1) for p in phases])
    offset = np.arange(-radius, radius + 1) - phases[:, None]
    order = np.argsort(offset, axis=None)
    return Profile(offset.ravel()[order], values.ravel()[order])


def profile_of(shape: Shape) -> Profile:
    """Profile of a source as its shape in the direct image has it."""
    offset = np.arange(-shape.radius, shape.radius + 1, dtype=np.float64)
    return Profile(offset + shape.corner[1] - shape.y, shape.stamp.sum(axis=1))


def spread(
    steps: Path, profile: Profile, density: Callable[[FloatArray], FloatArray], shift: float = 0.0
) -> FloatArray:
    """Electrons/s that the rows of a trace get of a spectrum.

    Parameters
    ----------
    steps
        The trace, row by row.
    profile
        How its light spreads.
    density
        Electrons/s in a µm at wavelengths in µm.
    shift
        Rows by which all light falls higher than the trace says.

    Returns
    -------
    Shape (n,), one value a row.
    """
    y = np.arange((steps.y.size - 1) * _STEPS + 1) / _STEPS + steps.y[0]
    of_row = CubicSpline(steps.y, steps.wavelength)
    light = density(of_row(y)) * np.abs(of_row(y, 1)) / _STEPS
    return np.asarray(_convolved(light, profile.kernel(shift))[::_STEPS])


def _convolved(light: FloatArray, kernel: FloatArray) -> FloatArray:
    """Convolution of the length of ``light``, whichever of the two is longer."""
    half = kernel.size // 2
    return np.asarray(np.convolve(light, kernel)[half : half + light.size])
