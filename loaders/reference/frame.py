"""The pixels of a reference image: a fine grid in the plane that touches the sky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from loaders.wfi.projection import SkyProjection
from loaders.wfi.projection_fit import fit_projection

FloatArray = npt.NDArray[np.float64]

_ARCSEC = np.pi / 648_000

BORDER = 4
"""Detector pixels around the outermost exposures."""

_CUT_OFF = 2.36 / (206_265 / 0.11)
"""Wavelength (m) of which 2.36 m pass one wave in a pixel of 0.11 arcsec, and more of shorter ones."""

_FINEST = 3
"""Fine pixels of the finest grid per detector pixel, along an axis."""

_ON_PIXEL = 0.25
"""Detector pixels off those of an exposure up to which a frame as coarse shows all that they do."""

_STILL = 0.1
"""Spread in detector pixels, standard deviation, below which exposures are not dithered."""

FEWEST_JUDGED = 2
"""Exposures per fine pixel of a detector pixel from which one of them can be told from the others."""


@dataclass(frozen=True)
class ReferenceFrame:
    """A gnomonic frame (Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3) with square-ish fine pixels.

    Parameters
    ----------
    ra, dec
        Point in degrees ICRS where the plane touches the sky: the middle of the image.
    matrix
        Shape (2, 2): arcsec east (first row) and north (second row) per fine pixel along x and y. The axes
        are those of the detector, so that the PSF is not turned and dithers are whole steps along them.
    shape
        Fine pixels (ny, nx).
    oversampling
        Fine pixels per detector pixel along an axis.
    """

    ra: float
    dec: float
    matrix: FloatArray
    shape: tuple[int, int]
    oversampling: int

    @property
    def middle(self) -> tuple[float, float]:
        """Pixel coordinates (x, y) of the middle of the image."""
        return (self.shape[1] - 1) / 2, (self.shape[0] - 1) / 2

    @property
    def pixel_scale(self) -> float:
        """Side of a square of the area of a fine pixel, arcsec."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))

    @cached_property
    def projection(self) -> SkyProjection:
        """Fine pixels to sky and back."""
        return fit_projection(self.to_sky, self.shape)

    def to_sky(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Right ascension and declination, degrees, of fine pixels, shape (n,)."""
        plane = self.matrix @ np.stack([x - self.middle[0], y - self.middle[1]]) * _ARCSEC
        radial, east, north = sky_axes(self.ra, self.dec)
        vector = radial[:, None] + east[:, None] * plane[0] + north[:, None] * plane[1]
        ra = np.degrees(np.arctan2(vector[1], vector[0])) % 360.0
        return ra, np.degrees(np.arctan2(vector[2], np.hypot(vector[0], vector[1])))


def choose_oversampling(wavelength: float, phases: FloatArray) -> int:
    """Fine pixels per detector pixel along an axis.

    Two hold the frequencies that pass through square pixels and a telescope that resolves a pixel; at
    shorter wavelengths it passes more, and three are needed. They can be told from one another only if the
    dithers put pixels into each of the nine. Where all exposures lie in one place of a pixel, along either
    axis, nothing between their pixels can be told at all: one.

    Parameters
    ----------
    wavelength
        Of the optical element, µm.
    phases
        Shape (n, 2): where in their pixels the exposures have one point of the sky, within 0 and 1.
    """
    cell = np.minimum((phases * _FINEST).astype(np.int64), _FINEST - 1) @ (_FINEST, 1)
    if not all(is_dithered(phases)):
        return 1
    filled = np.bincount(cell, minlength=_FINEST**2) >= FEWEST_JUDGED
    return _FINEST if wavelength < 1e6 * _CUT_OFF and filled.all() else 2


def is_dithered(phases: FloatArray) -> tuple[bool, bool]:
    """Whether the middle of the pixels is seen in several places along x and y, a tenth of a pixel apart."""
    together = np.abs(np.exp(2j * np.pi * phases).mean(axis=0))
    along_x, along_y = together <= np.cos(2 * np.pi * _STILL)
    return bool(along_x), bool(along_y)


def phases_of(projections: Sequence[SkyProjection]) -> FloatArray:
    """Where in their pixels exposures have the point that is in the middle of the first, shape (n, 2).

    Those that are so far off that their WCS has no place for it are left out.
    """
    ra, dec = (np.array([value]) for value in projections[0].center)
    place = np.array([np.concatenate(projection.to_pixel(ra, dec)) for projection in projections])
    return np.asarray((place[np.isfinite(place).all(axis=1)] + 0.5) % 1.0)


def choose_frame(projections: Sequence[SkyProjection], oversampling: int) -> ReferenceFrame:
    """Choose the frame that holds the exposures, along the axes of the first.

    Where nothing is dithered it lies on its pixels: half a pixel off, splines can't show what alternates from
    pixel to pixel. An exposure that overlaps no other is left out, unless all are such: its WCS may be wrong
    by minutes of arc, and the pixels between would not fit into memory.

    Parameters
    ----------
    projections
        Projections of the exposures, at least one.
    oversampling
        Fine pixels per detector pixel along an axis, at least 1.
    """
    if oversampling < 1:
        raise ValueError(f"oversampling must be at least 1, got {oversampling}")
    first = projections[0]
    ra, dec = first.center
    ny, nx = first.shape
    matrix = first.jacobian(np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2]))[0] / oversampling
    touching = ReferenceFrame(ra, dec, matrix, (1, 1), oversampling)
    corners = np.stack([_corners(touching, projection) for projection in projections])
    low, high = _extent(corners.min(axis=1), corners.max(axis=1))
    border = BORDER * oversampling
    shape = (int(np.ceil(high[1] - low[1])) + 2 * border, int(np.ceil(high[0] - low[0])) + 2 * border)
    # Steps from the middle of the first exposure to its first fine pixel; those of the frame to its middle.
    corner = (1 - oversampling * np.array([nx, ny])) / 2
    middle = (np.array(shape[::-1]) - 1) / 2
    middle_of_all = (low + high) / 2
    aligned = np.rint(middle_of_all - middle - corner) + corner + middle
    x, y = np.where(is_dithered(phases_of(projections)), middle_of_all, aligned)
    centre_ra, centre_dec = touching.to_sky(np.array([x]), np.array([y]))
    here, there = sky_axes(ra, dec), sky_axes(float(centre_ra[0]), float(centre_dec[0]))
    # East and north point elsewhere at the new centre: near a pole that is a turn.
    turn = np.array([[there[a] @ here[b] for b in (1, 2)] for a in (1, 2)])
    return ReferenceFrame(float(centre_ra[0]), float(centre_dec[0]), turn @ matrix, shape, oversampling)


def _extent(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Extent, shape (2,), of boxes of shape (n, 2) that overlap another; of all if none does."""
    apart = (low[:, None] >= high[None]) | (high[:, None] <= low[None])
    overlaps = (~apart.any(axis=2)).sum(axis=1) > 1
    kept = overlaps if overlaps.any() else np.ones(len(low), dtype=bool)
    return low[kept].min(axis=0), high[kept].max(axis=0)


def on_pixels_of(frame: ReferenceFrame, projection: SkyProjection) -> bool:
    """Whether pixels of a frame as coarse as the detector lie on those of an exposure, to a quarter."""
    x, y = ((length - 1) // 2 for length in projection.shape[::-1])
    sky = projection.to_sky(np.array([float(x)]), np.array([float(y)]))
    u = np.concatenate(frame.projection.to_pixel(*sky))
    return bool((np.abs(u - np.rint(u)) < _ON_PIXEL).all())


def sky_axes(ra: float, dec: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Unit vectors towards a point of the sky, and east and north of it."""
    a, d = np.radians(ra), np.radians(dec)
    radial = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    east = np.array([-np.sin(a), np.cos(a), 0.0])
    return radial, east, np.cross(radial, east)


def _corners(frame: ReferenceFrame, projection: SkyProjection) -> FloatArray:
    """Fine pixels, relative to the tangent point, of points along the border of an exposure, shape (n, 2)."""
    ny, nx = projection.shape
    along_x, along_y = np.linspace(-0.5, nx - 0.5, 9), np.linspace(-0.5, ny - 0.5, 9)
    x, y = (grid.ravel() for grid in np.meshgrid(along_x, along_y))
    ra, dec = (np.radians(v) for v in projection.to_sky(x, y))
    vector = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    radial, east, north = sky_axes(frame.ra, frame.dec)
    plane = np.stack([east @ vector, north @ vector]) / (radial @ vector) / _ARCSEC
    return np.asarray(np.linalg.solve(frame.matrix, plane).T)
