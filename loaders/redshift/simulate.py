"""Simulated spectra with known redshift, class and lines, on the pixels of Roman's grism and prism."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from loaders.redshift.candidates import Pixels, continua, lines_of, pixels_of
from loaders.redshift.columns import STORED_UNIT
from loaders.redshift.line_kernels import line_profiles
from loaders.redshift.lines import BLENDS, Line
from loaders.redshift.spectrum import FWHM_SIGMA, Spectrum
from loaders.redshift.templates import TemplateSet, template_sets
from loaders.simulation.instrument_tables import dispersion_table

FloatArray = npt.NDArray[np.float64]

_RANGE = {"grism": (9_950.0, 19_250.0), "prism": (7_500.0, 18_000.0)}
"""From and to, Å: within the edges of all detectors."""

_GRISM_R = 461e-4
"""Resolution of the grism by Å: 461 by µm."""


_DISPERSION = 100.0
"""Of gas, km/s."""

_BALMER = (Line("Hbeta", 4862.68), Line("Hgamma", 4341.68, 0.468), Line("Hdelta", 4102.89, 0.259))
_SULPHUR3 = (Line("[SIII]9533", 9533.2), Line("[SIII]9071", 9071.1, 1 / 2.44))
_RATIOS: tuple[tuple[tuple[Line, ...], Callable[[np.random.Generator], float]], ...] = (
    ((Line("Halpha", 6564.61),), lambda _: 1.0),
    (BLENDS[0], lambda chance: float(10 ** chance.normal(-0.3, 0.3))),
    (BLENDS[1], lambda chance: float(10 ** chance.normal(-0.5, 0.2))),
    (_BALMER, lambda chance: 1 / chance.uniform(2.86, 4.5)),
    (BLENDS[2], lambda chance: chance.uniform(0.05, 0.4)),
    (BLENDS[3], lambda chance: chance.uniform(0.05, 0.25)),
    (_SULPHUR3, lambda chance: chance.uniform(0.02, 0.2)),
)
"""Fluxes of lines relative to Hα, as galaxies with strong lines have them at z of 1, each drawn by itself."""


@dataclass(frozen=True)
class Truth:
    """What a spectrum was made of; ``line_snr`` is that of Hα in a galaxy, NaN for others."""

    class_name: str
    z: float
    line_snr: float
    line_flux: float


@cache
def instrument_pixels(instrument: str) -> tuple[FloatArray, FloatArray]:
    """Wavelengths (Å) and resolution λ/FWHM of the pixels of grism or prism at the centre of the field.

    Dispersion as PyPI's roman-technical-information has it; of the prism two pixels are an element of
    resolution.
    """
    at, step = dispersion_table(instrument.upper())
    first, last = _RANGE[instrument]
    places = [first]
    while places[-1] < last:
        places.append(places[-1] + 10 * float(np.interp(places[-1] / 1e4, at, step)))
    wavelength = np.array(places)
    resolution = (
        _GRISM_R * wavelength if instrument == "grism" else wavelength / (2 * np.gradient(wavelength))
    )
    return wavelength, resolution


def simulated(
    instrument: str, class_name: str, number: int, line_snr: float, generator: np.random.Generator
) -> tuple[list[Spectrum], list[Truth]]:
    """Spectra of a class with noise that is the same in all pixels.

    Parameters
    ----------
    instrument
        ``grism`` or ``prism``.
    class_name
        ``GALAXY``, ``STAR`` or ``QSO``.
    number
        Number of spectra.
    line_snr
        Of galaxies: signal-to-noise ratio of Hα, if its profile and the continuum were known. Of others: that
        of the continuum in a pixel.
    generator
        Source of chance.
    """
    wavelength, resolution = instrument_pixels(instrument)
    pixels = pixels_of(wavelength, 1 / resolution / FWHM_SIGMA)
    templates = next(one for one in template_sets() if one.name == class_name)
    made = [_one(templates, pixels, line_snr, generator) for _ in range(number)]
    spectra = [
        Spectrum(
            f"{class_name.lower()}-{k}", wavelength, flux + generator.normal(size=flux.size),
            np.ones(flux.size), np.zeros(flux.size, bool), resolution, flux_unit=STORED_UNIT,
        )
        for k, (flux, _) in enumerate(made)
    ]  # fmt: skip
    return spectra, [truth for _, truth in made]


def _one(
    templates: TemplateSet, pixels: Pixels, snr: float, generator: np.random.Generator
) -> tuple[FloatArray, Truth]:
    """Flux without noise, whose standard deviation is 1 a pixel, and what it is of."""
    z, kind = 0.0, -1
    if templates.name == "GALAXY":
        # Halpha is seen, with 100 Å on both sides.
        z = float(generator.uniform(pixels.low[0] + 100, pixels.high[-1] - 100) / 6564.61 - 1)
    elif templates.name == "QSO":
        z = float(generator.uniform(0.6, 5.0))
    else:
        kind = int(generator.integers(len(templates.subclasses)))
    found = continua(templates, pixels, np.array([z]), np.array([kind]))[0]
    share = generator.dirichlet(np.full(len(found), 0.7))
    if templates.name == "QSO":
        blue = generator.uniform(0.2, 0.8)
        lines = generator.uniform(0.5, 1.2)
        share = np.array([blue, 1 - blue, lines * 0.15, 0.05 * generator.uniform()])
    flux = share @ found
    flux /= np.median(flux)
    if templates.name != "GALAXY":
        return np.asarray(flux * snr), Truth(templates.name, z, np.nan, np.nan)
    grid = pixels.with_dispersion(_DISPERSION)
    profile = line_profiles(grid, 1 + z, lines_of([group for group, _ in _RATIOS]), len(_RATIOS))
    amplitude = snr / np.sqrt(np.sum(profile[0] ** 2))
    ratio = np.array([draw(generator) for _, draw in _RATIOS])
    return np.asarray(flux * generator.uniform(0.1, 1.0) + amplitude * ratio @ profile), Truth(
        "GALAXY", z, snr, amplitude
    )
