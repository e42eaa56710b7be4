"""Spectra of an object on several exposures as one, on wavelengths that all objects share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from loaders.redshift.columns import STORED_UNIT
from loaders.redshift.spectrum import Spectrum
from loaders.simulation.instrument_tables import dispersion_table
from loaders.spectral_extraction.combination import Spectrum as Rows
from loaders.spectral_extraction.combination import combine
from loaders.spectral_geometry.polynomial import FloatArray

_ANGSTROM = 1e4


@dataclass(frozen=True)
class Part:
    """The spectrum of an object on an exposure.

    ``rows`` in µm and the unit of stored spectra; ``lsf_fwhm`` is the full width at half maximum of its
    light along the dispersion, pixels.
    """

    rows: Rows
    lsf_fwhm: float

    def resolution(self, wavelength: FloatArray) -> FloatArray:
        """Resolving power at wavelengths (µm), shape (n,); NaN beyond its own."""
        at = self.rows.wavelength
        if at.size < 2:
            return np.full(wavelength.size, np.nan)
        power = at / (self.lsf_fwhm * np.gradient(at))
        return np.interp(wavelength, at, power, left=np.nan, right=np.nan)


@lru_cache(maxsize=2)
def shared_wavelengths(optical_element: str) -> FloatArray:
    """Wavelengths (µm) of combined spectra, one a pixel of ``GRISM`` or ``PRISM`` as designed, ascending."""
    wavelength, nm_per_pixel = dispersion_table(optical_element)
    steps = np.diff(wavelength) * 1000 / ((nm_per_pixel[1:] + nm_per_pixel[:-1]) / 2)
    pixels = np.concatenate([[0.0], np.cumsum(steps)])
    return np.interp(np.arange(np.ceil(pixels[-1])), pixels, wavelength)


def combined(
    name: str, place: tuple[float, float], parts: Sequence[Part], wavelength: FloatArray
) -> Spectrum:
    """Combine the spectra of an object.

    Parameters
    ----------
    name
        Name of the result.
    place
        Right ascension and declination, deg ICRS.
    parts
        Its spectra on exposures, at least one.
    wavelength
        Shape (n,): wavelengths of the result, µm, ascending.

    Returns
    -------
    Masked where no exposure has a value; of the resolution that the parts have on average.
    """
    found = combine([part.rows for part in parts], wavelength)
    powers = np.stack([part.resolution(wavelength) for part in parts])
    known = np.isfinite(powers)
    number = known.sum(axis=0)
    mean = np.divide(
        np.where(known, powers, 0.0).sum(axis=0),
        number,
        out=np.full(wavelength.size, np.nan),
        where=number > 0,
    )
    return Spectrum(
        name,
        wavelength * _ANGSTROM,
        found.flux,
        found.error,
        found.number == 0,
        mean,
        *place,
        flux_unit=STORED_UNIT,
    )
