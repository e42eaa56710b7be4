"""A small field of stars and galaxies with emission lines: parameters, and sources drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from loaders.simulation.parameters import Range, Window
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.typed_yaml import build, merge

_LIGHT = 2.99792458e14
"""Speed of light, µm/s."""
_AB_ZERO = 3631e-26
"""Flux density of AB magnitude zero, W m⁻² Hz⁻¹."""
_PIVOT = 1.577
"""Wavelength, µm, at which the magnitude in F158 is meant."""
_LINES = ((0.65646, 1.0), (0.50082, 0.5))
"""Vacuum wavelengths (µm) of H-alpha and [O III], and their equivalent widths over that of H-alpha."""
_SIGMA = 0.0008
"""Width of lines at rest, as a share of their wavelength (240 km/s)."""


@dataclass(frozen=True)
class FieldParameters:
    """All that a field depends on; ``defaults.yaml`` explains each."""

    optical_element: str
    direct_element: str
    detector: str
    ra: float
    dec: float
    roll_v3: float
    window: Window
    sources: int
    star_fraction: float
    magnitude: Range
    slope: Range
    half_light_radius: Range
    sersic_n: Range
    axis_ratio: Range
    redshift: Range
    equivalent_width: Range
    exposures: int
    dithers: tuple[tuple[float, float], ...]
    seed: int

    def __post_init__(self) -> None:
        if self.optical_element not in ("GRISM", "PRISM"):
            raise ValueError(f"optical_element must be GRISM or PRISM, got {self.optical_element!r}")
        if self.sources < 1 or self.exposures < 1:
            raise ValueError(
                f"sources and exposures must be 1 or more, got {self.sources} and {self.exposures}"
            )
        if not self.dithers:
            raise ValueError("dithers must name a place at least, such as [[0, 0]]")


def default_text() -> str:
    """Text of ``defaults.yaml``."""
    return (files(__package__) / "defaults.yaml").read_text()


def field_parameters(path: Path | None = None) -> FieldParameters:
    """Read parameters from a YAML file; what it leaves out keeps its default, as all does for None.

    Raises
    ------
    ValueError
        If a key is unknown or a value does not fit.
    """
    content = (yaml.safe_load(path.read_text()) or {}) if path is not None else {}
    if not isinstance(content, Mapping):
        raise ValueError(f"expected a YAML mapping, found {content!r:.60}")
    return changed_parameters(content)


def changed_parameters(changes: Mapping[str, Any]) -> FieldParameters:
    """Lay changes over the defaults."""
    parameters: FieldParameters = build(
        FieldParameters, merge(yaml.safe_load(default_text()), changes), "parameters"
    )
    return parameters


@dataclass(frozen=True)
class Sources:
    """Sources, one a row; arrays of shape (n,).

    ``x, y`` are direct pixels of the window; ``magnitude`` AB at 1.577 µm; ``slope`` of the continuum;
    ``redshift`` and ``equivalent_width`` (µm at rest) are 0, and shapes NaN, for stars.
    """

    x: FloatArray
    y: FloatArray
    magnitude: FloatArray
    slope: FloatArray
    redshift: FloatArray
    equivalent_width: FloatArray
    half_light_radius: FloatArray
    sersic_n: FloatArray
    axis_ratio: FloatArray
    position_angle: FloatArray

    def spectrum(self, row: int, wavelength: FloatArray) -> FloatArray:
        """Flux density in W m⁻² µm⁻¹ of a source at wavelengths in µm."""
        level = _AB_ZERO * 10 ** (-0.4 * self.magnitude[row]) * _LIGHT / _PIVOT**2
        flux = level * (wavelength / _PIVOT) ** self.slope[row]
        stretch = 1 + self.redshift[row]
        for rest, share in _LINES if self.equivalent_width[row] > 0 else ():
            centre, sigma = rest * stretch, rest * stretch * _SIGMA
            height = share * self.equivalent_width[row] * stretch / (sigma * np.sqrt(2 * np.pi))
            continuum = level * (centre / _PIVOT) ** self.slope[row]
            flux = flux + continuum * height * np.exp(-0.5 * ((wavelength - centre) / sigma) ** 2)
        return np.asarray(flux)


def draw_sources(parameters: FieldParameters) -> Sources:
    """Draw the sources of a field, spread over the window; the same seed gives the same ones."""
    rng = np.random.default_rng(parameters.seed)
    number, window = parameters.sources, parameters.window
    star = rng.random(number) < parameters.star_fraction

    def drawn(limits: Range, of_stars: float) -> FloatArray:
        return np.where(star, of_stars, rng.uniform(*limits, number))

    return Sources(
        rng.uniform(0, window.width - 1, number),
        rng.uniform(0, window.height - 1, number),
        rng.uniform(*parameters.magnitude, number),
        rng.uniform(*parameters.slope, number),
        drawn(parameters.redshift, 0.0),
        drawn(parameters.equivalent_width, 0.0) * 1e-4,
        drawn(parameters.half_light_radius, np.nan),
        drawn(parameters.sersic_n, np.nan),
        drawn(parameters.axis_ratio, np.nan),
        drawn((0.0, 180.0), np.nan),
    )
