"""The response of a detector relative to its sensitivity: by place, by wavelength, and by exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.polynomial.legendre import legval, legval2d

from loaders.spectral_extraction.path import Path
from loaders.spectral_geometry.polynomial import FloatArray

SIDE = 4088
"""Pixels of the side of a detector, over which places run from -1 to 1."""


@dataclass(frozen=True)
class Response:
    """A factor near 1 that a sensitivity has beside its mean.

    Its logarithm is a sum of products of Legendre polynomials of the place of the light on the detector and
    of the wavelength, and of a number for each exposure.

    Parameters
    ----------
    terms
        Shape (p, q, r): ``[i, j, k]`` multiplies Pᵢ(x) Pⱼ(y) Pₖ(λ), with all three from -1 to 1 over the
        detector and the range of wavelengths.
    wavelength_range
        First and last wavelength, µm.
    exposures
        Logarithms of the factors of exposures by the names of their files.
    corner
        Pixel x, y of the detector at which the pixels of paths begin to count.
    grey
        Logarithm of the factor of the exposure whose paths are given.
    """

    terms: FloatArray
    wavelength_range: tuple[float, float]
    exposures: Mapping[str, float] = field(default_factory=dict)
    corner: tuple[int, int] = (0, 0)
    grey: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.wavelength_range
        if self.terms.ndim != 3 or not np.all(np.isfinite(self.terms)) or not low < high:
            raise ValueError("a response must have finite terms of three indices, and a range of wavelengths")

    def on(self, exposure: str, corner: tuple[int, int]) -> Response:
        """The same for paths of an exposure: the name of its file, and where its window begins."""
        return replace(self, corner=corner, grey=self.exposures.get(exposure, 0.0))

    def at(self, steps: Path) -> FloatArray:
        """The factor in the steps of a path."""
        place = steps.x + self.corner[0], steps.y + self.corner[1], steps.wavelength
        return np.asarray(np.exp(self.grey + self.logarithm(*place)))

    def logarithm(self, x: FloatArray, y: FloatArray, wavelength: FloatArray) -> FloatArray:
        """Logarithm at pixels of the detector and wavelengths (µm), without that of an exposure; any shape.

        Beyond the detector and the range it is that of the nearest edge.
        """
        low, high = self.wavelength_range
        colour = np.clip(2 * (wavelength - low) / (high - low) - 1, -1, 1)
        across, along = (np.clip(2 * (one + 0.5) / SIDE - 1, -1, 1) for one in (x, y))
        total = np.zeros(np.broadcast_shapes(across.shape, along.shape, colour.shape))
        for k, order in enumerate(np.eye(self.terms.shape[2])):
            total += legval2d(across, along, self.terms[:, :, k]) * legval(colour, order)
        return total
