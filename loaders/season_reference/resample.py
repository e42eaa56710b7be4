"""Reference images moved by parts of a pixel.

The pixels of a reference are coefficients ``a`` of orthonormal cubic splines (`loaders.reference.image`). The
function moved by ``d``, projected onto the splines of the grid again, has the coefficients
``b(n) = Σ_m a(m) R(n - m + d)``, where ``R(t) = ∫ φ(u) φ(u + t) du = Σ_j q(j) β⁷(t - j)`` and the filter q is
the inverse of that by the values of β⁷ at integers (Unser 1999, IEEE Signal Process. Mag. 16, 22).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline
from scipy.ndimage import correlate1d

from loaders.reference.image import REACH, filter_of_power
from loaders.reference.kernels import FloatArray

_SPLINE = BSpline.basis_element(np.arange(9.0) - 4, extrapolate=False)


AnyFloat = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Displacement:
    """Where an image shows what another has, both of one shape.

    Parameters
    ----------
    shift
        Shape (2,): pixels (x, y) by which it lies farther in the middle.
    linear
        Shape (2, 2): change of the shift (rows x, y) from the middle to the right edge and to the upper one.
    """

    shift: FloatArray
    linear: FloatArray

    @property
    def most_linear(self) -> float:
        """Largest change of the shift within the image, pixels."""
        return float(np.abs(self.linear).sum(axis=1).max())


def unit_places(length: int) -> FloatArray:
    """Places of pixels from -1 at the first edge to 1 at the last, shape (length,)."""
    return (np.arange(length, dtype=np.float64) - (length - 1) / 2) / max((length - 1) / 2, 0.5)


def shift_filter(distance: float) -> FloatArray:
    """Weights of the pixels -REACH … REACH away in an image moved by a distance in pixels, shape (33,)."""
    return _filter(distance, _SPLINE)


def gradient(image: AnyFloat, axis: int) -> AnyFloat:
    """Derivative of the function along an axis, projected onto the splines, as its coefficients."""
    return np.asarray(correlate1d(image, _filter(0.0, _SPLINE.derivative()), axis=axis, mode="nearest"))


def gradient_noise() -> float:
    """Variance of a derivative of `gradient` where that of all pixels is one."""
    return float((_filter(0.0, _SPLINE.derivative()) ** 2).sum())


def displaced(image: AnyFloat, by: Displacement) -> AnyFloat:
    """The image as it is where its pixels are moved by a displacement, shape (ny, nx), of the type it has.

    The part of the shift that is the same everywhere is exact; that which varies is taken to first order, so
    that it must be small.
    """
    out = image
    for axis in (0, 1):
        out = correlate1d(out, shift_filter(float(by.shift[1 - axis])), axis=axis, mode="nearest")
    if by.linear.any():
        x, y = (unit_places(length).astype(image.dtype) for length in out.shape[::-1])
        slopes = gradient(out, 1), gradient(out, 0)
        for slope, (by_x, by_y) in zip(slopes, by.linear.astype(image.dtype), strict=True):
            out = out + slope * (by_x * x + by_y * y[:, None])
    return np.asarray(out)


def _filter(distance: float, spline: BSpline) -> FloatArray:
    """``R(distance - k)`` of a spline in place of β⁷, for k = -REACH … REACH."""
    k, j = np.arange(-REACH, REACH + 1.0), np.arange(-REACH, REACH + 1.0)
    values = np.nan_to_num(spline(distance - k[:, None] - j))
    return np.asarray(values @ filter_of_power(-1.0))
