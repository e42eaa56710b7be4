"""Where cells are, and how far the red clump is there."""

from __future__ import annotations

from dataclasses import dataclass

import cdshealpix
import numpy as np
import numpy.typing as npt
from astropy import units as u
from astropy.coordinates import SkyCoord

from loaders.extinction.configuration import DistanceValues, RegionValues

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Order of the pixels that are identifiers of objects.
OBJECT_ORDER = 29


@dataclass(frozen=True)
class Cell:
    """A nested HEALPix pixel (ICRS)."""

    order: int
    index: int

    @property
    def first(self) -> int:
        """First pixel of order 29 in it."""
        return self.index << 2 * (OBJECT_ORDER - self.order)

    @property
    def end(self) -> int:
        """First pixel of order 29 after it."""
        return (self.index + 1) << 2 * (OBJECT_ORDER - self.order)

    @property
    def children(self) -> tuple[Cell, Cell, Cell, Cell]:
        """The four cells of the next order in it."""
        a, b, c, d = (Cell(self.order + 1, 4 * self.index + k) for k in range(4))
        return a, b, c, d

    def centre(self) -> tuple[float, float]:
        """Galactic longitude (-180 to 180) and latitude of the centre, degrees."""
        longitude, latitude = galactic_centres(np.array([self.order]), np.array([self.index]))
        return float(longitude[0]), float(latitude[0])


def galactic_centres(order: IntArray, index: IntArray) -> tuple[FloatArray, FloatArray]:
    """Galactic longitudes (-180 to 180) and latitudes of the centres of cells, degrees, shape (n,) each."""
    lon, lat = cdshealpix.healpix_to_lonlat(index.astype(np.uint64), order.astype(np.uint8))
    galactic = SkyCoord(lon, lat, frame="icrs").galactic
    return galactic.l.wrap_at(180 * u.deg).to_value(u.deg), galactic.b.to_value(u.deg)


def is_inside(order: IntArray, index: IntArray, region: RegionValues) -> npt.NDArray[np.bool_]:
    """Whether the centres of cells lie in a region, shape (n,)."""
    longitude, latitude = galactic_centres(order, index)
    inside = (longitude >= region.longitude[0]) & (longitude <= region.longitude[1])
    return np.asarray(inside & (latitude >= region.latitude[0]) & (latitude <= region.latitude[1]))


def distance_modulus(longitude: FloatArray, latitude: FloatArray, distance: DistanceValues) -> FloatArray:
    """Distance modulus (mag) of the clump where the line of sight meets the bar's major axis, shape (n,).

    ``d = R0 sin(alpha) / (sin(alpha + l) cos(b))`` (Nataf et al. 2013, ApJ 769, 88, section 6).

    Parameters
    ----------
    longitude, latitude
        Shape (n,): Galactic, degrees.
    distance
        R0 (kpc) and alpha (degrees).
    """
    angle = np.radians(distance.bar_angle)
    along = np.sin(angle) / (np.sin(angle + np.radians(longitude)) * np.cos(np.radians(latitude)))
    return np.asarray(5 * np.log10(distance.galactic_centre * along) + 10)
