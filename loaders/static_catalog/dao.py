"""Sharpness and roundness of DAOFIND (Stetson 1987, PASP 99, 191), at places that are known already."""

from __future__ import annotations

import numpy as np

from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.image import Float32Array
from loaders.static_catalog.segments import IntArray

_SIGMAS = 1.5
"""Radius of the kernel in dispersions; it reaches at least two pixels."""


def density_kernel(fwhm: float) -> tuple[FloatArray, FloatArray]:
    """Gaussian lowered to a sum of zero, whose convolution is the height of a star, and the pixels it has.

    Parameters
    ----------
    fwhm
        Full width at half maximum in pixels.

    Returns
    -------
    kernel, mask : ndarray
        Shape (n, n), n odd; the mask is 1 within the radius, 0 beyond.
    """
    sigma = fwhm / 2.3548200450309493
    radius = max(2.0, _SIGMAS * sigma)
    half = int(radius)
    offset = np.arange(-half, half + 1)
    square = offset[:, None] ** 2 + offset**2
    gauss = np.exp(-square / (2 * sigma**2))
    mask = ((square / (2 * sigma**2) <= 0.5 * _SIGMAS**2) | (square <= 4)).astype(float)
    number = mask.sum()
    inner = gauss * mask
    scale = (inner**2).sum() - inner.sum() ** 2 / number
    return (inner - inner.sum() / number) / scale * mask, mask


def sharpness_and_roundness(
    data: Float32Array, x: FloatArray, y: FloatArray, fwhm: float
) -> tuple[FloatArray, FloatArray]:
    """Sharpness, and the roundness by symmetry (``roundness1``), of each source.

    Sharpness is the height of the pixel of the source above the mean of the others under the kernel, over the
    height of the star that the convolved image has there. Roundness compares the light of the convolved
    image in opposite quadrants, after Stetson; zero for what is round.

    Parameters
    ----------
    data
        Shape (ny, nx): image without background.
    x, y
        Shape (n,): positions, 0-based pixels.
    fwhm
        Of the PSF in pixels.

    Returns
    -------
    Shape (n,) each; NaN near the edges, without a place and without light.
    """
    kernel, mask = density_kernel(fwhm)
    half = kernel.shape[0] // 2
    ny, nx = data.shape
    column, row = (np.rint(np.nan_to_num(v, nan=-1e6)).astype(np.int64) for v in (x, y))
    inside = (column >= 2 * half) & (column < nx - 2 * half) & (row >= 2 * half) & (row < ny - 2 * half)
    sharpness, roundness = np.full(x.size, np.nan), np.full(x.size, np.nan)
    if inside.any():
        cut = _cutouts(data, row[inside], column[inside], 2 * half)
        smooth = _convolved(cut, kernel)
        sharpness[inside] = _sharpness(cut[:, half:-half, half:-half], smooth[:, half, half], mask)
        roundness[inside] = _roundness(smooth)
    return sharpness, roundness


def _cutouts(data: Float32Array, row: IntArray, column: IntArray, half: int) -> FloatArray:
    """Squares around pixels, shape (n, 2 half + 1, 2 half + 1)."""
    offset = np.arange(-half, half + 1)
    cut = data[row[:, None, None] + offset[:, None], column[:, None, None] + offset]
    return np.asarray(cut, dtype=float)


def _convolved(cut: FloatArray, kernel: FloatArray) -> FloatArray:
    """Squares convolved with a symmetric kernel where it fits, shape (n, size of the kernel, same)."""
    windows = np.lib.stride_tricks.sliding_window_view(cut, kernel.shape, axis=(1, 2))
    return np.asarray(np.einsum("nyxvu,vu->nyx", windows, kernel))


def _sharpness(cut: FloatArray, height: FloatArray, mask: FloatArray) -> FloatArray:
    half = mask.shape[0] // 2
    around = mask.copy()
    around[half, half] = 0
    mean = np.einsum("nyx,yx->n", cut, around) / around.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(height > 0, (cut[:, half, half] - mean) / height, np.nan))


def _roundness(smooth: FloatArray) -> FloatArray:
    """Twice the sum of quadrants with signs over the sum of absolutes; the middle does not count."""
    half = smooth.shape[1] // 2
    values = smooth.copy()
    values[:, half, half] = 0
    quadrants = (
        values[:, : half + 1, half + 1 :],
        values[:, :half, : half + 1],
        values[:, half:, :half],
        values[:, half + 1 :, half:],
    )
    signed = [q.sum(axis=(1, 2)) for q in quadrants]
    total = np.abs(values).sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2 * (-signed[0] + signed[1] - signed[2] + signed[3]) / total)
