"""Pixels to sky and back, fast: the file's WCS as polynomials in the plane that touches the sky.

The file's own transform is sampled once at Chebyshev points of the detector and a margin, in the gnomonic
(tangent) plane at the detector's centre (Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3), where a
polynomial of moderate degree reproduces it to the rounding of the coordinates. The way back starts from a
polynomial of its own and ends with Newton's method, so it is as exact as the way there, at the poles and
where right ascension passes 360° too: between plane and sky all is done with unit vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
SkyTransform = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

MARGIN = 100.0
"""Pixels beyond the edge of the detector up to which positions are projected."""

_DEGREES = (3, 5, 7, 9, 11, 13)
_ENOUGH = 5e-9  # pixels: the rounding of a right ascension near 360° in double precision is a fifth of it
_TOLERABLE = 1e-4  # pixels: 0.01 mas
_MAX_STEPS = 12
_CONVERGED = 1e-13  # of half the detector: below 1e-9 pixels
_ARCSEC = np.pi / 648_000


@dataclass(frozen=True)
class SkyProjection:
    """Projection of a detector onto the sky.

    Pixel coordinates are 0-based with pixel centres at integers, x along columns; sky coordinates are ICRS
    in degrees, right ascension in [0, 360).

    Parameters
    ----------
    shape
        Pixels of the detector image (ny, nx).
    axes
        Shape (3, 3): unit vectors; rows are the centre of the field, and the two directions in the tangent
        plane that x and y follow there, scaled so that a unit is half the detector (radians); not orthogonal.
    dual
        Shape (2, 3): the reciprocal vectors that read the plane coordinates off a vector in the plane.
    forward
        Shape (2, d + 1, d + 1): coefficients, [power of x, power of y], of the plane coordinates in
        pixel coordinates, both in units of half the detector with its margin.
    backward
        Shape (2, d + 1, d + 1): the same of the pixel coordinates in plane coordinates, approximately.
    margin
        Pixels beyond the edge up to which the projection holds.
    error
        Largest deviation from the sampled transform at points between the samples, pixels.
    """

    shape: tuple[int, int]
    axes: FloatArray
    dual: FloatArray
    forward: FloatArray
    backward: FloatArray
    margin: float
    error: float

    @property
    def center(self) -> tuple[float, float]:
        """Right ascension and declination of the middle of the detector, degrees."""
        ny, nx = self.shape
        ra, dec = self.to_sky(np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2]))
        return float(ra[0]), float(dec[0])

    @property
    def pixel_area(self) -> float:
        """Solid angle of the pixel in the middle of the detector, sr; positive."""
        ny, nx = self.shape
        matrix = self.jacobian(np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2]))[0]
        return float(abs(np.linalg.det(matrix)) * _ARCSEC**2)

    def to_sky(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Project pixels onto the sky.

        Parameters
        ----------
        x, y
            Shape (n,): pixel coordinates.

        Returns
        -------
        ra, dec : ndarray
            Shape (n,), degrees; NaN for positions beyond the margin and for NaN.
        """
        u, v = self._normalised(*_columns(x, y))
        return _to_sky(u, v, self.axes, self.forward)

    def to_pixel(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Project positions on the sky onto the detector.

        Parameters
        ----------
        ra, dec
            Shape (n,): degrees; any turn of right ascension.

        Returns
        -------
        x, y : ndarray
            Shape (n,): pixel coordinates; NaN for positions beyond the margin, anywhere on the sky.
        """
        longitude, latitude = _columns(ra, dec)
        u, v = _to_plane(longitude, latitude, self.axes, self.dual, self.forward, self.backward)
        (cx, cy), (hx, hy) = self._frame()
        return u * hx + cx, v * hy + cy

    def jacobian(self, x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
        """Compute how far a step of one pixel leads on the sky.

        Parameters
        ----------
        x, y
            Shape (n,): pixel coordinates.

        Returns
        -------
        ndarray
            Shape (n, 2, 2), arcsec per pixel: rows east (right ascension times cos(dec)) and north, columns
            x and y; NaN beyond the margin. At a pole east is that of the right ascension `to_sky` gives.
        """
        u, v = self._normalised(*_columns(x, y))
        _, (hx, hy) = self._frame()
        return _jacobian(u, v, self.axes, self.forward) / _ARCSEC / np.array([hx, hy])

    def inside(self, x: FloatArray, y: FloatArray) -> npt.NDArray[np.bool_]:
        """Tell which pixel coordinates lie on a pixel of the detector; NaN does not."""
        ny, nx = self.shape
        return np.asarray((x >= -0.5) & (x < nx - 0.5) & (y >= -0.5) & (y < ny - 0.5))

    def _frame(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return _frame(self.shape, self.margin)

    def _normalised(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        (cx, cy), (hx, hy) = self._frame()
        return (x - cx) / hx, (y - cy) / hy


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
    center, half = _frame(shape, margin)

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


def _columns(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two coordinate columns of one length, as contiguous float64."""
    a = np.ascontiguousarray(first, dtype=np.float64)
    b = np.ascontiguousarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"coordinates must have one shape (n,), got {a.shape} and {b.shape}")
    return a, b


