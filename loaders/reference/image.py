"""The image that the coefficients of a reference say, with its noise.

Its pixels are not values of the spline, whose noise is correlated, but the coefficients of the same function
in the orthonormal splines (Battle 1987, Commun. Math. Phys. 110, 601; Lemarié 1988): with pixels of equal
noise everywhere, the noise of every fine pixel is independent of all others, and photometry on the image with
the PSF of `loaders.reference.psf` is as exact as on all exposures together.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import BSpline
from scipy.ndimage import correlate1d

from loaders.reference.kernels import FloatArray

REACH = 16
"""Fine pixels after which the orthonormal spline has died out."""


def spline_products() -> FloatArray:
    """Scalar products of the cubic B-spline with itself moved by -3 … 3: values of that of degree 7."""
    spline = BSpline.basis_element(np.arange(9.0) - 4, extrapolate=False)
    return np.asarray(spline(np.arange(-3.0, 4.0)))


def filter_of_power(power: float) -> FloatArray:
    """The filter that is, done 1 / power times, that of `spline_products`; shape (2 REACH + 1,)."""
    length = 8 * REACH + 1
    sequence = np.zeros(length)
    sequence[np.arange(-3, 4)] = spline_products()
    out = np.real(np.fft.ifft(np.fft.fft(sequence).real ** power))
    return np.asarray(out[np.arange(-REACH, REACH + 1)])


def filter_of_samples() -> FloatArray:
    """The filter from values of a spline at the pixels to its orthonormal coefficients; shape (2 REACH + 1,).

    That by the root of the values of the spline of degree 7, over that by the values of the spline itself.
    """
    length = 8 * REACH + 1
    values, products = np.zeros(length), np.zeros(length)
    values[np.arange(-1, 2)] = 1 / 6, 2 / 3, 1 / 6
    products[np.arange(-3, 4)] = spline_products()
    both = np.fft.fft(products).real ** 0.5 / np.fft.fft(values).real
    return np.asarray(np.real(np.fft.ifft(both))[np.arange(-REACH, REACH + 1)])


def orthonormal(coefficient: FloatArray) -> FloatArray:
    """Coefficients in orthonormal splines of the function that has given B-spline ones, shape (ny, nx)."""
    out = coefficient
    for axis in (0, 1):
        out = correlate1d(out, filter_of_power(0.5), axis=axis, mode="constant")
    return np.asarray(out)


def spline_coefficients(image: FloatArray) -> FloatArray:
    """B-spline coefficients of the function that has given orthonormal ones; the inverse of `orthonormal`."""
    out = image
    for axis in (0, 1):
        out = correlate1d(out, filter_of_power(-0.5), axis=axis, mode="constant")
    return np.asarray(out)
