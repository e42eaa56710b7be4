"""Templates of galaxies, stars and QSOs at rest, far beyond what any one telescope sees."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from loaders.redshift.lines import BROAD_LINES, NARROW_QSO, SPEED_OF_LIGHT, WAVELENGTH, LineGroup
from loaders.redshift.nebulae import nebulae

FloatArray = npt.NDArray[np.float64]

LN_START, LN_STEP, N_LN = np.log(90.0), 2.5e-4, 32_000
"""The grid of all templates: uniform in the logarithm of the wavelength (Å), 90 Å to 27 µm."""

_TEMPERATURES = (
    *(2200, 2500, 2800, 3100, 3400, 3700, 4000, 4400, 4800, 5200, 5800, 6500, 7500, 8500, 10000),
    *(13000, 18000, 30000),
)
"""K."""

_HC_K = 1.438777e8
"""Second radiation constant, Å K."""

_ATOMIC = (
    *((3934.78, 12.0, 4800.0), (3969.59, 10.0, 4800.0), (4305.6, 6.0, 5000.0), (5176.6, 6.0, 4300.0)),
    *((5895.6, 4.0, 4000.0), (8500.4, 1.5, 4600.0), (8544.4, 3.5, 4600.0), (8664.5, 2.8, 4600.0)),
    *((11404.0, 2.0, 3200.0), (12524.0, 1.5, 3200.0), (15890.0, 2.0, 4300.0), (17110.0, 2.0, 4300.0)),
)
"""Lines of metals in cool stars: wavelength, largest equivalent width (Å), and the temperature (K) of it."""

_BANDS = (
    *((4955.0, 5200.0, 0.25, 3600.0), (5448.0, 5630.0, 0.25, 3600.0), (5850.0, 6060.0, 0.25, 3600.0)),
    *((6160.0, 6400.0, 0.45, 3600.0), (6660.0, 6900.0, 0.45, 3600.0), (7055.0, 7270.0, 0.6, 3600.0)),
    *((7590.0, 7860.0, 0.55, 3400.0), (8435.0, 8650.0, 0.45, 3200.0), (9300.0, 9500.0, 0.3, 2900.0)),
    *((11000.0, 12000.0, 0.2, 3000.0), (13400.0, 14900.0, 0.55, 3300.0), (17600.0, 20500.0, 0.5, 3100.0)),
    *((22930.0, 24000.0, 0.25, 4200.0), (15600.0, 15800.0, 0.06, 4200.0)),
)
"""Bands of TiO, VO, H2O and CO: from, to (Å), depth in the coolest stars, kelvins where they begin."""


_SAMPLING = 1.6e-3
"""Galaxies of kcorrect have a value each 3.4e-3, and lines of QSOs dispersions above 8e-3."""

_TOO_WEAK = ("CIV1549", "[NeIII]3870", "HeI5877", "[OI]6302", "[ArIII]7138")
"""Lines that templates may keep: to cut them out would take absorption with them."""


@dataclass(frozen=True)
class TemplateSet:
    """Templates of one class.

    Parameters
    ----------
    name
        ``GALAXY``, ``STAR`` or ``QSO``.
    subclasses
        Name of each continuum.
    continuum
        Shape (k, n) on the common grid, flux density by wavelength in any scale. Of stars one is fitted at a
        time, of others all together.
    groups
        Narrow lines that are fitted beside them.
    z_max, step
        Largest redshift, and the largest step in ln(1 + z) at which a minimum is not missed.
    sampling
        In ln(wavelength), below which continua have no features.
    """

    name: str
    subclasses: tuple[str, ...]
    continuum: FloatArray
    groups: tuple[LineGroup, ...]
    z_max: float
    step: float
    sampling: float

    @cached_property
    def cumulative(self) -> FloatArray:
        """Integrals of the continua over wavelength up to each place of the grid; shape (k, n)."""
        part = self.continuum * grid() * LN_STEP
        return np.asarray(np.cumsum(part, axis=1) - 0.5 * part)

    @cached_property
    def lines(self) -> tuple[FloatArray, FloatArray]:
        """Ascending wavelengths of the lines of all groups, shape (l,), and their shares in each, (l, g)."""
        wavelength = sorted({line.wavelength for group in self.groups for line in group.lines})
        share = np.zeros((len(wavelength), len(self.groups)))
        for g, group in enumerate(self.groups):
            for line in group.lines:
                share[wavelength.index(line.wavelength), g] += line.ratio
        return np.array(wavelength, np.float64), share


def grid() -> FloatArray:
    """Wavelengths of all templates, Å in vacuum; shape (n,)."""
    return np.asarray(np.exp(LN_START + LN_STEP * np.arange(N_LN)))


@cache
def template_sets() -> tuple[TemplateSet, ...]:
    """All templates: galaxies, QSOs and stars."""
    stars = np.array([_star(temperature) for temperature in _TEMPERATURES])
    names = tuple(f"T{temperature}" for temperature in _TEMPERATURES)
    return (
        TemplateSet(
            "GALAXY", tuple(f"kcorrect{k}" for k in range(1, 6)), _galaxies(), nebulae(), 4.0, 1e-3, _SAMPLING
        ),
        TemplateSet("QSO", ("blue", "red", "lines", "iron"), _qso(), NARROW_QSO, 7.5, 2e-3, _SAMPLING),
        TemplateSet("STAR", names, stars, (), 0.002, 1e-3, 0.0),
    )


def _galaxies() -> FloatArray:
    """Five galaxies of kcorrect (Blanton & Roweis 2007, AJ 133, 734), lines of emission taken out.

    Their sampling is coarse (R about 290), so that lines are fitted as templates of their own.
    """
    spec = importlib.util.find_spec("kcorrect")
    if spec is None or spec.origin is None:
        raise RuntimeError("kcorrect is not installed: its templates of galaxies are needed")
    path = Path(spec.origin).parent / "data" / "templates" / "kcorrect-default-v4.fits"
    with fits.open(path, memmap=False) as file:
        wave = np.asarray(file[1].data["wave"][0], np.float64)
        flux = np.asarray(file[1].data["flux"][0], np.float64)
    emission = np.zeros(wave.size, bool)
    for line in (WAVELENGTH[name] for name in WAVELENGTH if name not in _TOO_WEAK):
        emission |= np.abs(wave / line - 1) < 0.008
    out = np.array([np.interp(grid(), wave[~emission], one[~emission], left=0.0) for one in flux])
    return _normalised(out)


def _qso() -> FloatArray:
    """A QSO: two power laws, broad lines in the ratios of the composite, and blended Fe II.

    The continuum of Vanden Berk et al. (2001) has slopes of -1.56 to 5000 Å and -0.45 (in frequency -0.44
    and -2.45) beyond; a bluer and a redder one about it take in most QSOs. Fe II is a sum of broad humps at
    its blends.
    """
    wave = grid()
    mean = np.where(wave < 5000, (wave / 5000) ** -1.56, (wave / 5000) ** -0.45)
    lines = np.zeros(wave.size)
    for line, width, velocity in BROAD_LINES:
        lines += width * np.interp(line, wave, mean) * _gaussian(wave, line, line * velocity / SPEED_OF_LIGHT)
    iron = np.zeros(wave.size)
    for place, width, share in (
        (2080, 60, 0.3),
        (2500, 90, 1.0),
        (3200, 120, 0.4),
        (4570, 60, 0.5),
        (5250, 80, 0.5),
    ):
        iron += share * np.exp(-0.5 * ((wave - place) / width) ** 2) * np.interp(place, wave, mean)
    return _normalised(np.array([mean * (wave / 5000) ** -0.6, mean * (wave / 5000) ** 0.8, lines, iron]))


def _star(temperature: float) -> FloatArray:
    """A star: a black body with hydrogen, metals and molecules as strong as its temperature makes them.

    Strengths are rough figures made up after the atlases of Pickles (1998, PASP 110, 863) and Rayner et al.
    (2009, ApJS 185, 289), and were not fitted to any; the Balmer jump and line blanketing below 4000 Å are
    steps.
    """
    wave = grid()
    flux = wave**-5 / np.expm1(np.minimum(_HC_K / (wave * temperature), 600.0))
    hydrogen = np.exp(-0.5 * (np.log(temperature / 9300) / 0.28) ** 2)
    depth = np.zeros(wave.size)
    for upper in range(3, 12):
        for lower, scale in ((2, 12.0), (3, 9.0), (4, 9.0)):
            if upper > lower:
                line = 911.76 / (lower**-2 - upper**-2)
                depth += hydrogen * scale * _gaussian(wave, line, line * 600 / SPEED_OF_LIGHT)
    for line, width, best in _ATOMIC:
        strength = np.exp(-0.5 * (np.log(temperature / best) / 0.25) ** 2)
        depth += strength * width * _gaussian(wave, line, line * 200 / SPEED_OF_LIGHT)
    for first, last, share, begins in _BANDS:
        strength = np.clip((begins - temperature) / 900, 0, 1.2)
        inside = (wave > first) & (wave < last)
        depth += np.where(inside, share * strength * (1.6 * (last - wave) / (last - first)), 0.0)
    depth += np.where(wave < 3800, 0.6 * hydrogen, 0.0)
    depth += np.where(wave < 4000, np.clip((6800 - temperature) / 3000, 0, 0.6), 0.0)
    return np.asarray(_normalised((flux * np.exp(-depth))[np.newaxis])[0])


def _gaussian(wave: FloatArray, centre: float, sigma: float) -> FloatArray:
    """Gaussian of area 1."""
    return np.asarray(np.exp(-0.5 * ((wave - centre) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi)))


def _normalised(flux: FloatArray) -> FloatArray:
    """Templates with a mean of 1 between 1000 Å and 2 µm."""
    wave = grid()
    inside = (wave > 1000) & (wave < 20_000)
    return np.asarray(flux / flux[:, inside].mean(axis=1, keepdims=True))
