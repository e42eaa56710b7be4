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
class Background:
    """Light that isn't in the stamps of stars: bilinear between nodes, plus a multiple of their wings.

    Parameters
    ----------
    rows, columns
        Shapes (ny, m_y), (nx, m_x): weight of every node in every row and column.
    wings
        Shape (ny, nx): light of all stars beyond their stamps as the starting PSF has it; may be zero.
    """

    rows: FloatArray
    columns: FloatArray
    wings: FloatArray

    @classmethod
    def over(cls, wings: FloatArray, spacing: float) -> Background:
        """Nodes about ``spacing`` pixels apart; a single one if the image is smaller than that."""
        return cls(_hat_functions(wings.shape[0], spacing), _hat_functions(wings.shape[1], spacing), wings)

    @property
    def size(self) -> int:
        """Number of levels: those of the nodes, then the factor on the wings."""
        return int(self.rows.shape[1] * self.columns.shape[1]) + 1

    def flat(self, level: float) -> FloatArray:
        """Levels of a constant background and wings as they are."""
        return np.append(np.full(self.size - 1, level), 1.0)

    def image(self, level: FloatArray) -> FloatArray:
        """The background of given levels, shape (size,), as an image."""
        nodes = level[:-1].reshape(self.rows.shape[1], -1)
        return np.asarray(self.rows @ nodes @ self.columns.T + level[-1] * self.wings)

    def project(self, image: FloatArray) -> FloatArray:
        """The transpose of `image`, shape (size,)."""
        return np.append((self.rows.T @ image @ self.columns).ravel(), (self.wings * image).sum())

    def lengths(self, weight: FloatArray) -> FloatArray:
        """Euclidean lengths of the weighted images of unit levels, shape (size,)."""
        nodes = (self.rows**2).T @ weight @ self.columns**2
        return np.asarray(np.sqrt(np.append(nodes.ravel(), (self.wings**2 * weight).sum())))


def _hat_functions(length: int, spacing: float) -> FloatArray:
    """Piecewise linear functions over pixels, shape (length, number of nodes), that sum to one."""
    count = round(length / spacing) + 1 if length >= spacing else 1
    if count == 1:
        return np.ones((length, 1))
    at = np.arange(length) / (length - 1) * (count - 1)
    return np.asarray(np.clip(1 - np.abs(at[:, None] - np.arange(count)), 0, None))