def _frame(shape: tuple[int, int], margin: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Centre (x, y) and half widths (x, y), with the margin, of a detector in pixels."""
    ny, nx = shape
    return ((nx - 1) / 2, (ny - 1) / 2), (nx / 2 + margin, ny / 2 + margin)


def _plane(direction: Callable[[FloatArray, FloatArray], FloatArray]) -> tuple[FloatArray, FloatArray]:
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
    direction: Callable[[FloatArray, FloatArray], FloatArray],
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
    direction: Callable[[FloatArray, FloatArray], FloatArray],
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


@numba.njit(cache=True, nogil=True)
def _evaluate(c, u, v):  # type: ignore[no-untyped-def]  # numba infers
    """Value and derivatives of a polynomial of total degree d by Horner's rule, rows first."""
    d = c.shape[0] - 1
    value, by_u, by_v = 0.0, 0.0, 0.0
    for i in range(d, -1, -1):
        row, slope = 0.0, 0.0
        for j in range(d - i, -1, -1):
            slope = slope * v + row
            row = row * v + c[i, j]
        by_u = by_u * u + value
        value = value * u + row
        by_v = by_v * u + slope
    return value, by_u, by_v


@numba.njit(cache=True, nogil=True)
def _inside(u, v):  # type: ignore[no-untyped-def]
    """Whether a point lies within the detector and its margin; rounding at the border does not count."""
    limit = 1.0 + 1e-9
    return abs(u) <= limit and abs(v) <= limit


@numba.njit(cache=True, nogil=True)
def _to_sky(u, v, axes, forward):  # type: ignore[no-untyped-def]
    ra, dec = np.full(u.size, np.nan), np.full(u.size, np.nan)
    for k in range(u.size):
        if not _inside(u[k], v[k]):
            continue
        s, _, _ = _evaluate(forward[0], u[k], v[k])
        t, _, _ = _evaluate(forward[1], u[k], v[k])
        x = axes[0, 0] + s * axes[1, 0] + t * axes[2, 0]
        y = axes[0, 1] + s * axes[1, 1] + t * axes[2, 1]
        z = axes[0, 2] + s * axes[1, 2] + t * axes[2, 2]
        turn = np.degrees(np.arctan2(y, x))
        ra[k] = turn if turn >= 0 else (turn + 360.0) % 360.0
        dec[k] = np.degrees(np.arctan2(z, np.hypot(x, y)))
    return ra, dec


@numba.njit(cache=True, nogil=True)
def _newton(s, t, forward, backward):  # type: ignore[no-untyped-def]
    """Pixel coordinates of a point in the plane; NaN beyond the margin."""
    u, _, _ = _evaluate(backward[0], s, t)
    v, _, _ = _evaluate(backward[1], s, t)
    for _ in range(_MAX_STEPS):
        # A start far outside comes from a point far outside: there the polynomials mean nothing.
        if not (abs(u) < 2.0 and abs(v) < 2.0):
            return np.nan, np.nan
        a, a_u, a_v = _evaluate(forward[0], u, v)
        b, b_u, b_v = _evaluate(forward[1], u, v)
        determinant = a_u * b_v - a_v * b_u
        if determinant == 0.0:
            return np.nan, np.nan
        du = ((s - a) * b_v - (t - b) * a_v) / determinant
        dv = ((t - b) * a_u - (s - a) * b_u) / determinant
        u += du
        v += dv
        if abs(du) < _CONVERGED and abs(dv) < _CONVERGED:
            return (u, v) if _inside(u, v) else (np.nan, np.nan)
    return np.nan, np.nan


@numba.njit(cache=True, nogil=True)
def _to_plane(ra, dec, axes, dual, forward, backward):  # type: ignore[no-untyped-def]
    u, v = np.full(ra.size, np.nan), np.full(ra.size, np.nan)
    for k in range(ra.size):
        longitude, latitude = np.radians(ra[k]), np.radians(dec[k])
        x = np.cos(latitude) * np.cos(longitude)
        y = np.cos(latitude) * np.sin(longitude)
        z = np.sin(latitude)
        depth = x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2]
        if not depth > 0.0:
            continue
        s = (x * dual[0, 0] + y * dual[0, 1] + z * dual[0, 2]) / depth
        t = (x * dual[1, 0] + y * dual[1, 1] + z * dual[1, 2]) / depth
        if abs(s) < 2.0 and abs(t) < 2.0:
            u[k], v[k] = _newton(s, t, forward, backward)
    return u, v


@numba.njit(cache=True, nogil=True)
def _jacobian(u, v, axes, forward):  # type: ignore[no-untyped-def]
    """East and north (radians) per unit of the normalised pixel coordinates, shape (n, 2, 2)."""
    out = np.full((u.size, 2, 2), np.nan)
    for k in range(u.size):
        if not _inside(u[k], v[k]):
            continue
        s, s_u, s_v = _evaluate(forward[0], u[k], v[k])
        t, t_u, t_v = _evaluate(forward[1], u[k], v[k])
        n = axes[0] + s * axes[1] + t * axes[2]
        norm, across = np.sqrt(np.sum(n * n)), np.hypot(n[0], n[1])
        # Right ascension 0 at a pole, where arctan2(0, 0) is 0 too.
        cos_ra, sin_ra = (n[0] / across, n[1] / across) if across > 0 else (1.0, 0.0)
        cos_dec, sin_dec = across / norm, n[2] / norm
        for column in range(2):
            step = (s_u if column == 0 else s_v) * axes[1] + (t_u if column == 0 else t_v) * axes[2]
            along = cos_ra * step[0] + sin_ra * step[1]
            out[k, 0, column] = (cos_ra * step[1] - sin_ra * step[0]) / norm
            out[k, 1, column] = (cos_dec * step[2] - sin_dec * along) / norm
    return out
