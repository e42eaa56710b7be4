"""Errors of PSF photometry: photons of star and sky, reads, and a floor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from loaders.simulation.instrument_tables import detector_noise, thermal_rate, zodiacal_rate
from loaders.simulation.throughput import ab_zero_rate, flux_njy

FloatArray = npt.NDArray[np.float64]

DETECTOR = "WFI07"
EXPOSURE_TIME = 66.4
"""Seconds."""

NOISE_PIXELS = {"F087": 6.68, "F146": 10.1, "F213": 20.7}
"""Pixels over which the noise of the sky counts: one over the sum of the squares of the PSF (King 1983, PASP
95, 163), for the optics of this project's simulator in the middle of WFI07."""

_READS = 21
_ZODIACAL_FACTOR = 2.5
"""Brightness of the sky over that of the darkest zodiacal light, as in this project's simulator."""

_HAZE = 11.0
"""Light of the stars of the bulge fainter than magnitude 17 over the darkest zodiacal light in F146, taken to
be the same in the other elements: the density and luminosity function of the simulator of images."""

_FLOOR = 1e-3
"""Part of the flux that is uncertain whatever its brightness."""


@dataclass(frozen=True)
class BandNoise:
    """What errors are made of: electrons a nJy and exposure, and electrons² of sky and reads under a star."""

    electrons: float
    background: float

    def error(self, flux: FloatArray) -> FloatArray:
        """Standard error of flux densities (nJy) of any shape, nJy."""
        photons = np.maximum(flux, 0.0) * self.electrons
        variance = photons + self.background + (_FLOOR * photons) ** 2
        return np.asarray(np.sqrt(variance) / self.electrons)


@cache
def band_noise(optical_element: str) -> BandNoise:
    """Noise in an optical element; the reads of a ramp are worth one of ``r √(12 (n - 1) / (n (n + 1)))``.

    The last by least squares on n evenly spaced reads of noise r each (Robberto 2010, JWST-STScI-002128).
    """
    noise, sky = detector_noise(DETECTOR), zodiacal_rate(optical_element)
    rate = (_ZODIACAL_FACTOR + _HAZE) * sky + thermal_rate(optical_element) + noise.dark_current
    read = noise.read_noise**2 * 12 * (_READS - 1) / (_READS * (_READS + 1))
    electrons = ab_zero_rate(DETECTOR, optical_element) * EXPOSURE_TIME / float(flux_njy(0.0))
    return BandNoise(electrons, NOISE_PIXELS[optical_element] * (rate * EXPOSURE_TIME + read))
