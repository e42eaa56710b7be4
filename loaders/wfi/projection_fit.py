"""From any transform of pixels to the sky to its fast projection."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from loaders.wfi.projection import SkyProjection, frame

FloatArray = npt.NDArray[np.float64]
SkyTransform = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
Direction = Callable[[FloatArray, FloatArray], FloatArray]

MARGIN = 100.0
"""Pixels beyond the edge of the detector up to which positions are projected."""

_DEGREES = (3, 5, 7, 9, 11, 13)
_ENOUGH = 5e-9  # pixels: the rounding of a right ascension near 360° in double precision is a fifth of it
_TOLERABLE = 1e-4  # pixels: 0.01 mas


def fit_projection(to_sky: SkyTransform, shape: tuple[int, int], margin: float = MARGIN) -> SkyProjection:
    """Make the projection of a detector from any transform of its pixels to the sky.

    Parameters
    ----------
    to_sky
        Maps pixel coordinates (x, y), shape (n,), to right ascension and declination (degrees).
    shape
        Pixels of the detector image (ny, nx).
    margin
        Pixels beyond the edge up to which to project.

    Returns
    -------
    SkyProjection

    Raises
    ------
    ValueError
        If the transform is not finite, not invertible or not smooth.
    """
    center, half = frame(shape, margin)

    def direction(u: FloatArray, v: FloatArray) -> FloatArray:
        ra, dec = to_sky(u * half[0] + center[0], v * half[1] + center[1])
        vectors = unit_vectors(np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64))
        if not np.isfinite(vectors).all():
            raise ValueError("the transform to the sky is not finite")
        return vectors

    axes, dual = _plane(direction)
    best: SkyProjection | None = None
    for degree in _DEGREES:
        forward, backward = _fit(direction, axes, dual, degree)
        error = _largest_error(direction, axes, dual, forward) * max(half)
        if best is None or error < best.error:
            best = SkyProjection(shape, axes, dual, forward, backward, margin, error)
        if error <= _ENOUGH:
            break
    if best is None or best.error > _TOLERABLE:
        raise ValueError("the transform to the sky is not smooth")
    return best


def unit_vectors(ra: FloatArray, dec: FloatArray) -> FloatArray:
    """Unit vectors, shape (n, 3), of positions in degrees."""
    longitude, latitude = np.radians(ra), np.radians(dec)
    across = np.cos(latitude)
    return np.stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=-1)


def _plane(direction: Direction) -> tuple[FloatArray, FloatArray]:
    """Tangent point, the vectors that x and y follow there, and their reciprocals."""
    step = 1e-3
    u = np.array([0.0, step, -step, 0.0, 0.0])
    v = np.array([0.0, 0.0, 0.0, step, -step])
    points = direction(u, v)
    normal = points[0]
    slopes = np.stack([points[1] - points[2], points[3] - points[4]]) / (2 * step)
    slopes -= np.outer(slopes @ normal, normal)
    scales = np.linalg.norm(slopes, axis=1)
    if not np.linalg.norm(np.cross(slopes[0], slopes[1])) > 0.01 * scales.max() ** 2 > 0:
        raise ValueError("the transform to the sky is not invertible")
    return np.vstack([normal, slopes]), np.asarray(np.linalg.pinv(slopes).T)


def _plane_coordinates(vectors: FloatArray, axes: FloatArray, dual: FloatArray) -> FloatArray:
    """Gnomonic coordinates, shape (2, n), of unit vectors in front of the plane."""
    depth = vectors @ axes[0]
    if not (depth > 0).all():
        raise ValueError("the transform to the sky spans more than a hemisphere")
    return np.asarray((dual @ vectors.T) / depth)


def _fit(
    direction: Direction,
    axes: FloatArray,
    dual: FloatArray,
    degree: int,
) -> tuple[FloatArray, FloatArray]:
    """Coefficients of the plane coordinates in pixel coordinates, and the other way round."""
    nodes = np.cos(np.pi * (np.arange(2 * degree + 2) + 0.5) / (2 * degree + 2))
    u, v = (grid.ravel() for grid in np.meshgrid(nodes, nodes))
    s, t = _plane_coordinates(direction(u, v), axes, dual)
    return _polynomials(u, v, (s, t), degree), _polynomials(s, t, (u, v), degree)


def _polynomials(u: FloatArray, v: FloatArray, values: tuple[FloatArray, ...], degree: int) -> FloatArray:
    """Least-squares coefficients, shape (len(values), degree + 1, degree + 1), zero above the degree."""
    i, j = np.nonzero(np.add.outer(np.arange(degree + 1), np.arange(degree + 1)) <= degree)
    terms = np.polynomial.polynomial.polyvander2d(u, v, [degree, degree]).reshape(-1, degree + 1, degree + 1)
    solution = np.linalg.lstsq(terms[:, i, j], np.stack(values, axis=1), rcond=None)[0]
    out = np.zeros((len(values), degree + 1, degree + 1))
    out[:, i, j] = solution.T
    return out


def _largest_error(
    direction: Direction,
    axes: FloatArray,
    dual: FloatArray,
    forward: FloatArray,
) -> float:
    """Largest deviation, in plane coordinates, at points between the samples and on the border."""
    edge = np.linspace(-1, 1, 23)
    u, v = (grid.ravel() for grid in np.meshgrid(edge, edge))
    wanted = _plane_coordinates(direction(u, v), axes, dual)
    got = np.stack([np.polynomial.polynomial.polyval2d(u, v, c) for c in forward])
    return float(np.abs(got - wanted).max())
