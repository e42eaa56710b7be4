"""Stars and galaxies told apart by shape alone.

The statistic asks whether the pixels of a source follow the PSF or a slightly broader profile, as
SExtractor's ``SPREAD_MODEL`` does (Desai et al. 2012, ApJ 757, 83, eq. 3):
``(G.p) / (P.p) - (G.P) / (P.P)``, where p are the pixels, P the PSF at the source's place, G the PSF
convolved with a Gaussian, and the dot a sum weighted by the inverse variance of the sky. Zero for a point
source, positive for what is broader, negative for a pixel that stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array

from loaders.psf.model import EffectivePsf
from loaders.psf.render import SplinePsf, Stars, columns
from loaders.static_catalog.apertures import Plane
from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.image import BoolArray, Float32Array
from loaders.static_catalog.psf_matching import psf_width
from loaders.static_catalog.segments import Int32Array, IntArray

_RADIUS = 4.0
"""Half the side of the square of pixels that count, in dispersions of the PSF."""
_BROADENING = 0.5
"""Dispersion of the Gaussian of the broader profile, in dispersions of the PSF."""
_CHUNK = 5000


@dataclass(frozen=True)
class Extent:
    """How much broader than the PSF sources are, shape (n,); NaN where there is no light to judge by.

    Parameters
    ----------
    spread, spread_err
        The statistic and its standard error.
    """

    spread: FloatArray
    spread_err: FloatArray

    def is_extended(self, limit: float, sigma: float) -> BoolArray:
        """Whether the statistic exceeds a limit by so many errors; False where it is NaN."""
        return np.asarray(self.spread > limit + sigma * self.spread_err)


def measure_extent(
    plane: Plane, sky: Float32Array, psf: EffectivePsf, x: FloatArray, y: FloatArray
) -> Extent:
    """Measure the statistic of each source; source k has the label k + 1.

    Parameters
    ----------
    plane
        The image.
    sky
        Shape (ny, nx): variance of pixels without sources, infinite where they do not count.
    psf
        Effective PSF of the image.
    x, y
        Shape (n,): positions, pixels; NaN gives NaN.
    """
    spread, error = np.full(x.size, np.nan), np.full(x.size, np.nan)
    inverse = np.where(plane.good, 1 / sky, np.float32(0)).astype(float)
    inflate = float(plane.inflation.at(4 * np.pi * psf_width(psf) ** 2))
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    models = SplinePsf.of(psf), SplinePsf.of(broadened(psf, _BROADENING * psf_width(psf)))
    reach = max(round(_RADIUS * psf_width(psf)), 2)
    for begin in range(0, known.size, _CHUNK):
        rows = known[begin : begin + _CHUNK]
        stars = Stars(x[rows], y[rows], np.ones(rows.size), np.full(rows.size, reach))
        spread[rows], error[rows] = _statistic(plane, inverse, models, stars, rows)
    return Extent(spread, error * np.sqrt(inflate))


def _statistic(
    plane: Plane, inverse: FloatArray, models: tuple[SplinePsf, SplinePsf], stars: Stars, rows: IntArray
) -> tuple[FloatArray, FloatArray]:
    """The statistic and its error from the pixels that no other source has."""
    data, variance, weight = (a.ravel().astype(float) for a in (plane.data, plane.variance, inverse))
    labels = plane.labels.ravel()
    p, g = (columns(np.ones(plane.data.shape), model, stars) for model in models)
    p, g = _own_pixels(p, labels, rows), _own_pixels(g, labels, rows)
    noise = weight**2 * variance
    with np.errstate(divide="ignore", invalid="ignore"):
        pp, gp = p.power(2).T @ weight, (p * g).T @ weight
        a, b = g.T @ (weight * data), p.T @ (weight * data)
        var_a, var_b, cov = g.power(2).T @ noise, p.power(2).T @ noise, (p * g).T @ noise
        ratio = a / b
        error = np.sqrt(var_a - 2 * ratio * cov + ratio**2 * var_b) / np.abs(b)
        value = np.where(b > 0, ratio - gp / pp, np.nan)
    return value, np.where(b > 0, error, np.nan)


def _own_pixels(matrix: csc_array, labels: Int32Array, rows: IntArray) -> csc_array:
    """Columns without the pixels that belong to other sources."""
    owner = labels[matrix.indices]
    source = np.repeat(rows + 1, np.diff(matrix.indptr))
    value = np.where((owner == 0) | (owner == source), matrix.data, 0.0)
    return csc_array((value, matrix.indices, matrix.indptr), shape=matrix.shape)


def broadened(psf: EffectivePsf, dispersion: float) -> EffectivePsf:
    """A PSF convolved with a round Gaussian of a dispersion in pixels."""
    frequency = np.fft.fftfreq(psf.size) * psf.oversampling
    square = frequency[:, None] ** 2 + frequency**2
    damped = np.fft.fft2(psf.stamps) * np.exp(-2 * np.pi**2 * dispersion**2 * square)
    return replace(psf, stamps=np.fft.ifft2(damped).real)
