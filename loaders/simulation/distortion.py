"""The distortion of a detector: pixels to V2, V3 and back, as polynomials fitted to GalSim's Roman optics."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import lru_cache

import galsim
import galsim.roman
import numpy as np
import numpy.typing as npt

from loaders.simulation.attitude import WFI_CEN_V2, WFI_CEN_V3, Attitude, Pointing
from loaders.simulation.instrument_tables import SCIENCE_PIXELS, detector_number

FloatArray = npt.NDArray[np.float64]

CENTRE = (SCIENCE_PIXELS - 1) / 2
"""The central pixel coordinate of a detector, 0-based, pixel centres at integers."""

_FORWARD_DEGREE = 5
_INVERSE_DEGREE = 7
_F2_FROM_V3 = 120.0
"""Position angle of the focal plane's f2 axis (which points away from the boresight) from V3, deg."""
# GalSim refuses pointings that the Sun forbids; this one is allowed at the vernal equinox.
_REFERENCE = Pointing(90.0, 0.0, -_F2_FROM_V3)
_REFERENCE_DATE = datetime.datetime(2025, 3, 20)


@dataclass(frozen=True)
class Distortion:
    """Polynomials between pixels and V2, V3 of one detector.

    Parameters
    ----------
    v2_ref, v3_ref
        V2, V3 in arcsec of the central pixel.
    forward
        Shape (2, 6, 6): ``forward[k, i, j]`` multiplies ``dx**i * dy**j`` (pixels from the centre) for
        V2 - v2_ref (k = 0) and V3 - v3_ref (k = 1), in arcsec.
    inverse
        Shape (2, 8, 8): the same from arcsec to pixels.
    """

    v2_ref: float
    v3_ref: float
    forward: FloatArray
    inverse: FloatArray

    def to_v(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """V2, V3 in arcsec of detector pixels (0-based), any shape."""
        v2, v3 = _evaluate(self.forward, np.asarray(x, float) - CENTRE, np.asarray(y, float) - CENTRE)
        return v2 + self.v2_ref, v3 + self.v3_ref

    def to_pixel(self, v2: FloatArray, v3: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Detector pixels (0-based) of V2, V3 in arcsec, any shape; good to 1e-9 pixel."""
        dx, dy = _evaluate(self.inverse, np.asarray(v2) - self.v2_ref, np.asarray(v3) - self.v3_ref)
        return dx + CENTRE, dy + CENTRE

    def pixel_area(self, x: float, y: float) -> float:
        """Solid angle in sr of the pixel at a position."""
        at = np.asarray(x - CENTRE, np.float64), np.asarray(y - CENTRE, np.float64)
        along_x = _evaluate(_derivative(self.forward, axis=1), *at)
        along_y = _evaluate(_derivative(self.forward, axis=2), *at)
        square_arcsec = abs(along_x[0] * along_y[1] - along_x[1] * along_y[0])
        _, v3 = self.to_v(np.array(x), np.array(y))
        return float(square_arcsec * np.cos(np.radians(v3 / 3600)) * np.radians(1 / 3600) ** 2)


@lru_cache(maxsize=18)
def distortion(detector: str) -> Distortion:
    """Fit the distortion of a detector to GalSim's TAN-SIP description of it (design of 2021-02-04)."""
    x, y = _grid()
    v2, v3 = _galsim_v(detector, x, y)
    v2_ref, v3_ref = (float(v[v.size // 2]) for v in (v2, v3))
    u, v, dx, dy = v2 - v2_ref, v3 - v3_ref, x - CENTRE, y - CENTRE
    forward = np.stack([_fit(dx, dy, values, _FORWARD_DEGREE) for values in (u, v)])
    # The inverse is fitted to the forward polynomial, not to GalSim, so that the two agree with each other.
    u, v = _evaluate(forward, dx, dy)
    inverse = np.stack([_fit(u, v, values, _INVERSE_DEGREE) for values in (dx, dy)])
    return Distortion(v2_ref, v3_ref, forward, inverse)


def _grid() -> tuple[FloatArray, FloatArray]:
    """Chebyshev-like grid over the detector and 20 pixels beyond; its middle element is the centre."""
    nodes = CENTRE + (CENTRE + 20.0) * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 41))
    x, y = np.meshgrid(nodes, nodes)
    return x.ravel(), y.ravel()


def _galsim_v(detector: str, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    degrees = galsim.degrees
    number = detector_number(detector)
    wcs = galsim.roman.getWCS(
        galsim.CelestialCoord(_REFERENCE.ra * degrees, _REFERENCE.dec * degrees),
        PA=(_REFERENCE.roll + _F2_FROM_V3) * degrees,
        PA_is_FPA=True,
        SCAs=[number],
        date=_REFERENCE_DATE,
    )[number]
    ra, dec = wcs.xyToradec(x + 1.0, y + 1.0, units=degrees)
    return Attitude.pointed(_REFERENCE, WFI_CEN_V2, WFI_CEN_V3).to_v(ra, dec)


def _fit(x: FloatArray, y: FloatArray, values: FloatArray, degree: int) -> FloatArray:
    """Least-squares coefficients [i, j] of x**i y**j with i + j <= degree."""
    scale_x, scale_y = np.abs(x).max(), np.abs(y).max()
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    design = np.stack([(x / scale_x) ** i * (y / scale_y) ** j for i, j in powers], axis=1)
    solution = np.linalg.lstsq(design, values, rcond=None)[0]
    coefficients = np.zeros((degree + 1, degree + 1))
    for (i, j), value in zip(powers, solution, strict=True):
        coefficients[i, j] = value / scale_x**i / scale_y**j
    return coefficients


def _derivative(coefficients: FloatArray, axis: int) -> FloatArray:
    return np.asarray(np.polynomial.polynomial.polyder(coefficients, axis=axis), dtype=np.float64)


def _evaluate(coefficients: FloatArray, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    first, second = (np.asarray(np.polynomial.polynomial.polyval2d(x, y, c)) for c in coefficients)
    return first, second
