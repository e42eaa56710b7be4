"""Spectra of galaxies for photometric redshifts, and their fluxes in Roman's bands.

The spectra are those that GalSim brings with it: elliptical, Sbc, Scd and irregular of Coleman, Wu & Weedman
(1980, ApJS 43, 393), extended in wavelength by Bolzonella, Miralles & Pello (2000, A&A 363, 476), and
spectra between neighbours, as BPZ uses them (Benitez 2000, ApJ 536, 571). Galaxies that form stars faster
than the irregular are made of it by a power of the wavelength. Hydrogen between the galaxies absorbs as
Madau (1995, ApJ 441, 18) has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import galsim
import numpy as np

from loaders.rejection import Rejected
from loaders.simulation.instrument_tables import effective_area
from loaders.static_catalog.correlation import FloatArray

_FILES = ("CWW_E_ext_more", "CWW_Sbc_ext_more", "CWW_Scd_ext_more", "CWW_Im_ext_more")
_NAMES = ("E", "Sbc", "Scd", "Im")
_BETWEEN = 3
"""Spectra between two neighbours."""
_BLUER = {"SB1": -0.5, "SB2": -1.0}
"""Powers of the wavelength that make the irregular bluer."""
_WAVELENGTH = np.geomspace(500.0, 30000.0, 4000)
"""Angstrom, at rest."""
_NORMAL = 5500.0
_DETECTOR = "WFI01"
_LYMAN = ((1216.0, 0.0036), (1026.0, 1.7e-3), (973.0, 1.2e-3), (950.0, 9.3e-4))
"""Wavelengths (Angstrom) and strengths of the lines of Madau (1995), eqs. 12 and 15."""
_LIMIT = 912.0


@dataclass(frozen=True)
class TemplateGrid:
    """Fluxes of spectra in bands over redshift.

    Parameters
    ----------
    names
        Of the spectra, in the order of their numbers (RAD's ``photoz_sed``).
    redshift
        Shape (n_z,), ascending.
    elements
        Optical elements, in the order of the last axis of ``flux``.
    flux
        Shape (n_z, n_spectrum, n_element): mean flux density per frequency, of any unit common to a spectrum.
    """

    names: tuple[str, ...]
    redshift: FloatArray
    elements: tuple[str, ...]
    flux: FloatArray


def redshift_grid(highest: float = 6.0, step: float = 0.01) -> FloatArray:
    """Redshifts from 0, spaced by ``step`` times 1 + z."""
    number = int(np.log1p(highest) / np.log1p(step)) + 1
    return np.asarray(np.expm1(np.arange(number) * np.log1p(step)))


def template_grid(elements: Sequence[str], redshift: FloatArray | None = None) -> TemplateGrid:
    """Compute the fluxes of all spectra in bands.

    Parameters
    ----------
    elements
        Optical elements.
    redshift
        Shape (n_z,); that of `redshift_grid` if None.

    Raises
    ------
    Rejected
        Code ``unknown_band`` if there is no effective area of an element.
    """
    z = redshift_grid() if redshift is None else redshift
    names, spectra = rest_spectra()
    flux = np.stack([_band_fluxes(element, spectra, z) for element in elements], axis=-1)
    return TemplateGrid(names, z, tuple(elements), flux)


def rest_spectra() -> tuple[tuple[str, ...], FloatArray]:
    """Names, and F_lambda at rest, shape (n_spectrum, n_wavelength), one at 5500 Angstrom."""
    base = [_read(name) for name in _FILES]
    names, spectra = [_NAMES[0]], [base[0]]
    for k in range(len(base) - 1):
        for step in range(1, _BETWEEN + 2):
            part = step / (_BETWEEN + 1)
            spectra.append(base[k] ** (1 - part) * base[k + 1] ** part)
            last = step == _BETWEEN + 1
            names.append(_NAMES[k + 1] if last else f"{_NAMES[k]}-{_NAMES[k + 1]} {part:.2f}")
    for name, power in _BLUER.items():
        names.append(name)
        spectra.append(base[-1] * (_WAVELENGTH / _NORMAL) ** power)
    return tuple(names), np.array(spectra)


def _read(name: str) -> FloatArray:
    """A spectrum of GalSim's on the common wavelengths."""
    table = np.loadtxt(Path(galsim.meta_data.share_dir) / "SEDs" / f"{name}.sed")
    flux = np.exp(np.interp(np.log(_WAVELENGTH), np.log(table[:, 0]), np.log(np.maximum(table[:, 1], 1e-30))))
    return np.asarray(flux / np.interp(_NORMAL, _WAVELENGTH, flux))


def transmission(observed: FloatArray, redshift: float) -> FloatArray:
    """Share of the light that hydrogen between galaxies lets through at observed wavelengths (Angstrom).

    Lines (eqs. 12 and 15 of Madau 1995) and the approximate integral of the continuum (footnote 3).
    """
    depth = np.zeros_like(observed)
    for line, strength in _LYMAN:
        below = observed < line * (1 + redshift)
        depth += np.where(below, strength * (observed / line) ** 3.46, 0.0)
    x, xem = observed / _LIMIT, 1 + redshift
    continuum = (
        0.25 * x**3 * (xem**0.46 - x**0.46)
        + 9.4 * x**1.5 * (xem**0.18 - x**0.18)
        - 0.7 * x**3 * (x**-1.32 - xem**-1.32)
        - 0.023 * (xem**1.68 - x**1.68)
    )
    depth += np.where(x < xem, np.maximum(continuum, 0.0), 0.0)
    return np.asarray(np.exp(-depth))


def _band_fluxes(element: str, spectra: FloatArray, redshift: FloatArray) -> FloatArray:
    """Mean flux density per frequency in a band, as photon counters see it, (n_z, n_spectrum)."""
    try:
        band = effective_area(_DETECTOR, element)
    except (KeyError, ValueError) as error:
        what = f"there is no effective area of {element!r}"
        raise Rejected(
            "photometric redshifts", what, "Give an imaging filter of Roman", "unknown_band"
        ) from error
    wavelength, area = band.wavelength * 1e10, band.area
    norm = np.trapezoid(area / wavelength, wavelength)
    out = np.empty((redshift.size, spectra.shape[0]))
    for k, z in enumerate(redshift):
        rest = wavelength / (1 + z)
        through = transmission(wavelength, float(z)) * area * wavelength
        light = np.array([np.interp(rest, _WAVELENGTH, spectrum) for spectrum in spectra])
        out[k] = np.trapezoid(light * through, wavelength, axis=1) / norm / (1 + z)
    return out
