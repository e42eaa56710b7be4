"""The way of a source's light through an order on a detector, in steps along y, the axis of dispersion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import Dispersion

_SAMPLES = 129
"""Wavelengths at which the geometry is asked; between them cubic splines are off by less than 1e-4 pixel."""


@dataclass(frozen=True)
class Path:
    """Steps along a trace; arrays of shape (n,), empty where nothing falls on the rows that were asked for.

    ``x, y`` are pixels (0-based), ``wavelength`` in µm, ``width`` the µm that fall into the step.
    """

    x: FloatArray
    y: FloatArray
    wavelength: FloatArray
    width: FloatArray

    @property
    def rows(self) -> slice:
        """Rows of the image, where the steps are rows."""
        return slice(int(self.y[0]), int(self.y[-1]) + 1) if self.y.size else slice(0, 0)


def path(
    dispersion: Dispersion,
    order: int,
    direct: tuple[float, float],
    rows: tuple[float, float],
    step: float = 1.0,
) -> Path:
    """Follow a trace.

    Parameters
    ----------
    dispersion, order
        The geometry; wavelengths must run along y.
    direct
        Direct pixel x, y of the source.
    rows
        First and last row that count.
    step
        Pixels; steps lie at its multiples, so that those of one pixel are the rows of the image.
    """
    wavelength = np.linspace(*dispersion.wavelength_range[order], _SAMPLES)
    x, y = (c[0] for c in dispersion.disperse(order, np.array(direct[:1]), np.array(direct[1:]), wavelength))
    if not np.all(np.isfinite(y)):
        return Path(*(np.zeros(0) for _ in range(4)))
    if y[-1] < y[0]:
        x, y, wavelength = x[::-1], y[::-1], wavelength[::-1]
    first, last = np.ceil(max(y[0], rows[0]) / step), np.floor(min(y[-1], rows[1]) / step)
    at = np.arange(first, last + 1) * step
    of_row = CubicSpline(y, wavelength)
    return Path(CubicSpline(y, x)(at), at, of_row(at), np.abs(of_row(at, 1)) * step)
