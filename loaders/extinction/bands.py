"""The red clump through the filters: its magnitudes, and how dust dims it in each of them.

A wide filter sees less and less of the blue side of a spectrum that is reddened, so that extinction in it
does not grow in proportion to the dust. It is therefore computed as the simulator computes it: the clump's
spectrum behind the dust, through the effective areas, photons counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.extinction.configuration import ELEMENTS, REFERENCE, ClumpValues, Configuration, LawValues
from loaders.simulation.instrument_tables import effective_area
from loaders.simulation.sed import extinction as ccm89

FloatArray = npt.NDArray[np.float64]

_STRENGTHS = np.linspace(0.0, 1.0, 81)


def law_ratio(wavelength: FloatArray, law: LawValues) -> FloatArray:
    """Extinction at wavelengths (um), shape (n,), over that where the law is one: its last row, or A(V)."""
    if law.form == "ccm89":
        return ccm89(wavelength * 1e-6, law.r_v)
    log = np.log(np.asarray(law.wavelength)), np.log(np.asarray(law.ratio))
    return np.asarray(np.exp(_linear(np.log(wavelength), *log)))


def clump_spectrum(wavelength: FloatArray, clump: ClumpValues) -> FloatArray:
    """AB magnitudes of the clump at 10 pc at wavelengths (um), shape (n,)."""
    return _linear(np.log(wavelength), np.log(np.asarray(clump.wavelength)), np.asarray(clump.magnitude))


def band_magnitude(
    element: str, configuration: Configuration, strength: FloatArray, magnitude_shift: float = 0.0
) -> FloatArray:
    """AB magnitudes of the clump behind dust in an optical element, shape (n,).

    Parameters
    ----------
    element
        Optical element.
    configuration
        Spectrum, law and detector.
    strength
        Shape (n,): extinction (mag) where the law is one.
    magnitude_shift
        Distance modulus.
    """
    band = effective_area(configuration.detector, element)
    micron = band.wavelength * 1e6
    dust = law_ratio(micron, configuration.law)[:, None] * strength
    flux = 10 ** (-0.4 * (clump_spectrum(micron, configuration.clump)[:, None] + dust))
    weight = (band.area / band.wavelength)[:, None]
    share = np.trapezoid(flux * weight, band.wavelength, axis=0) / np.trapezoid(
        weight, band.wavelength, axis=0
    )
    return np.asarray(magnitude_shift - 2.5 * np.log10(share))


@dataclass(frozen=True)
class Bands:
    """The clump in the optical elements.

    Parameters
    ----------
    intrinsic
        Absolute AB magnitudes without dust.
    grid
        Extinctions (mag) by optical element, shape (n,) each, that belong to one another.
    """

    intrinsic: dict[str, float]
    grid: dict[str, FloatArray]

    def extinction(self, element: str, of_reference: FloatArray) -> FloatArray:
        """Extinction (mag) in an element where that in F146 is known, shape (n,), by the law."""
        return np.asarray(np.interp(of_reference, self.grid[REFERENCE], self.grid[element]))

    def colour(self, pair: tuple[str, str], of_reference: FloatArray) -> FloatArray:
        """Colour of the clump (first less second element, mag) where the extinction in F146 is known."""
        blue, red = (self.intrinsic[one] + self.extinction(one, of_reference) for one in pair)
        return np.asarray(blue - red)


def make_bands(configuration: Configuration) -> Bands:
    """Compute magnitudes and extinctions up to the largest extinction in F146 that is looked for, and more.

    The grid ends where F146 is dimmed by 1.5 times that.
    """
    scale = 1.0
    end = 1.5 * configuration.cells.largest_extinction
    while _dimmed(REFERENCE, configuration, np.array([scale]))[0] < end:
        scale *= 1.3
    grid = {one: _dimmed(one, configuration, scale * _STRENGTHS) for one in ELEMENTS}
    plain = {one: float(band_magnitude(one, configuration, np.zeros(1))[0]) for one in ELEMENTS}
    return Bands(plain, grid)


def _dimmed(element: str, configuration: Configuration, strength: FloatArray) -> FloatArray:
    """Extinction in an element, mag."""
    both = band_magnitude(element, configuration, np.concatenate([[0.0], strength]))
    return np.asarray(both[1:] - both[0])


def _linear(x: FloatArray, known_x: FloatArray, known_y: FloatArray) -> FloatArray:
    """Linear interpolation, and extrapolation beyond the ends."""
    below = np.clip(np.searchsorted(known_x, x) - 1, 0, known_x.size - 2)
    part = (x - known_x[below]) / (known_x[below + 1] - known_x[below])
    return np.asarray(known_y[below] + part * (known_y[below + 1] - known_y[below]))
