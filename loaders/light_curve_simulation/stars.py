"""The stars of a light curve: a source, what is blended with it, and how wide the source is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from astropy import constants, units

from loaders.light_curve_simulation.noise import DETECTOR
from loaders.simulation.parameters import StarParameters, default_parameters
from loaders.simulation.population import draw_magnitudes
from loaders.simulation.sed import ColourGrid, colour_grid, extinction
from loaders.simulation.throughput import flux_njy

FloatArray = npt.NDArray[np.float64]

ELEMENTS = ("F087", "F146", "F213")
_PIVOT = 1.434e-6
"""Pivot wavelength of F146, metres."""

_A_V, _A_V_SCATTER = 3.0, 0.3
"""Extinction of the bulge, magnitudes."""

_BLENDING_RADIUS = 0.09
"""Arcsec within which stars are one: most of the FWHM of the PSF in F146."""

_JY = 1e-9
_RADIAN_MAS = np.degrees(1.0) * 3.6e6


@dataclass(frozen=True)
class Star:
    """A star: temperature (K), extinction (mag), F146 AB magnitude, and flux densities (nJy) by element."""

    temperature: float
    a_v: float
    magnitude: float
    flux: dict[str, float]

    @property
    def angular_radius(self) -> float:
        """Angular radius in mas, of a black body: ``F_ν = π θ² B_ν(T)``, without the dust."""
        dust = 10 ** (0.4 * self.a_v * float(extinction(np.array([_PIVOT]))[0]))
        nu = (constants.c / (_PIVOT * units.m)).to(units.Hz)
        exponent = float((constants.h * nu / (constants.k_B * self.temperature * units.K)).decompose())
        brightness = (2 * constants.h * nu**3 / constants.c**2).to_value(units.Jy) / np.expm1(exponent)
        return float(np.sqrt(self.flux["F146"] * _JY * dust / (np.pi * brightness)) * _RADIAN_MAS)


def draw_star(rng: np.random.Generator, brightest: float, faintest: float) -> Star:
    """Draw a star of the luminosity function of the bulge (F146 AB) within limits.

    The function, its temperatures and the dust are those of the simulator of images, which follow star counts
    of the bulge; colours are those of black bodies behind the dust of Cardelli, Clayton & Mathis (1989).

    Raises
    ------
    ValueError
        If the limits leave no star.
    """
    stars = _parameters()
    for _ in range(1000):
        magnitude = draw_magnitudes(stars, 64, rng)
        inside = magnitude[(magnitude > brightest) & (magnitude < faintest)]
        if inside.size:
            return _star(float(inside[0]), rng)
    raise ValueError(f"there are no stars between magnitudes {brightest} and {faintest}")


def draw_blend(rng: np.random.Generator) -> dict[str, float]:
    """Light (nJy) by element of unrelated stars that cannot be told from a source; often none."""
    stars = _parameters()
    mean = stars.density_per_arcmin2 * np.pi * (_BLENDING_RADIUS / 60) ** 2
    total = dict.fromkeys(ELEMENTS, 0.0)
    for magnitude in draw_magnitudes(stars, int(rng.poisson(mean)), rng):
        for element, flux in _star(float(magnitude), rng).flux.items():
            total[element] += flux
    return total


def _star(magnitude: float, rng: np.random.Generator) -> Star:
    """A star of a magnitude."""
    stars = _parameters()
    locus = np.interp(magnitude, stars.locus_magnitude, stars.locus_temperature)
    temperature = float(locus * np.exp(stars.temperature_scatter * rng.standard_normal()))
    a_v = max(0.0, float(rng.normal(_A_V, _A_V_SCATTER)))
    flux = {"F146": float(flux_njy(magnitude))}
    for element in ("F087", "F213"):
        colour = _colours().colour(element, np.array([temperature]), np.array([a_v]))
        flux[element] = float(flux_njy(magnitude + colour[0]))
    return Star(temperature, a_v, magnitude, flux)


@cache
def _parameters() -> StarParameters:
    """Luminosity function and temperatures."""
    return default_parameters().scene.stars


@cache
def _colours() -> ColourGrid:
    """Colours against F146."""
    return colour_grid(DETECTOR, "F146", ("F087", "F213"))
