"""Angular sizes of stars by their colour and magnitude in Roman's optical elements.

No star has been measured with Roman and with an interferometer, so that the relation is carried over from the
elements in which stars were. A star whose limb-darkened diameter is 1 mas has, by its colour V-K, the
magnitudes V, I, H and K of the relations of Adams et al. (2018); of these follow the temperatures of black
bodies that are as bright at these wavelengths, and between them the temperature is interpolated. So the
spectrum of the surface agrees with the relations where they hold, and with a star's rather than a black
body's between them; synthetic photometry through the effective areas of Roman's elements then gives their
surface brightness.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from astropy import constants

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
    wavelength, zero
        Effective wavelength, m, and flux density of magnitude zero, W m-2 Hz-1: Bessell, Castelli & Plez
        (1998, A&A 333, 231).
    constant, slope
        log10 of the diameter in mas = constant + slope (V - Q) - 0.2 Q for the band Q, stars of all
        luminosities: Adams, Boyajian & von Braun (2018, MNRAS 473, 3608).
    """

    wavelength: float
    zero: float
    constant: float
    slope: float


_V = (0.545e-6, 3636e-26)
_ANCHORS = {
    "I": _Anchor(0.798e-6, 2416e-26, 0.542, 0.391),
    "H": _Anchor(1.63e-6, 1021e-26, 0.538, 0.074),
    "K": _Anchor(2.19e-6, 640e-26, 0.529, 0.062),
}

_COLOURS = np.linspace(-0.02, 3.83, 78)
"""V-K for which the relation was measured: A to late K stars, of all luminosities."""

PAIRS = (("F087", MAIN), (MAIN, "F213"))
"""Elements whose colour may give the surface brightness, the better one first."""

SCATTER = {("F087", MAIN): 0.05, (MAIN, "F213"): 0.10}
"""Relative errors of diameters that no photometry removes. Adams et al. have 1.8 to 6.5 %, by colour and
class of stars. The Sun, which is none of their stars, agrees to 2 % by F087 - F146 and to 9 % by F146 - F213,
whose colour hardly depends on temperature (a test holds both)."""


@dataclass(frozen=True)
class SurfaceBrightness:
    """AB magnitudes of stars of 1 mas.

    Parameters
    ----------
    magnitude
        By optical element, shape (n,), from hot to cool stars.
    """

    magnitude: dict[str, FloatArray]

    def colour_range(self, pair: tuple[str, str]) -> tuple[float, float]:
        """Bluest and reddest colour, free of reddening, for which the relation holds, AB mag."""
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
        grid = self.magnitude[pair[0]] - self.magnitude[pair[1]]
        surface = np.interp(colour, grid, self.magnitude[MAIN], left=np.nan, right=np.nan)
        return np.asarray(0.5 * 10 ** (0.2 * (surface - magnitude)))


@lru_cache(maxsize=4)
def surface_brightness(detector: str = "WFI01") -> SurfaceBrightness:
    """The relation by the effective areas of a detector; detectors differ by less than 0.01 mag."""
    wavelength, temperature = brightness_temperatures(_COLOURS)
    elements = sorted({element for pair in PAIRS for element in pair})
    return SurfaceBrightness({one: _synthetic(detector, one, wavelength, temperature) for one in elements})


def brightness_temperatures(v_k: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Temperatures of black bodies as bright as the surfaces of stars.

    Parameters
    ----------
    v_k
        Shape (n,): colour V-K.

    Returns
    -------
    wavelength
        Shape (4,): of V, I, H and K, m.
    temperature
        Shape (4, n), K.
    """
    k = _ANCHORS["K"]
    v = v_k + 5 * (k.constant + k.slope * v_k)
    magnitude, wavelength, zero = [v], [_V[0]], [_V[1]]
    for one in _ANCHORS.values():
        # 0.2 Q = constant + slope (V - Q) for a star of 1 mas.
        magnitude.append(5 * (one.constant + one.slope * v) / (1 + 5 * one.slope))
        wavelength.append(one.wavelength)
        zero.append(one.zero)
    wave = np.array(wavelength)
    return wave, _temperature(wave[:, None], np.array(zero)[:, None], np.array(magnitude))


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
