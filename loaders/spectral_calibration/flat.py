"""A spectral flat from the skies of many dispersed exposures: pixels beside their neighbours.

What changes slowly over the detector is taken out, as the sky does that itself through a grism; stars that
several exposures show tell it (`loaders.spectral_calibration.repeats`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter

from loaders.rejection import Rejected
from loaders.spectral_extraction.frame import SpectralFrame
from loaders.spectral_extraction.response import SIDE
from loaders.spectral_geometry.polynomial import FloatArray

_DARK = 0.02
"""Light of sources over that of the sky up to which a pixel shows the sky."""
_CLIP = 5.0
_FAR = 0.3
"""Distance from 1 that pixels have at most beside their noise."""
_SMOOTH = 32.0
"""Standard deviation (pixels) of the Gaussian that what changes slowly is taken with."""
WORST = 0.01
"""Standard error (median over pixels) up to which a flat is one."""


def _zeros() -> FloatArray:
    return np.zeros((SIDE, SIDE))


@dataclass
class SkyFlat:
    """Sums over exposures, each of shape (4088, 4088): weights, and weights times the pixel over the sky."""

    weight: FloatArray = field(default_factory=_zeros)
    total: FloatArray = field(default_factory=_zeros)

    def add(self, frame: SpectralFrame, sky: float, sources: FloatArray, corner: tuple[int, int]) -> None:
        """Add an exposure.

        Parameters
        ----------
        frame
            The exposure without sky, not divided by any flat.
        sky
            Its sky, electrons/s.
        sources
            Light of its sources, of the shape of the exposure, electrons/s.
        corner
            Pixel x, y of the detector at which it begins.
        """
        ratio = frame.rate / sky + 1
        variance = frame.read_variance / sky**2
        seen = frame.usable & (sources < _DARK * sky)
        seen &= np.abs(ratio - 1) < _FAR + _CLIP * np.sqrt(variance)
        (x, y), (ny, nx) = corner, ratio.shape
        part = slice(y, y + ny), slice(x, x + nx)
        weight = np.where(seen, 1 / variance, 0.0)
        self.weight[part] += weight
        self.total[part] += np.where(seen, ratio, 0.0) * weight

    def flat(self) -> tuple[FloatArray, float]:
        """The flat, NaN where no exposure shows the sky, and its standard error (median over pixels).

        Raises
        ------
        Rejected
            Codes ``no_calibration_source``, if none shows any, and ``noisy_flat``.
        """
        known = self.weight > 0
        if not known.any():
            remedy = "Take exposures of sparse fields"
            raise Rejected("the flat", "no pixel shows the sky alone", remedy, "no_calibration_source")
        error = float(np.median(1 / np.sqrt(self.weight[known])))
        if error > WORST:
            what = f"its error is {error:.3f} (median over pixels), {WORST} is wanted"
            more = int(np.ceil((error / WORST) ** 2))
            remedy = f"Give about {more} times as many exposures, or brighter ones"
            raise Rejected("the flat", what, remedy, "noisy_flat")
        mean = np.divide(self.total, self.weight, out=np.zeros(known.shape), where=known)
        smooth = gaussian_filter(np.where(known, mean, 0.0), _SMOOTH)
        share = gaussian_filter(known.astype(np.float64), _SMOOTH)
        return np.where(known, mean * share / np.where(known, smooth, 1.0), np.nan), error
