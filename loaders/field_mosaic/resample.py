"""A reference image in the pixels of a mosaic.

The image is the function ``F(u, v) = Σ c_km β(u - k) β(v - m)`` with cubic B-splines β: the flux in a
detector pixel that is centred there (`loaders.reference.kernels`). A pixel of the mosaic is its mean over the
square of the pixel, divided by the area of a detector pixel; so the light of a star is what its pixels add up
to. The mean is that of points so dense that their lattice takes nothing which splines can show for light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

from loaders.field_mosaic.grid import Box, FloatArray, MosaicGrid
from loaders.photometry.parallel import Workers, available_threads
from loaders.photometry.psf_table import spline_weights
from loaders.reference.frame import ReferenceFrame
from loaders.reference.image import REACH, filter_of_power
from loaders.reference.product import StoredReference
from roman_db.compiled import compiled

Float32Array = npt.NDArray[np.float32]

MJY_PER_SR = 1e-15 / (np.pi / 648_000) ** 2
"""MJy/sr of one nJy in a square arcsec."""

PLANES = 3
"""Surface brightness, its variance without sources, and what photons of sources add to that."""

_PHASES = 16
"""Steps within a fine pixel in which the noise of a mean is known."""

_DENSE = 1.5
"""Points along an axis of a pixel of the mosaic for each fine pixel."""


@dataclass(frozen=True)
class _Pixel:
    """A pixel of the mosaic in an image.

    Parameters
    ----------
    offset
        Shape (n, 2): fine pixels (x, y) from its middle to its points.
    noise
        Shape (_PHASES + 1, _PHASES + 1): variance of its mean where all fine pixels have a variance of one,
        by where its middle lies between two fine pixels (y, x), see `_noise`.
    """

    offset: FloatArray
    noise: FloatArray


def resample(reference: StoredReference, grid: MosaicGrid, box: Box, out: Float32Array) -> None:
    """Put an image into the pixels of a mosaic.

    Parameters
    ----------
    reference
        The image.
    grid
        The pixels.
    box
        Those that the image touches.
    out
        Filled: shape (PLANES, *box.shape), MJy/sr and its square; NaN in pixels that the image does not see
        as a whole, or with a fine pixel that is not usable.
    """
    image, frame = reference.image, reference.frame
    pixel = _pixel(grid, frame, box)
    common = np.broadcast_to(np.asarray(image.noise.scale, dtype=np.float32), image.data.shape)
    read = np.where(image.usable, common * np.float32(image.noise.read), np.float32(np.nan))
    # Per unit of the function, of which a fine pixel has a share; its mean is less noisy than its pixels.
    photon = common * np.float32(image.noise.poisson / frame.oversampling**2)
    factor = MJY_PER_SR / (frame.pixel_scale * frame.oversampling) ** 2
    with Workers(available_threads()) as workers:
        workers.run(
            _resample,
            box.shape[0],
            (grid.into(frame), (box.top, box.left)),
            (reference.coefficient, read, photon),
            (pixel.offset, pixel.noise),
            factor,
            out,
        )


@compiled()
def _resample(
    begin: int,
    end: int,
    where: tuple[FloatArray, tuple[int, int]],
    image: tuple[FloatArray, Float32Array, Float32Array],
    pixel: tuple[FloatArray, FloatArray],
    factor: float,
    out: Float32Array,
) -> None:
    """Some rows of `resample`."""
    into, (top, left) = where
    coefficient, read, photon = image
    offset, noise = pixel
    ny, nx = coefficient.shape
    for j in range(begin, end):
        for i in range(out.shape[2]):
            x, y = float(left + i), float(top + j)
            w = into[0, 0] + into[0, 1] * x + into[0, 2] * y
            u = (into[1, 0] + into[1, 1] * x + into[1, 2] * y) / w
            v = (into[2, 0] + into[2, 1] * x + into[2, 2] * y) / w
            flux, empty, lit = 0.0, 0.0, 0.0
            for k in range(offset.shape[0]):
                s, t = u + offset[k, 0], v + offset[k, 1]
                if not (0 <= s <= nx - 1 and 0 <= t <= ny - 1):
                    empty = np.nan
                    break
                column, row = int(s + 0.5), int(t + 0.5)
                empty += read[row, column]
                lit += photon[row, column]
                flux += _value(coefficient, s, t)
            n = offset.shape[0]
            if np.isnan(empty):
                out[:, j, i] = np.nan
                continue
            growth = _between(noise, u - np.floor(u), v - np.floor(v)) * factor * factor / n
            out[0, j, i] = flux / n * factor
            out[1, j, i] = empty * growth
            out[2, j, i] = lit * growth * max(flux / n, 0.0)


@compiled()
def _value(coefficient: FloatArray, u: float, v: float) -> float:
    """The function at a place; beyond the edge the last coefficients go on."""
    ny, nx = coefficient.shape
    i, j = int(np.floor(u)), int(np.floor(v))
    along_x, along_y = spline_weights(u - i, 0), spline_weights(v - j, 0)
    total = 0.0
    for m in range(4):
        row, part = min(max(j - 1 + m, 0), ny - 1), 0.0
        for k in range(4):
            part += along_x[k] * coefficient[row, min(max(i - 1 + k, 0), nx - 1)]
        total += along_y[m] * part
    return total


@compiled()
def _between(table: FloatArray, u: float, v: float) -> float:
    """A table over the places 0 to 1 along both axes, linear between its points."""
    s, t = u * (table.shape[1] - 1), v * (table.shape[0] - 1)
    i, j = min(int(s), table.shape[1] - 2), min(int(t), table.shape[0] - 2)
    s, t = s - i, t - j
    low = table[j, i] * (1 - s) + table[j, i + 1] * s
    high = table[j + 1, i] * (1 - s) + table[j + 1, i + 1] * s
    return float(low * (1 - t) + high * t)


def _pixel(grid: MosaicGrid, frame: ReferenceFrame, box: Box) -> _Pixel:
    """A pixel of the mosaic in the middle of an image; over it that changes by less than a thousandth."""
    x, y = (box.left + box.right - 1) / 2, (box.top + box.bottom - 1) / 2
    at = grid.into(frame) @ np.array([[1, 1, 1], [x, x + 1, x], [y, y, y + 1]])
    place = at[1:] / at[0]
    sides = place[:, 1:] - place[:, :1]
    count = max(int(np.ceil(_DENSE * np.linalg.norm(sides, axis=0).max())), 2)
    step = (np.arange(count) + 0.5) / count - 0.5
    points = np.stack([axis.ravel() for axis in np.meshgrid(step, step)])
    offset = np.ascontiguousarray((sides @ points).T)
    return _Pixel(offset, _noise(offset, frame.oversampling))


def _noise(offset: FloatArray, oversampling: int) -> FloatArray:
    """Variance of the mean of the function at points, by where their middle lies; see `_Pixel`.

    The pixels of the image, whose noise is independent, are coefficients of orthonormal splines φ
    (`loaders.reference.image`), in units of which a detector pixel is ``oversampling²`` fine pixels: the mean
    has the weights ``oversampling² mean φ(u - k) φ(v - m)``.
    """
    phase = np.arange(_PHASES + 1) / _PHASES
    n = np.arange(-REACH, REACH + 1.0)
    # φ at (point, phase, pixel) along both axes.
    along_x, along_y = (_orthonormal(offset[:, axis, None, None] + phase[:, None] - n) for axis in (0, 1))
    weight = np.einsum("pam,pbk->abmk", along_y, along_x, optimize=True) / len(offset)
    return np.asarray(oversampling**4 * (weight**2).sum(axis=(2, 3)))


def _orthonormal(t: FloatArray) -> FloatArray:
    """The orthonormal cubic spline, any shape."""
    beta = BSpline.basis_element(np.arange(5.0) - 2, extrapolate=False)
    shift = np.arange(-REACH, REACH + 1.0)
    return np.asarray(np.nan_to_num(beta(t[..., None] - shift)) @ filter_of_power(-0.5))
