"""Where places fall in an image whose WCS gives places for pixels, and that WCS in words of FITS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from astropy.wcs.utils import fit_wcs_from_points

from roman_db.vo.shapes import tangent_axes, tangent_plane, unit_vectors

FloatArray = npt.NDArray[np.float64]
#: Gives right ascension and declination (ICRS, deg), shape (n, 2), for pixels counted from 0, shape (n, 2).
ToSky = Callable[[FloatArray], FloatArray]

#: Nodes along an axis at which a WCS is asked.
_NODES = 24
#: Degree of the polynomials from the tangent plane to pixels.
_DEGREE = 5
#: Degrees of SIP polynomials, the first that is good enough is taken; None for a bare tangent plane.
_SIP_DEGREES = (None, 3, 5)
#: Error of a WCS in FITS that is good enough, pixels.
_TOLERANCE = 0.01


class SkyToPixel:
    """Pixels of places on the sky, by polynomials fitted to a WCS, whose own inverse may be missing.

    Parameters
    ----------
    to_sky
        WCS of the image.
    shape
        Its pixels (ny, nx).
    """

    def __init__(self, to_sky: ToSky, shape: tuple[int, int]) -> None:
        pixels = _grid((-0.5, -0.5), (shape[1] - 0.5, shape[0] - 0.5))
        vectors = unit_vectors(to_sky(pixels))
        self._axes = tangent_axes(vectors.mean(axis=0))
        plane, _ = tangent_plane(vectors, self._axes)
        self._scale = float(np.abs(plane).max())
        self._coefficients = np.linalg.lstsq(_terms(plane / self._scale), pixels, rcond=None)[0]

    def __call__(self, places: FloatArray) -> FloatArray:
        """Pixels of places (deg), counted from 0, shape (n, 2); NaN far from the image.

        Beyond three times the reach of the image polynomials say nothing.
        """
        plane, is_near = tangent_plane(unit_vectors(places), self._axes)
        plane /= self._scale
        is_near &= np.hypot(*plane.T) < 3 * np.sqrt(2)
        pixels = np.full(places.shape, np.nan)
        pixels[is_near] = _terms(plane[is_near]) @ self._coefficients
        return pixels


def fits_wcs(to_sky: ToSky, first: tuple[int, int], shape: tuple[int, int]) -> tuple[WCS, float]:
    """WCS in FITS of a part of an image, and by how many pixels it is off at most.

    Parameters
    ----------
    to_sky
        WCS of the image.
    first
        Pixel (x, y) of the image with which the part begins.
    shape
        Pixels (ny, nx) of the part.
    """
    start = np.array(first, dtype=np.float64)
    pixels = _grid((-0.5, -0.5), (shape[1] - 0.5, shape[0] - 0.5))
    places = SkyCoord(to_sky(pixels + start), unit="deg")
    half = np.array([[(shape[1] - 1) / 2, (shape[0] - 1) / 2]])
    middle = SkyCoord(to_sky(start + half), unit="deg")[0]
    error = np.inf
    for degree in _SIP_DEGREES:
        wcs = fit_wcs_from_points(tuple(pixels.T), places, middle, sip_degree=degree)
        found = SkyCoord(*wcs.all_pix2world(*pixels.T, 0), unit="deg")
        scale = np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix))) * u.deg
        error = float((found.separation(places) / scale).to_value(u.one).max())
        if error <= _TOLERANCE:
            break
    return wcs, error


def _grid(low: tuple[float, float], high: tuple[float, float]) -> FloatArray:
    """Nodes between two pixels (x, y), shape (n, 2)."""
    x, y = (np.linspace(low[axis], high[axis], _NODES) for axis in (0, 1))
    return np.stack([one.ravel() for one in np.meshgrid(x, y)], axis=1)


def _terms(plane: FloatArray) -> FloatArray:
    """Products of powers up to the degree, shape (n, terms)."""
    x, y = plane.T
    return np.stack([x**i * y**j for i in range(_DEGREE + 1) for j in range(_DEGREE + 1 - i)], axis=1)
