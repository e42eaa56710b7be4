"""What photometry takes in: an image with its noise, and a list of stars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.photometry.noise import NoiseModel, estimate_noise
from loaders.psf.model import FloatArray
from loaders.rejection import Rejected

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PixelImage:
    """An image to be photometered.

    Parameters
    ----------
    data
        Shape (ny, nx): rate of each pixel, in the unit in which fluxes are wanted (DN/s). NaN is not used.
    noise
        Variance of the pixels.
    usable
        Shape (ny, nx): pixels that may be used.
    saturated
        Shape (ny, nx): pixels that saturated before the end of the exposure, to flag stars by; a saturated
        pixel counts in the fit if it is usable. None for none.
    origin
        Detector coordinates (x, y) of pixel (0, 0), for the PSF; not (0, 0) for a cut-out.
    name
        What to call the image when it is rejected.
    """

    data: npt.NDArray[np.floating]
    noise: NoiseModel
    usable: BoolArray
    saturated: BoolArray | None = None
    origin: tuple[float, float] = (0.0, 0.0)
    name: str = "image"

    def __post_init__(self) -> None:
        scale = None if np.ndim(self.noise.scale) == 0 else self.noise.scale
        shapes = {np.shape(a) for a in (self.data, self.usable, self.saturated, scale) if a is not None}
        if self.data.ndim != 2 or len(shapes) > 1:
            raise ValueError(f"the arrays of an image must have one 2-D shape, got {sorted(shapes)}")

    @classmethod
    def from_calibrated(
        cls,
        data: npt.NDArray[np.floating],
        err: npt.NDArray[np.floating],
        var_poisson: npt.NDArray[np.floating] | None,
        usable: BoolArray,
        saturated: BoolArray | None = None,
        **others: Any,
    ) -> PixelImage:
        """Take the arrays of a calibrated (Level-2) file and calibrate the noise model with them.

        Parameters
        ----------
        data, err, var_poisson
            Shape (ny, nx), any float type: rate, its standard deviation (0 or not finite where a pixel has
            none), and the part of the variance that photons make (None if unknown).
        usable, saturated
            Shape (ny, nx): pixels that may be used, and those that saturated on the way.
        **others
            ``origin`` and ``name`` of `PixelImage`.

        Raises
        ------
        Rejected
            If no pixel is usable and has a value and an error.
        """
        good = usable & np.isfinite(data) & np.isfinite(err) & (err > 0)
        _require_pixels(good, str(others.get("name", cls.name)))
        noise = estimate_noise(np.where(good, data, np.nan), err, var_poisson)
        return cls(data, noise, good, saturated, **others)

    def good_pixels(self) -> BoolArray:
        """Pixels that are usable and have a value and a variance, shape (ny, nx).

        Raises
        ------
        Rejected
            If there is none.
        """
        good: BoolArray = self.usable & np.isfinite(self.data) & np.isfinite(self.noise.scale)
        _require_pixels(good, self.name)
        return good


def _require_pixels(good: BoolArray, name: str) -> None:
    if not good.any():
        raise Rejected(
            name,
            f"none of its {good.size} pixels is usable, finite and has an error",
            "Check the data quality array, and whether the exposure was saturated or empty",
            "no_usable_pixels",
        )


@dataclass(frozen=True)
class StarList:
    """Stars to be photometered.

    Parameters
    ----------
    x, y
        Shape (n,): positions in 0-based pixels of the image, pixel centres at integers. Stars off the image
        whose light reaches it belong in the list.
    flux_guess
        Shape (n,): flux expected, in the unit of the image; NaN where unknown. None if all are unknown.
    """

    x: FloatArray
    y: FloatArray
    flux_guess: FloatArray | None = None

    def __post_init__(self) -> None:
        guess = self.x if self.flux_guess is None else self.flux_guess
        if not (self.x.ndim == 1 and self.x.shape == self.y.shape == guess.shape):
            shapes = (self.x.shape, self.y.shape, guess.shape)
            raise ValueError(f"x, y and flux_guess must be 1-D and of one length, got {shapes}")
        bad = np.flatnonzero(~(np.isfinite(self.x) & np.isfinite(self.y)))
        if bad.size:
            raise ValueError(f"{bad.size} positions are not finite, the first that of star {bad[0]}")

    @property
    def guess(self) -> FloatArray:
        """Expected fluxes, 0 where unknown, shape (n,)."""
        if self.flux_guess is None:
            return np.zeros(self.x.size)
        return np.asarray(np.where(np.isfinite(self.flux_guess), self.flux_guess, 0.0), dtype=float)
