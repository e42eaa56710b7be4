"""Expected images: point sources at exact sub-pixel places with all of their wings, and galaxies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

from loaders.psf.model import EffectivePsf
from loaders.psf.render import SplinePsf, Stars, draw

FloatArray = npt.NDArray[np.float64]

_TAPER = (5.0, 8.0)
"""Radii in pixels between which the wings of faint stars take over from their cores."""
_FAINT_PEAK = 0.01
"""Brightest wing pixel, in electrons/s, of a star whose wings are drawn by convolution."""


@dataclass(frozen=True)
class Renderer:
    """An effective PSF prepared for drawing in a window.

    Bright stars are drawn whole. The core of a faint star is drawn at its exact place; its wings, which
    hardly change within a pixel, are those of the nearest pixels: all wings together are one convolution.

    Parameters
    ----------
    whole, core
        The PSF and its tapered core.
    wing
        Shape (n, n): the PSF less its core on the pixel grid.
    faint
        Rate in electrons/s below which a star is faint.
    """

    whole: SplinePsf
    core: SplinePsf
    wing: FloatArray
    faint: float

    def stars(self, shape: tuple[int, int], x: FloatArray, y: FloatArray, rate: FloatArray) -> FloatArray:
        """Expected image of stars.

        Parameters
        ----------
        shape
            (height, width) of the image.
        x, y
            Shape (n,): pixels of the window, 0-based; stars outside shine in by their wings.
        rate
            Shape (n,): electrons/s.

        Returns
        -------
        Shape (height, width), electrons/s.
        """
        reach = stamp_radius(self.whole) + 1
        near = (np.minimum(x, y) > -reach) & (x < shape[1] + reach) & (y < shape[0] + reach)
        x, y, rate = x[near], y[near], rate[near]
        image = np.zeros(shape)
        faint = np.abs(rate) < self.faint
        for psf, rows in ((self.core, faint), (self.whole, ~faint)):
            draw(image, psf, Stars(x[rows], y[rows], rate[rows], np.full(rows.sum(), stamp_radius(psf))))
        return image + self._wings(shape, x[faint], y[faint], rate[faint])

    def _wings(self, shape: tuple[int, int], x: FloatArray, y: FloatArray, rate: FloatArray) -> FloatArray:
        margin = self.wing.shape[0] // 2
        padded = (shape[0] + 2 * margin, shape[1] + 2 * margin)
        points = _share_among_pixels(padded, x + margin, y + margin, rate)
        return np.asarray(fftconvolve(points, self.wing, mode="valid"))


def prepare(psf: EffectivePsf, origin: tuple[int, int], centre: tuple[float, float]) -> Renderer:
    """Prepare a PSF for a window.

    Parameters
    ----------
    psf
        Effective PSF in detector coordinates.
    origin
        Detector pixel (x, y) of the window's first pixel.
    centre
        Detector pixel (x, y) at whose PSF the wings of faint stars are taken.
    """
    shifted = replace(psf, x_node=psf.x_node - origin[0], y_node=psf.y_node - origin[1])
    whole = SplinePsf.of(framed(shifted))
    taper = _taper(psf)
    keep = min(int(np.ceil(_TAPER[1])), int(psf.half_width)) * psf.oversampling
    middle = psf.size // 2
    part = slice(middle - keep, middle + keep + 1)
    core = SplinePsf.of(framed(replace(shifted, stamps=(shifted.stamps * taper)[..., part, part])))
    stamp = psf.at(*centre) * (1 - taper)
    start = middle % psf.oversampling
    wing = stamp[start :: psf.oversampling, start :: psf.oversampling]
    return Renderer(whole, core, wing, _FAINT_PEAK / max(float(np.abs(wing).max()), 1e-12))


def at_position(psf: EffectivePsf, x: float, y: float) -> EffectivePsf:
    """The PSF at one place of the detector, serving everywhere."""
    return EffectivePsf(psf.at(x, y)[None, None], psf.oversampling, np.zeros(1), np.zeros(1))


def framed(psf: EffectivePsf) -> EffectivePsf:
    """The PSF with a frame of zeros one grid point wide, so that no pixel is on the outermost grid point."""
    stamps = np.pad(psf.stamps, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return replace(psf, stamps=stamps)


def stamp_radius(psf: SplinePsf) -> int:
    """Whole pixels from the centre of a framed stamp to within its frame."""
    return int((psf.coefficients.shape[-1] - 5) // 2 // psf.oversampling)


def _taper(psf: EffectivePsf) -> FloatArray:
    """One within the inner radius, zero beyond the outer one, a smooth step between; shape (size, size)."""
    offset = (np.arange(psf.size) - psf.size // 2) / psf.oversampling
    part = np.clip((np.hypot(offset, offset[:, None]) - _TAPER[0]) / (_TAPER[1] - _TAPER[0]), 0, 1)
    return np.asarray(1 - part**3 * (10 - 15 * part + 6 * part**2))


def _share_among_pixels(shape: tuple[int, int], x: FloatArray, y: FloatArray, rate: FloatArray) -> FloatArray:
    """Bilinear shares of points in the four pixels around them; points off the grid are dropped."""
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    u, v = x - column, y - row
    image = np.zeros(shape[0] * shape[1])
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = rate * (v if down else 1 - v) * (u if right else 1 - u)
        j, i = row + down, column + right
        inside = (np.minimum(i, j) >= 0) & (j < shape[0]) & (i < shape[1])
        image += np.bincount((j * shape[1] + i)[inside], share[inside], image.size)
    return image.reshape(shape)
