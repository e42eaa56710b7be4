"""Expected images: point sources at exact sub-pixel places with all of their wings, and galaxies."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import cropped
from loaders.psf.render import SplinePsf, Stars, draw

FloatArray = npt.NDArray[np.float64]

_TAPERS = ((5.0, 8.0, 0.01), (12.0, 15.0, 0.05))
"""For ever brighter stars: radii in pixels between which the wings take over from the core, and the brightest
wing pixel, in electrons/s, of a star whose wings are drawn by convolution."""


@dataclass(frozen=True)
class Tier:
    """How stars up to some brightness are drawn: the core at its exact place, the wings by convolution.

    Parameters
    ----------
    core
        The tapered core of the PSF.
    wing
        Shape (n, n): the PSF less its core on the pixel grid.
    limit
        Rate in electrons/s below which a star may be drawn so.
    """

    core: SplinePsf
    wing: FloatArray
    limit: float


@dataclass(frozen=True)
class Renderer:
    """An effective PSF prepared for drawing in a window.

    The brightest stars are drawn whole. Of the others the core is drawn at its exact place; their wings,
    which hardly change within a pixel, are those of the nearest pixels: all wings of a tier are one
    convolution.

    Parameters
    ----------
    whole
        The PSF.
    tiers
        Ways to draw stars that are not so bright, the faintest first.
    """

    whole: SplinePsf
    tiers: tuple[Tier, ...]

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
        tier = np.searchsorted([one.limit for one in self.tiers], np.abs(rate), side="right")
        for number, one in enumerate(self.tiers):
            rows = tier == number
            _draw(image, one.core, x[rows], y[rows], rate[rows])
            if rows.any():
                image += _wings(one.wing, shape, x[rows], y[rows], rate[rows])
        rows = tier == len(self.tiers)
        _draw(image, self.whole, x[rows], y[rows], rate[rows])
        return image


def _draw(image: FloatArray, psf: SplinePsf, x: FloatArray, y: FloatArray, rate: FloatArray) -> None:
    """Draw stars with all of a stamp."""
    draw(image, psf, Stars(x, y, rate, np.full(x.size, stamp_radius(psf))))


def _wings(
    wing: FloatArray, shape: tuple[int, int], x: FloatArray, y: FloatArray, rate: FloatArray
) -> FloatArray:
    """Draw the wings of stars by one convolution."""
    margin = wing.shape[0] // 2
    padded = (shape[0] + 2 * margin, shape[1] + 2 * margin)
    points = _share_among_pixels(padded, x + margin, y + margin, rate)
    return np.asarray(fftconvolve(points, wing, mode="valid"))


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
    radii = [one for one in _TAPERS if one[1] < psf.half_width] or list(_TAPERS[:1])
    tiers = tuple(_tier(shifted, psf.at(*centre), *taper) for taper in radii)
    return Renderer(SplinePsf.of(framed(shifted)), tiers)


def _tier(psf: EffectivePsf, middle_stamp: FloatArray, inner: float, outer: float, peak: float) -> Tier:
    """Split a PSF into a core within some radii and the wings of its stamp in the middle."""
    weight = taper(psf, (inner, outer))
    keep = min(math.ceil(outer), int(psf.half_width))
    core = SplinePsf.of(framed(cropped(replace(psf, stamps=psf.stamps * weight), keep)))
    start = psf.size // 2 % psf.oversampling
    wing = (middle_stamp * (1 - weight))[start :: psf.oversampling, start :: psf.oversampling]
    return Tier(core, wing, peak / max(float(np.abs(wing).max()), 1e-12))


def framed(psf: EffectivePsf) -> EffectivePsf:
    """The PSF with a frame of zeros one grid point wide, so that no pixel is on the outermost grid point."""
    stamps = np.pad(psf.stamps, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return replace(psf, stamps=stamps)


def stamp_radius(psf: SplinePsf) -> int:
    """Whole pixels from the centre of a framed stamp to within its frame."""
    return int((psf.coefficients.shape[-1] - 5) // 2 // psf.oversampling)


def taper(psf: EffectivePsf, radii: tuple[float, float]) -> FloatArray:
    """One within the inner radius, zero beyond the outer one, a smooth step between; shape (size, size)."""
    offset = (np.arange(psf.size) - psf.size // 2) / psf.oversampling
    part = np.clip((np.hypot(offset, offset[:, None]) - radii[0]) / (radii[1] - radii[0]), 0, 1)
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
