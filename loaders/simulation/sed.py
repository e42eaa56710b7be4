"""Spectra of stars and galaxies: black bodies behind dust, and their colours in the bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy import constants
from scipy.interpolate import RegularGridInterpolator

from loaders.simulation.instrument_tables import effective_area
from loaders.simulation.throughput import ab_zero_rate, count_rate

FloatArray = npt.NDArray[np.float64]

_SECOND_RADIATION_CONSTANT = (constants.h * constants.c / constants.k_B).si.value
_OPTICAL_A = (1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
_OPTICAL_B = (0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)


def black_body(wavelength: FloatArray, temperature: FloatArray) -> FloatArray:
    """Planck's law in wavelength, scaled to one at 1.5 micron, shape (n_wavelength, n_temperature).

    Parameters
    ----------
    wavelength
        Shape (n_wavelength,), metres.
    temperature
        Shape (n_temperature,), kelvin.
    """

    def planck(lam: FloatArray) -> FloatArray:
        return np.asarray(lam**-5 / np.expm1(_SECOND_RADIATION_CONSTANT / (lam * temperature)))

    return np.asarray(planck(wavelength[:, None]) / planck(np.array([[1.5e-6]])))


def extinction(wavelength: FloatArray, r_v: float = 3.1) -> FloatArray:
    """A(lambda) / A(V), 0.30 to 3.3 micron (Cardelli, Clayton & Mathis 1989, ApJ 345, 245, eqs 2 and 3)."""
    x = 1e-6 / np.asarray(wavelength, dtype=np.float64)
    if x.min() < 0.3 or x.max() > 3.3:
        raise ValueError(f"the law holds from 0.30 to 3.3 micron, got {1 / x.max():.3g} to {1 / x.min():.3g}")
    y = x - 1.82
    optical = np.polynomial.polynomial.polyval(y, _OPTICAL_A), np.polynomial.polynomial.polyval(y, _OPTICAL_B)
    a = np.where(x < 1.1, 0.574 * x**1.61, optical[0])
    b = np.where(x < 1.1, -0.527 * x**1.61, optical[1])
    return np.asarray(a + b / r_v)


@dataclass(frozen=True)
class ColourGrid:
    """AB colours ``element - reference`` of reddened black bodies on a grid of temperature and extinction.

    Colours are smooth in both, so that bilinear interpolation on the grid of ``colour_grid`` is good to a
    millimagnitude (tested).
    """

    interpolators: dict[str, RegularGridInterpolator]

    def colour(self, optical_element: str, temperature: FloatArray, a_v: FloatArray) -> FloatArray:
        """Colour in magnitudes; temperatures in kelvin and A_V in magnitudes are held at the grid's edges."""
        grid = self.interpolators[optical_element]
        low, high = (np.array([axis[i] for axis in grid.grid]) for i in (0, -1))
        points = np.stack([np.log(temperature), a_v], axis=-1)
        return np.asarray(grid(np.clip(points, low, high)))


def colour_grid(detector: str, reference: str, elements: tuple[str, ...]) -> ColourGrid:
    """Compute the colours for 2500-40000 K and A_V of 0-8 mag through the detector's effective areas."""
    log_temperature = np.linspace(np.log(2500.0), np.log(40000.0), 45)
    a_v = np.linspace(0.0, 8.0, 33)
    base = _magnitudes(detector, reference, log_temperature, a_v)
    colours = {e: _magnitudes(detector, e, log_temperature, a_v) - base for e in elements}
    return ColourGrid({e: RegularGridInterpolator((log_temperature, a_v), c) for e, c in colours.items()})


def _magnitudes(detector: str, element: str, log_temperature: FloatArray, a_v: FloatArray) -> FloatArray:
    """AB magnitudes up to a constant of the source, shape (n_temperature, n_a_v)."""
    band = effective_area(detector, element)
    spectra = black_body(band.wavelength, np.exp(log_temperature))[:, :, None]
    dust = 10 ** (-0.4 * extinction(band.wavelength)[:, None] * a_v)[:, None, :]
    rates = count_rate(band.wavelength, spectra * dust, band)
    return np.asarray(-2.5 * np.log10(rates / ab_zero_rate(detector, element)))
