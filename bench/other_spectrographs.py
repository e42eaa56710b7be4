"""Simulated spectra of slitless spectrographs of other telescopes, of galaxies that no template of ours has.

Continua are those of Coleman, Wu & Weedman that GalSim carries, with dust; lines have ratios that scatter
about those of galaxies of low to high mass; sources are larger than the line-spread function, and their
profiles are no Gaussians. Beside noise there is what such files really have: errors that are too small, flux
calibration that bends, light of neighbours that was not or too much taken away, wavelengths that are off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import galsim
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from loaders.redshift.spectrum import FWHM_SIGMA, Spectrum

FloatArray = npt.NDArray[np.float64]

#: First and last wavelength and pixel (Å), and resolution of a point, as handbooks state them.
SPECTROGRAPHS = {
    "WFC3 G141": (10_800.0, 16_900.0, 46.5, 130.0),
    "WFC3 G102": (8_000.0, 11_500.0, 24.5, 210.0),
    "ACS G800L": (5_500.0, 10_000.0, 40.0, 100.0),
    "NIRISS F150W": (13_300.0, 16_700.0, 47.0, 150.0),
    "Euclid red": (12_000.0, 18_800.0, 13.4, 450.0),
}
_LINES = {
    **{"Ha": 6564.61, "Hb": 4862.68, "Hg": 4341.68, "O3": 5008.24, "O3b": 4960.3, "O2": 3728.5},
    **{"N2": 6585.27, "N2b": 6549.85, "S2": 6725.5, "S3": 9533.2, "S3b": 9071.1, "Ne3": 3869.8},
}
_FINE = 4.0
_GAS_KMS, _LIGHT_KMS = 120.0, 299_792.458


@dataclass(frozen=True)
class Simulated:
    """A spectrum, its redshift, and whether its galaxy has emission lines."""

    spectrum: Spectrum
    z: float
    has_lines: bool


def simulated(name: str, number: int, chance: np.random.Generator) -> list[Simulated]:
    """Spectra of one spectrograph, three quarters of them of galaxies with lines."""
    return [_one(name, chance) for _ in range(number)]


@cache
def _continuum(kind: str) -> tuple[FloatArray, FloatArray]:
    """Wavelengths (Å) and flux density of a galaxy at rest."""
    path = Path(galsim.meta_data.share_dir) / "SEDs" / f"CWW_{kind}_ext.sed"
    wave, flux = np.loadtxt(path, unpack=True)[:2]
    return wave, flux


def _one(name: str, chance: np.random.Generator) -> Simulated:
    """A galaxy with noise of 1 a pixel where the instrument is sensitive."""
    first, last, step, resolution = SPECTROGRAPHS[name]
    wave, fine = np.arange(first, last, step), np.arange(first - 600, last + 600, _FINE)
    has_lines = bool(chance.random() < 0.75)
    z = _redshift(first + 3 * step, last - 3 * step, has_lines, chance)
    mass, dust = chance.random(), chance.gamma(2, 0.4)
    sigma = fine / resolution / FWHM_SIGMA * min(1 + chance.gamma(1.5, 0.5), 4.0)
    level = 10 ** (chance.uniform(-0.3, 1.2) if has_lines else chance.uniform(0.6, 1.5))
    light = gaussian_filter1d(
        level * _stars(fine / (1 + z), has_lines, dust, chance), np.median(sigma) / _FINE
    )
    middle = wave + chance.normal(0, 0.12) * step
    flux = _on_pixels(fine, light, middle, step)
    if has_lines:
        lines = _on_pixels(fine, _lines(fine, sigma, z, _ratios(mass, dust, chance)), middle, step)
        strongest = np.abs(wave - wave[np.argmax(lines)]) < 2.5 * np.median(sigma) + step
        flux += lines * 10 ** chance.uniform(0.6, 1.6) / np.sqrt(np.sum(lines[strongest] ** 2))
    flux, error = _as_files_are(flux, level, chance)
    none = np.zeros(wave.size, bool)
    return Simulated(Spectrum(name, wave, flux, error, none, np.full(wave.size, resolution)), z, has_lines)


def _redshift(first: float, last: float, has_lines: bool, chance: np.random.Generator) -> float:
    """A redshift of a deep survey at which a strong line, or the break of an old galaxy, is seen."""
    marks = np.array([6564.6, 5008.2, 3728.0] if has_lines else [4000.0, 5175.0])
    while True:
        z = chance.uniform(0.05, 4)
        seen = np.any((marks * (1 + z) > first) & (marks * (1 + z) < last))
        if seen and chance.random() < z**2 * np.exp(-((z / 0.9) ** 1.5)) / 0.34:
            return float(z)


def _stars(rest: FloatArray, has_lines: bool, dust: float, chance: np.random.Generator) -> FloatArray:
    """Continuum of two populations behind dust, with a median of 1."""
    kinds = ("E", "Sbc", "Scd", "Im")
    main = "E" if not has_lines else kinds[chance.choice(4, p=[0, 0.25, 0.4, 0.35])]
    share = chance.uniform(0, 0.3)
    total = np.zeros(rest.size)
    for kind, part in ((main, 1 - share), (kinds[chance.integers(4)], share)):
        wave, flux = _continuum(kind)
        total += part * np.interp(rest, wave, flux) / np.interp(5500.0, wave, flux)
    total *= 10 ** (-0.4 * dust * (0.44 if has_lines else 0.15) * (rest / 5500) ** -0.9)
    return np.asarray(total / np.median(total))


def _ratios(mass: float, dust: float, chance: np.random.Generator) -> dict[str, float]:
    """Fluxes of lines relative to Hα: excitation falls and nitrogen rises with mass (0 to 1)."""
    oxygen3 = 10 ** (0.75 - mass + chance.normal(0, 0.12)) / 2.86
    nitrogen = 10 ** (-1.2 + 0.9 * mass + chance.normal(0, 0.12))
    flux = {
        **{"Ha": 1.0, "Hb": 1 / 2.86, "Hg": 0.468 / 2.86, "O3": oxygen3, "O3b": oxygen3 / 2.98},
        **{"N2": nitrogen, "N2b": nitrogen / 3.05, "Ne3": 0.24 * oxygen3, "S3": 0.12, "S3b": 0.05},
        "S2": 10 ** (-0.9 + 0.25 * mass + chance.normal(0, 0.1)),
        "O2": 10 ** (-0.3 * abs(mass - 0.5) + chance.normal(0, 0.15)),
    }
    depth = dust * (0.3 + mass)
    return {
        line: value * 10 ** (-0.4 * depth * ((_LINES[line] / 5500) ** -0.9 - (6564.61 / 5500) ** -0.9))
        for line, value in flux.items()
    }


def _lines(fine: FloatArray, sigma: FloatArray, z: float, ratio: dict[str, float]) -> FloatArray:
    """Lines with a core and wings, as a disc has them."""
    total = np.zeros(fine.size)
    for line, value in ratio.items():
        place = _LINES[line] * (1 + z)
        width = float(np.hypot(np.interp(place, fine, sigma), place * _GAS_KMS / _LIGHT_KMS))
        for share, factor in ((0.7, 1.0), (0.3, 1.8)):
            s = width * factor
            total += value * share * np.exp(-0.5 * ((fine - place) / s) ** 2) / s
    return total


def _on_pixels(fine: FloatArray, light: FloatArray, middle: FloatArray, step: float) -> FloatArray:
    """Means over pixels."""
    upto = np.concatenate([[0.0], np.cumsum(light) * _FINE])
    edges = np.concatenate([[fine[0] - 0.5 * _FINE], fine + 0.5 * _FINE])
    upper, lower = (np.interp(middle + side * step / 2, edges, upto) for side in (1, -1))
    return np.asarray((upper - lower) / step)


def _as_files_are(
    flux: FloatArray, level: float, chance: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Flux and stated error with what reduction leaves in them."""
    x = np.linspace(0, 1, flux.size)
    error = 1 / np.clip(np.minimum(x, 1 - x) / 0.08, 0.25, 1)
    phase, waves = chance.uniform(0, 6), chance.uniform(0.5, 2)
    seen = flux * (1 + 0.05 * chance.normal() * np.sin(np.pi * waves * x + phase))
    if chance.random() < 0.35:
        neighbour = np.exp(-0.5 * ((x - chance.uniform(-0.2, 1)) / chance.uniform(0.15, 0.7)) ** 2)
        seen = seen + chance.uniform(-0.2, 0.4) * level * neighbour
    seen = seen + chance.normal(0, 0.3)
    return seen + error * chance.uniform(0.95, 1.15) * chance.normal(size=flux.size), error
