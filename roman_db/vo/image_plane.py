"""Where places fall in an image whose WCS gives places for pixels, and that WCS in words of FITS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from astropy.wcs.utils import fit_wcs_from_points

from roman_db.vo.region import unit_vectors

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
        self._axes = _tangent_axes(vectors.mean(axis=0))
        plane, _ = self._plane(vectors)
        self._scale = float(np.abs(plane).max())
        self._coefficients = np.linalg.lstsq(_terms(plane / self._scale), pixels, rcond=None)[0]

    def __call__(self, places: FloatArray) -> FloatArray:
        """Pixels of places (deg), counted from 0, shape (n, 2); NaN far from the image.

        Beyond three times the reach of the image polynomials say nothing.
        """
        plane, is_near = self._plane(unit_vectors(places))
        plane /= self._scale
        is_near &= np.hypot(*plane.T) < 3 * np.sqrt(2)
        pixels: FloatArray = _terms(np.where(is_near[:, None], plane, 0)) @ self._coefficients
        return np.where(is_near[:, None], pixels, np.nan)

    def _plane(self, vectors: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Place in the tangent plane, and whether it is on that half of the sky."""
        east, north, along = (vectors @ self._axes.T).T
        is_near = along > 0.1
        safe = np.where(is_near, along, 1.0)
        return np.stack([east / safe, north / safe], axis=1), is_near


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


def _tangent_axes(middle: FloatArray) -> FloatArray:
    """East, north and the direction of a place, shape (3, 3)."""
    along = middle / np.linalg.norm(middle)
    pole = np.array([0.0, 0.0, 1.0]) if abs(along[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    east = np.cross(pole, along)
    east /= np.linalg.norm(east)
    return np.stack([east, np.cross(along, east), along])


def _terms(plane: FloatArray) -> FloatArray:
    """Products of powers up to the degree, shape (n, terms)."""
    x, y = plane.T
    return np.stack([x**i * y**j for i in range(_DEGREE + 1) for j in range(_DEGREE + 1 - i)], axis=1)
