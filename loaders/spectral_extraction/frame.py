"""A dispersed exposure as arrays, with the noise that a model of it expects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.spectral_geometry.polynomial import FloatArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SpectralFrame:
    """A dispersed exposure.

    Parameters
    ----------
    rate
        Shape (ny, nx): electrons/s.
    read_variance
        Shape (ny, nx): variance without light, (electrons/s)².
    poisson
        Variance in (electrons/s)² that each electron/s brings.
    bad
        Shape (ny, nx): pixels that are not to be used.
    """

    rate: FloatArray
    read_variance: FloatArray
    poisson: float
    bad: BoolArray

    def __post_init__(self) -> None:
        shapes = {self.rate.shape, self.read_variance.shape, self.bad.shape}
        if len(shapes) != 1 or self.rate.ndim != 2:
            raise ValueError(f"rate, read_variance and bad must be images of one shape, got {shapes}")
        if not (np.isfinite(self.poisson) and self.poisson >= 0):
            raise ValueError(f"poisson must be a number >= 0, got {self.poisson}")

    @property
    def usable(self) -> BoolArray:
        """Pixels that are not bad, have a rate, and a variance above 0."""
        variance = np.isfinite(self.read_variance) & (self.read_variance > 0)
        return np.asarray(~self.bad & np.isfinite(self.rate) & variance)

    def variance(self, expected: FloatArray) -> FloatArray:
        """Variance in (electrons/s)² of pixels in which a model expects a rate; not of what was measured.

        What was measured would weigh pixels by their own noise, and all sums would come out too low.
        """
        return self.read_variance + self.poisson * np.maximum(expected, 0.0)

    def without_sky(self, sky: FloatArray, error: FloatArray) -> SpectralFrame:
        """The exposure less a sky (electrons/s), whose photons and whose error stay in its variance."""
        variance = self.read_variance + self.poisson * np.maximum(sky, 0.0) + error**2
        return SpectralFrame(self.rate - sky, variance, self.poisson, self.bad)

    def flattened(self, flat: FloatArray) -> SpectralFrame:
        """The exposure divided by a flat near 1, shape (ny, nx); pixels where it is not above 0 are bad.

        What photons add to the variance stays as it is, to the few percent by which flats differ from 1.
        """
        good = np.isfinite(flat) & (flat > 0)
        divisor = np.where(good, flat, 1.0)
        return SpectralFrame(
            self.rate / divisor, self.read_variance / divisor**2, self.poisson, self.bad | ~good
        )
