"""Angular sizes of stars by their colour and magnitude in Roman's optical elements.

No star has been measured with Roman and with an interferometer, so that the relation is carried over from the
elements in which stars were. A star whose limb-darkened diameter is 1 mas has, by its colour V-K, the
magnitudes V, I, H and K of the relations of Adams et al. (2018); of these follow the temperatures of black
bodies that are as bright at these wavelengths, and between them the temperature is interpolated. So the
spectrum of the surface agrees with the relations where they hold, and with a star's rather than a black
body's between them; synthetic photometry through the effective areas of Roman's elements then gives their
surface brightness. K and M dwarfs go the same way from the magnitudes and radii of their mean sequence
(`loaders.lens_physics.mean_dwarfs`), since the relations, of stars of all luminosities, part from it among
late K dwarfs, and end at M0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from astropy import constants

from loaders.lens_physics.mean_dwarfs import dwarfs_of_one_mas
from loaders.lens_physics.model import MAIN, FloatArray
from loaders.simulation.instrument_tables import EffectiveArea, effective_area
from loaders.simulation.throughput import ab_zero_rate, count_rate

_H, _C, _K = constants.h.si.value, constants.c.si.value, constants.k_B.si.value
_MAS = np.radians(1 / 3.6e6)


@dataclass(frozen=True)
class _Anchor:
    """A broad band in which diameters were measured.

    Parameters
    ----------
    constant, slope
        log10 of the diameter in mas = constant + slope (V - Q) - 0.2 Q for the band Q, stars of all
        luminosities: Adams, Boyajian & von Braun (2018, MNRAS 473, 3608).
    """

    constant: float
    slope: float


_BANDS = {
    "V": (0.545e-6, 3636e-26),
    "I": (0.798e-6, 2416e-26),
    "J": (1.22e-6, 1589e-26),
    "H": (1.63e-6, 1021e-26),
    "K": (2.19e-6, 640e-26),
}
"""Effective wavelengths, m, and flux densities of magnitude zero, W m-2 Hz-1: Bessell, Castelli & Plez (1998,
A&A 333, 231)."""

_ANCHORS = {"I": _Anchor(0.542, 0.391), "H": _Anchor(0.538, 0.074), "K": _Anchor(0.529, 0.062)}

_COLOURS = np.linspace(-0.02, 3.83, 78)
"""V-K for which the relation was measured: A to late K stars, of all luminosities."""

PAIRS = (("F087", MAIN), (MAIN, "F213"))
"""Elements whose colour may give the surface brightness, the better one first."""

SCATTER = {("F087", MAIN): 0.05, (MAIN, "F213"): 0.10}
"""Relative errors of diameters that no photometry removes. Adams et al. have 1.8 to 6.5 %, by colour and
class of stars. The Sun, which is none of their stars, agrees to 2 % by F087 - F146 and to 9 % by F146 - F213,
whose colour hardly depends on temperature (a test holds both)."""

DWARF_SCATTER = 0.08
"""More of it for K and M dwarfs, whose radii depend on metallicity, too."""

_DWARFS = 18.5
"""F146, AB mag without extinction, from which stars as red as K0 are dwarfs: giants of the bulge are
brighter. Dwarfs within some 3 kpc are taken for giants, which makes them 4 % too small to K7, 12 % at M0."""


@dataclass(frozen=True)
class SurfaceBrightness:
    """AB magnitudes of stars of 1 mas, from hot to cool ones.

    Parameters
    ----------
    magnitude
        By optical element, shape (n,): of stars of all luminosities.
    dwarf
        The same of K and M dwarfs, shape (m,).
    """

    magnitude: dict[str, FloatArray]
    dwarf: dict[str, FloatArray]

    def is_dwarf(
        self, pair: tuple[str, str], colour: FloatArray, magnitude: FloatArray
    ) -> npt.NDArray[np.bool_]:
        """Whether stars are taken for K and M dwarfs, by colour and F146 as for `angular_radius`."""
        blue = self.dwarf[pair[0]][0] - self.dwarf[pair[1]][0]
        return np.asarray((np.asarray(magnitude) > _DWARFS) & (np.asarray(colour) > blue))

    def colour_range(self, pair: tuple[str, str]) -> tuple[float, float]:
        """Bluest and reddest colour, free of reddening, of stars that are not taken for dwarfs, AB mag."""
        colour = self.magnitude[pair[0]] - self.magnitude[pair[1]]
        return float(colour[0]), float(colour[-1])

    def angular_radius(self, pair: tuple[str, str], colour: FloatArray, magnitude: FloatArray) -> FloatArray:
        """Angular radius of stars.

        Parameters
        ----------
        pair
            Elements of the colour, one of `PAIRS`.
        colour
            Shape (n,): colour, AB mag, free of reddening.
        magnitude
            Shape (n,): AB mag in F146, free of extinction.

        Returns
        -------
        array of shape (n,)
            mas, half of the limb-darkened diameter; NaN where the colour is outside of the relation's.
        """
        of_all, of_dwarfs = (_surface(one, pair, colour) for one in (self.magnitude, self.dwarf))
        surface = np.where(self.is_dwarf(pair, colour, magnitude), of_dwarfs, of_all)
        return np.asarray(0.5 * 10 ** (0.2 * (surface - magnitude)))


def _surface(magnitude: Mapping[str, FloatArray], pair: tuple[str, str], colour: FloatArray) -> FloatArray:
    """F146 magnitudes of stars of 1 mas, by colour; NaN outside of the range."""
    grid = magnitude[pair[0]] - magnitude[pair[1]]
    return np.asarray(np.interp(colour, grid, magnitude[MAIN], left=np.nan, right=np.nan))


@lru_cache(maxsize=4)
def surface_brightness(detector: str = "WFI01") -> SurfaceBrightness:
    """The relation by the effective areas of a detector; detectors differ by less than 0.01 mag."""
    elements = sorted({element for pair in PAIRS for element in pair})
    both = []
    for one in (stars_of_one_mas(_COLOURS), dwarfs_of_one_mas()):
        wavelength, temperature = brightness_temperatures(one)
        both.append({name: _synthetic(detector, name, wavelength, temperature) for name in elements})
    return SurfaceBrightness(*both)


def stars_of_one_mas(v_k: FloatArray) -> dict[str, FloatArray]:
    """Magnitudes V, I, H and K (Vega) of stars that are 1 mas wide, of their colours V-K; shapes (n,)."""
    k = _ANCHORS["K"]
    v = v_k + 5 * (k.constant + k.slope * v_k)
    # 0.2 Q = constant + slope (V - Q) for a star of 1 mas.
    others = {
        name: 5 * (one.constant + one.slope * v) / (1 + 5 * one.slope) for name, one in _ANCHORS.items()
    }
    return {"V": v} | others


def brightness_temperatures(magnitude: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Temperatures of black bodies as bright as the surfaces of stars.

    Parameters
    ----------
    magnitude
        By broad band from short to long waves, shape (n,): of stars of 1 mas, Vega.

    Returns
    -------
    wavelength
        Shape (m,): of the bands, m.
    temperature
        Shape (m, n), K.
    """
    wavelength, zero = np.array([_BANDS[name] for name in magnitude]).T
    stacked = np.array(list(magnitude.values()))
    return wavelength, _temperature(wavelength[:, None], zero[:, None], stacked)


