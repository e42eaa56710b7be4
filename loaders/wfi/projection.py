"""Pixels to sky and back, fast: the file's WCS as polynomials in the plane that touches the sky.

The file's own transform is sampled once at Chebyshev points of the detector and a margin, in the gnomonic
(tangent) plane at the detector's centre (Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3), where a
polynomial of moderate degree reproduces it to the rounding of the coordinates. The way back starts from a
polynomial of its own and ends with Newton's method, so it is as exact as the way there, at the poles and
where right ascension passes 360° too: between plane and sky all is done with unit vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.wfi import plane_kernels as kernels

FloatArray = npt.NDArray[np.float64]

MARGIN = 100.0
"""Pixels beyond the edge of the detector up to which positions are projected."""

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
        ra, dec = kernels.to_sky(u, v, self.axes, self.forward)
        return ra, dec

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
        u, v = kernels.to_plane(longitude, latitude, self.axes, self.dual, self.forward, self.backward)
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
        return np.asarray(kernels.jacobian(u, v, self.axes, self.forward) / _ARCSEC / np.array([hx, hy]))

    def inside(self, x: FloatArray, y: FloatArray) -> npt.NDArray[np.bool_]:
        """Tell which pixel coordinates lie on a pixel of the detector; NaN does not."""
        ny, nx = self.shape
        return np.asarray((x >= -0.5) & (x < nx - 0.5) & (y >= -0.5) & (y < ny - 0.5))

    def _frame(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return frame(self.shape, self.margin)

    def _normalised(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        (cx, cy), (hx, hy) = self._frame()
        return (x - cx) / hx, (y - cy) / hy


def _columns(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two coordinate columns of one length, as contiguous float64."""
    a = np.ascontiguousarray(first, dtype=np.float64)
    b = np.ascontiguousarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"coordinates must have one shape (n,), got {a.shape} and {b.shape}")
    return a, b


def frame(shape: tuple[int, int], margin: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Centre (x, y) and half widths (x, y), with the margin, of a detector in pixels."""
    ny, nx = shape
    return ((nx - 1) / 2, (ny - 1) / 2), (nx / 2 + margin, ny / 2 + margin)
