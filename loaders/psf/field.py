"""What a PSF is built from: the pixels of an exposure and the stars in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.psf.model import FloatArray

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StarField:
    """One exposure, or a window of it, and all stars that shine into it.

    Parameters
    ----------
    data
        Shape (ny, nx): surface brightness, any linear unit; fluxes are in the same unit times pixel.
    variance
        Shape (ny, nx): variance of ``data``. Best from a model of the noise: a variance that follows the
        noise of its own pixel biases every flux low.
    usable
        Shape (ny, nx): False where a pixel is saturated, dead or hit. Other values may then be NaN.
    x, y
        Shape (n,): positions in 0-based pixels of ``data``, pixel centres at integers; also of stars outside
        of the window whose wings reach into it.
    flux
        Shape (n,): estimates of the fluxes; those of stars without usable pixels are kept.
    """

    data: FloatArray
    variance: FloatArray
    usable: BoolArray
    x: FloatArray
    y: FloatArray
    flux: FloatArray

    def __post_init__(self) -> None:
        shapes = self.data.shape, self.variance.shape, self.usable.shape
        if len(set(shapes)) != 1 or self.data.ndim != 2:
            raise ValueError(f"data, variance and usable must be images of one shape, got {shapes}")
        sizes = self.x.shape, self.y.shape, self.flux.shape
        if len(set(sizes)) != 1 or self.x.ndim != 1:
            raise ValueError(f"x, y and flux must be vectors of one length, got {sizes}")
        if not (np.isfinite(self.x) & np.isfinite(self.y) & np.isfinite(self.flux)).all():
            raise ValueError("x, y and flux must be finite")
        good = np.isfinite(self.data) & np.isfinite(self.variance) & (self.variance > 0)
        if (self.usable & ~good).any():
            count = int((self.usable & ~good).sum())
            raise ValueError(f"{count} usable pixels have no finite value or no positive variance")

    def noise(self) -> float:
        """Median standard deviation of the usable pixels."""
        return float(np.sqrt(np.median(self.variance[self.usable])))

    def usable_fraction(self, reach: int) -> FloatArray:
        """Share of usable pixels in the square of half-width ``reach`` around each star, shape (n,).

        Zero for a star whose square isn't inside of the image.
        """
        j, i, inside = self.core_pixels(reach)
        return np.asarray(np.where(inside, self.usable[j, i].mean(axis=(1, 2)), 0.0))

    def core_pixels(self, reach: int) -> tuple[IntArray, IntArray, BoolArray]:
        """Pixels of the square of half-width ``reach`` around every star.

        Returns
        -------
        row, column : ndarray
            Shape (n, 1 + 2 reach, 1 + 2 reach), clipped to the image.
        inside : ndarray
            Shape (n,): whether the square lies in the image.
        """
        ny, nx = self.data.shape
        offset = np.arange(-reach, reach + 1)
        j0, i0 = np.round(self.y).astype(np.int64), np.round(self.x).astype(np.int64)
        inside = (j0 >= reach) & (j0 < ny - reach) & (i0 >= reach) & (i0 < nx - reach)
        j = np.clip(j0[:, None, None] + offset[None, :, None], 0, ny - 1)
        i = np.clip(i0[:, None, None] + offset[None, None, :], 0, nx - 1)
        return np.broadcast_arrays(j, i)[0], np.broadcast_arrays(j, i)[1], inside


@dataclass(frozen=True)
class BackgroundGrid:
    """A background that is bilinear between nodes spread over an image.

    Parameters
    ----------
    rows, columns
        Shapes (ny, m_y), (nx, m_x): weight of every node in every row and column.
    """

    rows: FloatArray
    columns: FloatArray

    @classmethod
    def over(cls, shape: tuple[int, ...], spacing: float) -> BackgroundGrid:
        """Nodes about ``spacing`` pixels apart; a single one if the image is smaller than that."""
        return cls(_hat_functions(shape[0], spacing), _hat_functions(shape[1], spacing))

    @property
    def size(self) -> int:
        """Number of nodes."""
        return int(self.rows.shape[1] * self.columns.shape[1])

    def image(self, level: FloatArray) -> FloatArray:
        """The background of node levels, shape (size,), as an image."""
        return np.asarray(self.rows @ level.reshape(self.rows.shape[1], -1) @ self.columns.T)

    def project(self, image: FloatArray) -> FloatArray:
        """The transpose of `image`, shape (size,)."""
        return np.asarray((self.rows.T @ image @ self.columns).ravel())


def _hat_functions(length: int, spacing: float) -> FloatArray:
    """Piecewise linear functions over pixels, shape (length, number of nodes), that sum to one."""
    count = round(length / spacing) + 1 if length >= spacing else 1
    if count == 1:
        return np.ones((length, 1))
    at = np.arange(length) / (length - 1) * (count - 1)
    return np.asarray(np.clip(1 - np.abs(at[:, None] - np.arange(count)), 0, None))