def _temperature(wavelength: FloatArray, zero: FloatArray, magnitude: FloatArray) -> FloatArray:
    """Planck's law solved for the temperature of a disc of 1 mas of some magnitude."""
    intensity = zero * 10 ** (-0.4 * magnitude) / (np.pi * (_MAS / 2) ** 2)
    nu = _C / wavelength
    return np.asarray(_H * nu / (_K * np.log1p(2 * _H * nu**3 / (_C**2 * intensity))))


def _synthetic(detector: str, element: str, anchors: FloatArray, temperature: FloatArray) -> FloatArray:
    """AB magnitudes of discs of 1 mas through an element, shape (n,)."""
    area: EffectiveArea = effective_area(detector, element)
    wave = np.linspace(area.wavelength[0], area.wavelength[-1], 300)
    spectra = [_disc(wave, np.interp(np.log(wave), np.log(anchors), one)) for one in temperature.T]
    rate = count_rate(wave, np.column_stack(spectra), area)
    return np.asarray(-2.5 * np.log10(rate / ab_zero_rate(detector, element)))


def _disc(wavelength: FloatArray, temperature: FloatArray) -> FloatArray:
    """Flux density of a disc of 1 mas with a temperature by wavelength, W m-2 m-1."""
    planck = 2 * _H * _C**2 / wavelength**5 / np.expm1(_H * _C / (wavelength * _K * temperature))
    return np.asarray(np.pi * (_MAS / 2) ** 2 * planck)
