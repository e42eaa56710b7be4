"""Moments of a PSF or of the image of a star, to fourth order.

Adaptive moments (Bernstein & Jarvis 2002, AJ 123, 583; Hirata & Seljak 2003, MNRAS 343, 459, known as HSM)
use the elliptical Gaussian that matches the image as the weight. Higher moments are taken with the same
weight in the frame in which the adaptive second moments are those of a circle of unit size (Zhang et al.
2023, MNRAS 525, 2441). A pixel grid is a sum of point masses here: for the moments of a star as pixels show
it give its pixels, for those of the PSF free of sampling give the finer grid of an effective PSF.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from loaders.psf.model import EffectivePsf, FloatArray

_ITERATIONS = 200
_TOLERANCE = 1e-10

_REACH = 24
"""Pixels around the middle of a PSF beyond which no weight is left: ten times the width of our PSFs."""


@dataclass(frozen=True)
class Moments:
    """Moments of an image.

    Parameters
    ----------
    x, y
        Centroid, pixels from the origin (that of the PSF, or pixel (0, 0) of an image).
    sigma
        Fourth root of the determinant of the second moments, pixels.
    e1, e2
        Ellipticity ``(Mxx - Myy) / (Mxx + Myy)`` and ``2 Mxy / (Mxx + Myy)``.
    m30, m21, m12, m03
        Standardised third moments, first the power of x. Zero for anything symmetric under a half turn.
    m40, m31, m22, m13, m04
        Standardised fourth moments: of a Gaussian 3/4, 0, 1/4, 0, 3/4 with the adaptive weight, and
        3, 0, 1, 0, 3 without a weight.
    """

    x: float
    y: float
    sigma: float
    e1: float
    e2: float
    m30: float
    m21: float
    m12: float
    m03: float
    m40: float
    m31: float
    m22: float
    m13: float
    m04: float

    def array(self) -> FloatArray:
        """All values in the order of the fields, shape (14,)."""
        return np.array([getattr(self, one.name) for one in fields(self)])


def adaptive_moments(image: FloatArray, step: float = 1.0, guess: float = 1.0) -> Moments:
    """Moments with the elliptical Gaussian weight that matches the image.

    Parameters
    ----------
    image
        Shape (ny, nx): a star without background.
    step
        Distance of the grid points, pixels.
    guess
        Sigma of the first weight, pixels; its first centre is the brightest grid point.

    Returns
    -------
    Moments
        ``x`` and ``y`` from the first grid point.

    Raises
    ------
    ValueError
        If the iteration doesn't converge, as for an image of noise.
    """
    x, y = _axes(image, step)
    j, i = np.unravel_index(int(np.argmax(image)), image.shape)
    centre = np.array([x[0, i], y[j, 0]])
    matrix = np.eye(2) * guess**2
    for _ in range(_ITERATIONS):
        u, v = x - centre[0], y - centre[1]
        weighted = image * _gaussian(u, v, matrix)
        total = weighted.sum()
        if total <= 0:
            break
        shift = np.array([(weighted * u).sum(), (weighted * v).sum()]) / total
        cross = (weighted * u * v).sum()
        second = np.array([[(weighted * u**2).sum(), cross], [cross, (weighted * v**2).sum()]]) / total
        target = 2 * (second - np.outer(shift, shift))
        if np.linalg.det(target) <= 0 or target[0, 0] <= 0:
            break
        change = np.abs(target - matrix).max() / matrix[0, 0] + np.abs(shift).max()
        centre, matrix = centre + 2 * shift, target
        if change < _TOLERANCE:
            return _standardised(
                image * _gaussian(x - centre[0], y - centre[1], matrix), (x, y), centre, matrix
            )
    raise ValueError(f"adaptive moments did not converge, last second moments {matrix.tolist()}")


def aperture_moments(image: FloatArray, radius: float, step: float = 1.0) -> Moments:
    """Moments without a weight within a circle around the centroid.

    Parameters
    ----------
    image
        Shape (ny, nx): a star without background.
    radius
        Radius of the circle, pixels.
    step
        Distance of the grid points, pixels.

    Returns
    -------
    Moments
        ``x`` and ``y`` from the first grid point.
    """
    x, y = _axes(image, step)
    start = adaptive_moments(image, step)
    centre = np.array([start.x, start.y])
    for _ in range(_ITERATIONS):
        inside = np.where(np.hypot(x - centre[0], y - centre[1]) <= radius, image, 0.0)
        new = np.array([(inside * x).sum(), (inside * y).sum()]) / inside.sum()
        settled = np.abs(new - centre).max() < _TOLERANCE
        centre = new
        if settled:
            break
    u, v = x - centre[0], y - centre[1]
    cross = (inside * u * v).sum()
    matrix = np.array([[(inside * u**2).sum(), cross], [cross, (inside * v**2).sum()]]) / inside.sum()
    return _standardised(inside, (x, y), centre, matrix)


def psf_moments(psf: EffectivePsf, x: float, y: float) -> Moments:
    """Adaptive moments of an effective PSF at a detector position, free of sampling, pixel included.

    Returns
    -------
    Moments
        ``x`` and ``y`` from the origin of the PSF.

    Raises
    ------
    ValueError
        If the iteration doesn't converge.
    """
    half = psf.size // 2
    reach = min(half, _REACH * psf.oversampling)
    core = psf.at(x, y)[half - reach : half + reach + 1, half - reach : half + reach + 1]
    moments = adaptive_moments(core, 1 / psf.oversampling)
    origin = reach / psf.oversampling
    return replace(moments, x=moments.x - origin, y=moments.y - origin)


def moment_errors(
    measure: Callable[[FloatArray], Moments],
    image: FloatArray,
    root_covariance: FloatArray,
    generator: np.random.Generator,
    draws: int = 100,
) -> Moments:
    """Standard deviations of moments, from realisations of the noise.

    Parameters
    ----------
    measure
        What measures the moments of an image.
    image
        Shape (ny, nx).
    root_covariance
        Standard deviations, shape (ny, nx), of independent pixels; or a matrix L, shape (ny nx, k), such
        that ``L @ L.T`` is the covariance of the pixels.
    generator
        Source of random numbers.
    draws
        Number of realisations; the errors are good to ``1 / sqrt(2 draws)``.

    Returns
    -------
    Moments
        A standard deviation in each field.
    """
    if root_covariance.shape == image.shape:
        noise = generator.standard_normal((draws, *image.shape)) * root_covariance
    else:
        white = generator.standard_normal((draws, root_covariance.shape[1]))
        noise = (white @ root_covariance.T).reshape(draws, *image.shape)
    values = np.array([measure(image + one).array() for one in noise])
    return Moments(*values.std(axis=0, ddof=1).tolist())


def _axes(image: FloatArray, step: float) -> tuple[FloatArray, FloatArray]:
    """Coordinates of the grid points, shapes (1, nx) and (ny, 1), pixels."""
    ny, nx = image.shape
    return step * np.arange(nx, dtype=np.float64)[None, :], step * np.arange(ny, dtype=np.float64)[:, None]


def _gaussian(u: FloatArray, v: FloatArray, matrix: FloatArray) -> FloatArray:
    """Elliptical Gaussian with unit peak and a given covariance."""
    inverse = np.linalg.inv(matrix)
    exponent = inverse[0, 0] * u**2 + 2 * inverse[0, 1] * u * v + inverse[1, 1] * v**2
    return np.asarray(np.exp(-0.5 * exponent))


def _standardised(
    weighted: FloatArray, axes: tuple[FloatArray, FloatArray], centre: FloatArray, matrix: FloatArray
) -> Moments:
    """Moments of a weighted image in the frame in which ``matrix`` is the unit matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    u, v = axes[0] - centre[0], axes[1] - centre[1]
    p, q = root[0, 0] * u + root[0, 1] * v, root[1, 0] * u + root[1, 1] * v
    total = weighted.sum()
    powers = [(3, 0), (2, 1), (1, 2), (0, 3), (4, 0), (3, 1), (2, 2), (1, 3), (0, 4)]
    higher = [float((weighted * p**a * q**b).sum() / total) for a, b in powers]
    trace = float(np.trace(matrix))
    e1, e2 = float(matrix[0, 0] - matrix[1, 1]) / trace, float(2 * matrix[0, 1]) / trace
    return Moments(float(centre[0]), float(centre[1]), float(np.linalg.det(matrix)) ** 0.25, e1, e2, *higher)
