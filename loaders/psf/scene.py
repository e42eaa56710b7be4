"""The model of a crowded field: every star with the PSF as far out as it matters, and the background."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import fftconvolve

from loaders.psf.field import IntArray
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import SplinePsf, Stars, draw

_RADII = (4, 6, 9, 12)
"""Half-widths, in pixels, of the squares in which fainter stars are drawn and fitted."""


@dataclass(frozen=True)
class Wings:
    """The PSF beyond the stamp: coarse, wide and not fitted.

    Parameters
    ----------
    psf
        An effective PSF wider than the one that is fitted, of the same flux scale.
    direct
        Star-by-star drawing is for stars that put more than this many standard deviations of noise into a
        pixel beyond the stamp; the wings of the others are drawn by convolution, to half a pixel.
    """

    psf: EffectivePsf
    direct: float = 1.0


def drawing_radii(psf: EffectivePsf, flux: FloatArray, noise: float, depth: float = 0.3) -> IntArray:
    """Half-widths of the squares beyond which stars stay below ``depth`` times the noise of a pixel.

    Parameters
    ----------
    psf
        The effective PSF.
    flux
        Shape (n,): fluxes.
    noise
        Standard deviation of a pixel.
    depth
        Tolerance in units of the noise.

    Returns
    -------
    ndarray
        Shape (n,): one of 4, 6, 9, 12 and the half-width of the PSF.
    """
    half = int(psf.half_width)
    radii = np.array([radius for radius in _RADII if radius < half] + [half])
    peak = np.array([_outside(psf, radius).max() for radius in radii[:-1]])
    bright = np.abs(flux)[:, None] * peak[None, :] > depth * noise
    return np.asarray(radii[bright.sum(axis=1)], dtype=np.int64)


def stars_image(psf: SplinePsf, stars: Stars, shape: tuple[int, ...]) -> FloatArray:
    """Draw stars, each within its radius."""
    image = np.zeros(shape)
    draw(image, psf, stars)
    return image


def wings_image(wings: Wings, stars: Stars, noise: float, shape: tuple[int, ...]) -> FloatArray:
    """Light of stars beyond the radii within which they are drawn, shape ``shape``."""
    image = np.zeros(shape)
    half = int(wings.psf.half_width)
    spline = SplinePsf.of(wings.psf)
    for radius in np.unique(stars.radius):
        outside = _outside(wings.psf, int(radius))
        member = stars.radius == radius
        bright = member & (np.abs(stars.flux) * outside.max() > wings.direct * noise)
        draw(image, spline, _take(stars, bright, half), hole=int(radius))
        faint = _take(stars, member & ~bright, half)
        image += fftconvolve(_deposit(faint, shape, half), outside, mode="valid")
    return image


def enclosed(psf: EffectivePsf, radius: float) -> float:
    """Flux within a square of half-width ``radius`` pixels around a star, mean over nodes and phases."""
    offset = np.abs(np.arange(psf.size) - (psf.size - 1) // 2) / psf.oversampling
    # A pixel counts if its centre is inside, for every phase; grid points on the edge count by half.
    side = np.where(offset < radius - 1e-9, 1.0, np.where(offset < radius + 1e-9, 0.5, 0.0))
    return float((psf.stamps * side[:, None] * side).sum(axis=(-1, -2)).mean()) / psf.oversampling**2


def _outside(psf: EffectivePsf, radius: int) -> FloatArray:
    """The PSF in whole pixels, mean over the nodes, zero within a square."""
    step = psf.oversampling
    middle, half = (psf.size - 1) // 2, int(psf.half_width)
    grid = slice(middle - half * step, middle + half * step + 1, step)
    kernel = psf.stamps.mean(axis=(0, 1))[grid, grid].copy()
    kernel[half - radius : half + radius + 1, half - radius : half + radius + 1] = 0.0
    return np.asarray(kernel)


def _take(stars: Stars, member: np.typing.NDArray[np.bool_], radius: int) -> Stars:
    """Some stars, with one radius for all."""
    chosen = Stars(stars.x[member], stars.y[member], stars.flux[member], stars.radius[member])
    return replace(chosen, radius=np.full(chosen.x.size, radius, dtype=np.int64))


def _deposit(stars: Stars, shape: tuple[int, ...], margin: int) -> FloatArray:
    """Fluxes shared bilinearly among the pixels around each star, on an image with a margin."""
    size = shape[0] + 2 * margin, shape[1] + 2 * margin
    edges = [np.arange(length + 1) - 0.5 - margin for length in size]
    j, i = np.floor(stars.y), np.floor(stars.x)
    v, u = stars.y - j, stars.x - i
    image = np.zeros(size)
    for dj, di, share in ((0, 0, (1 - v) * (1 - u)), (0, 1, (1 - v) * u), (1, 0, v * (1 - u)), (1, 1, v * u)):
        image += np.histogram2d(j + dj, i + di, bins=edges, weights=share * stars.flux)[0]
    return image
