"""Where the points of one image lie in another: smooth maps between the pixels of two images of the sky."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial.polynomial import polyval2d, polyvander2d

FloatArray = npt.NDArray[np.float64]
PixelTransform = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

_DEGREES = (1, 3, 5, 7)
_ENOUGH = 1e-5
"""Error in pixels at which a polynomial is exact enough: 0.001 mas."""

_TOLERABLE = 1e-3
"""Error in pixels above which a map is said not to be smooth."""


@dataclass(frozen=True)
class Placement:
    """A map from the pixels of one image to those of another, as polynomials.

    Parameters
    ----------
    centre, half
        Middle and half widths (x, y), pixels of the image that it maps from: coordinates are scaled by them.
    forward
        Shape (2, d + 1, d + 1): coefficients, [power of x, power of y], of x and y in the other image.
    error
        Largest deviation from the transform that the polynomials were fitted to, pixels of the other image.
    """

    centre: tuple[float, float]
    half: tuple[float, float]
    forward: FloatArray
    error: float

    def __call__(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Map pixel coordinates, any shape, to those in the other image."""
        u, v = (x - self.centre[0]) / self.half[0], (y - self.centre[1]) / self.half[1]
        return polyval2d(u, v, self.forward[0]), polyval2d(u, v, self.forward[1])

    def jacobian(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Derivatives of the map, shape (n, 2, 2): rows x, y in the other image, columns x, y in this one."""
        u, v = (x - self.centre[0]) / self.half[0], (y - self.centre[1]) / self.half[1]
        out = np.empty((np.size(x), 2, 2))
        for row, coefficient in enumerate(self.forward):
            for axis in (0, 1):
                slope = np.polynomial.polynomial.polyder(coefficient, axis=axis)
                out[:, row, axis] = polyval2d(u, v, slope) / self.half[axis]
        return out

    def grid(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Map the points of a grid of columns x, shape (m,), and rows y, shape (n,); shapes (n, m)."""
        u, v = (x - self.centre[0]) / self.half[0], (y - self.centre[1]) / self.half[1]
        degree = self.forward.shape[-1] - 1
        columns = np.vander(u, degree + 1, increasing=True)
        rows = np.vander(v, degree + 1, increasing=True)
        return rows @ self.forward[0].T @ columns.T, rows @ self.forward[1].T @ columns.T


def same_place() -> Placement:
    """Map of an image onto itself."""
    forward = np.zeros((2, 2, 2))
    forward[0, 1, 0] = forward[1, 0, 1] = 1.0
    return Placement((0.0, 0.0), (1.0, 1.0), forward, 0.0)


def fit_placement(
    transform: PixelTransform, low: tuple[float, float], high: tuple[float, float]
) -> Placement:
    """Fit polynomials to a transform of pixels into pixels over a rectangle.

    Parameters
    ----------
    transform
        Maps x and y, shape (n,), to those in the other image.
    low, high
        Least and largest (x, y) of the rectangle.

    Returns
    -------
    Placement

    Raises
    ------
    ValueError
        If the transform is not finite or not smooth there.
    """
    centre = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
    half = (max((high[0] - low[0]) / 2, 1.0), max((high[1] - low[1]) / 2, 1.0))
    best: Placement | None = None
    for degree in _DEGREES:
        placement = _fit(transform, centre, half, degree)
        if best is None or placement.error < best.error:
            best = placement
        if best.error <= _ENOUGH:
            return best
    assert best is not None
    if not best.error <= _TOLERABLE:
        raise ValueError(f"the map between the images is not smooth: it is off by {best.error:.2g} pixels")
    return best


def _fit(
    transform: PixelTransform, centre: tuple[float, float], half: tuple[float, float], degree: int
) -> Placement:
    """Polynomials of one degree, fitted at Chebyshev points and judged between them and at the border."""
    nodes = np.cos(np.pi * (np.arange(2 * degree + 2) + 0.5) / (2 * degree + 2))
    u, v = (grid.ravel() for grid in np.meshgrid(nodes, nodes))
    wanted = np.stack(transform(u * half[0] + centre[0], v * half[1] + centre[1]), axis=1)
    if not np.isfinite(wanted).all():
        raise ValueError("the map between the images is not finite: they may not overlap")
    i, j = np.nonzero(np.add.outer(np.arange(degree + 1), np.arange(degree + 1)) <= degree)
    terms = polyvander2d(u, v, [degree, degree]).reshape(-1, degree + 1, degree + 1)
    forward = np.zeros((2, degree + 1, degree + 1))
    forward[:, i, j] = np.linalg.lstsq(terms[:, i, j], wanted, rcond=None)[0].T
    edge = np.linspace(-1, 1, 2 * degree + 3)
    x, y = (grid.ravel() for grid in np.meshgrid(edge * half[0] + centre[0], edge * half[1] + centre[1]))
    fitted = Placement(centre, half, forward, np.nan)
    error = float(np.abs(np.stack(fitted(x, y)) - np.stack(transform(x, y))).max())
    return Placement(centre, half, forward, error)
