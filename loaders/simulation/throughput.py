"""From spectra in physical units to electrons per second.

A detector counts photons: the rate is the integral of F_lambda / (h c / lambda) times the effective area.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from astropy import constants, units
from synphot import SourceSpectrum
from synphot.units import FLAM

from loaders.simulation.instrument_tables import EffectiveArea, effective_area

FloatArray = npt.NDArray[np.float64]

_H = constants.h.si.value
_C = constants.c.si.value
_AB_FLUX = 3631e-26
"""Spectral flux density of AB magnitude zero, W m-2 Hz-1 (Oke & Gunn 1983, ApJ 266, 713)."""
_NJY_OF_AB_ZERO = 3631e9


def count_rate(wavelength: FloatArray, flux_density: FloatArray, band: EffectiveArea) -> FloatArray:
    """Electrons per second of a spectrum through a band.

    Parameters
    ----------
    wavelength
        Shape (n,), metres, ascending.
    flux_density
        Shape (n, ...): F_lambda in W m-2 m-1; further axes are kept, so that a data cube (wavelength first)
        becomes an image. Outside ``wavelength`` the spectrum counts as zero.
    band
        The effective area.

    Returns
    -------
    Shape of ``flux_density`` without its first axis.
    """
    grid = np.union1d(band.wavelength, wavelength)
    grid = grid[(grid >= band.wavelength[0]) & (grid <= band.wavelength[-1])]
    grid = grid[(grid >= wavelength[0]) & (grid <= wavelength[-1])]
    area = np.interp(grid, band.wavelength, band.area)
    photons = _resample(grid, wavelength, np.asarray(flux_density, dtype=np.float64))
    weight = (area * grid / (_H * _C)).reshape((-1,) + (1,) * (photons.ndim - 1))
    return np.asarray(np.trapezoid(photons * weight, grid, axis=0))


def _resample(grid: FloatArray, wavelength: FloatArray, values: FloatArray) -> FloatArray:
    """Linear interpolation along the first axis."""
    below = np.clip(np.searchsorted(wavelength, grid, side="right") - 1, 0, wavelength.size - 2)
    part = (grid - wavelength[below]) / (wavelength[below + 1] - wavelength[below])
    part = part.reshape((-1,) + (1,) * (values.ndim - 1))
    return np.asarray(values[below] * (1 - part) + values[below + 1] * part)


def source_count_rate(source: SourceSpectrum, detector: str, optical_element: str) -> float:
    """Electrons per second of a synphot source through a filter on a detector."""
    band = effective_area(detector, optical_element)
    flux = source(band.wavelength * units.m, flux_unit=FLAM).to_value(units.W / units.m**3)
    return float(count_rate(band.wavelength, flux, band))


def ab_zero_rate(detector: str, optical_element: str) -> float:
    """Electrons per second of AB magnitude zero: (f / h) times the integral of A dlambda / lambda."""
    band = effective_area(detector, optical_element)
    return float(_AB_FLUX / _H * np.trapezoid(band.area / band.wavelength, band.wavelength))


def ab_zero_point(detector: str, optical_element: str) -> float:
    """AB magnitude of a source that gives one electron per second."""
    return float(2.5 * np.log10(ab_zero_rate(detector, optical_element)))


def flux_njy(ab_magnitude: npt.ArrayLike) -> FloatArray:
    """Flux density in nJy of an AB magnitude."""
    return np.asarray(_NJY_OF_AB_ZERO * 10 ** (-0.4 * np.asarray(ab_magnitude, dtype=np.float64)))


def megajansky_conversion(detector: str, optical_element: str, gain: float, pixel_area: float) -> float:
    """MJy/sr of one DN/s in a pixel, for a gain in electrons per DN and a pixel area in sr."""
    jansky_of_electron = 3631.0 / ab_zero_rate(detector, optical_element)
    return jansky_of_electron * 1e-6 * gain / pixel_area
