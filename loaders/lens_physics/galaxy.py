"""A simple model of the Galaxy along a line of sight: how many stars are where, and how they move.

Densities are those of Han & Gould (2003, ApJ 592, 172): the barred bulge G2 of Dwek et al. (1995, ApJ 445,
716), as Batista et al. (2011, A&A 529, A102) scale it, and the disc of Zheng et al. (2001, ApJ 555, 393).
Disc stars go about the centre with the dispersions of Zhu et al. (2017, AJ 154, 210); those of the bulge are
at rest on average, with the dispersions of proper motions that Kozłowski et al. (2006, MNRAS 370, 435)
measured. The Sun is where GRAVITY (2019, A&A 625, L10) has it, and moves as Schönrich, Binney & Dehnen (2010,
MNRAS 403, 1829) and Bland-Hawthorn & Gerhard (2016, ARA&A 54, 529) have it. Extinction and the magnitude of
sources do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from astropy import units as u
from astropy.coordinates import ICRS, CartesianRepresentation, Galactic

from loaders.lens_physics.relations import SPEED

FloatArray = npt.NDArray[np.float64]

R_0 = 8.178
"""Distance of the centre, kpc."""

_CIRCULAR = 238.0
"""Velocity of the disc about the centre, km/s."""
_SUN = np.array([11.1, _CIRCULAR + 12.24, 7.25])
"""Velocity of the Sun towards the centre, along rotation and towards the north pole, km/s."""

_BAR_ANGLE = np.radians(20.0)
_BAR_AXES = np.array([1.58, 0.62, 0.43]) * R_0 / 8.5
_BAR_DENSITY = 1.23
"""Solar masses in a cubic parsec at the centre."""
_BULGE_DISPERSION = (116.0, 106.0)
"""Of longitude and latitude, km/s."""

_DISC_DENSITY, _THICK_SHARE = 0.0493, 0.565
_DISC_SCALES = (2.75, 0.270, 0.440)
"""Length, height of the thin and of the thick part, kpc."""
_DISC_DISPERSION = (33.0, 18.0)

_FAR, _STEP = 16.0, 0.01


@dataclass(frozen=True)
class Sightline:
    """A direction.

    Parameters
    ----------
    ra, dec
        Degrees ICRS.
    """

    ra: float
    dec: float

    @cached_property
    def axes(self) -> FloatArray:
        """Unit vectors outwards, north, east, along longitude and latitude, shape (5, 3), Galactic axes."""
        a, d = np.radians(self.ra), np.radians(self.dec)
        outwards = [np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)]
        north = [-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)]
        east = [-np.sin(a), np.cos(a), 0.0]
        out = np.array([outwards, north, east]) @ _icrs_to_galactic().T
        longitude = np.array([-out[0, 1], out[0, 0], 0.0]) / np.hypot(out[0, 0], out[0, 1])
        return np.vstack([out, longitude, np.cross(out[0], longitude)])

    def place(self, distance: FloatArray) -> FloatArray:
        """Places from the Galactic centre, kpc, shape (3, n): away from the Sun, along rotation, north."""
        return np.asarray(self.axes[0][:, None] * distance - np.array([[R_0], [0.0], [0.0]]))

    def bulge(self, distance: FloatArray) -> FloatArray:
        """Density of the bulge, solar masses in a cubic parsec, at distances in kpc, shape (n,)."""
        x, y, z = self.place(distance)
        # The near end of the bar is at positive longitudes.
        along = -x * np.cos(_BAR_ANGLE) + y * np.sin(_BAR_ANGLE)
        across = x * np.sin(_BAR_ANGLE) + y * np.cos(_BAR_ANGLE)
        a, b, c = (one / axis for one, axis in zip((along, across, z), _BAR_AXES, strict=True))
        return np.asarray(_BAR_DENSITY * np.exp(-0.5 * np.sqrt((a**2 + b**2) ** 2 + c**4)))

    def disc(self, distance: FloatArray) -> FloatArray:
        """Density of the disc, solar masses in a cubic parsec, at distances in kpc, shape (n,)."""
        x, y, z = self.place(distance)
        radius = np.hypot(x, y)
        flare = np.maximum(radius / 9.025 + 0.114, 0.670)
        length, thin, thick = _DISC_SCALES
        height = (1 - _THICK_SHARE) / np.cosh(z / (flare * thin)) ** 2
        height = height + _THICK_SHARE * np.exp(-np.abs(z) / (flare * thick))
        return np.asarray(_DISC_DENSITY / flare * np.exp(-(radius - R_0) / length) * height)

    def source_distance(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Distances of sources in the bulge, kpc, shape (n,): as there are stars in a solid angle."""
        grid = np.arange(_STEP, _FAR, _STEP)
        total = np.cumsum(self.bulge(grid) * grid**2)
        return np.asarray(np.interp(rng.uniform(0, total[-1], n), total, grid))

    def motion_density(
        self, lens: FloatArray, source: FloatArray, north: FloatArray, east: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """How probable heliocentric motions of the lens from the source are.

        Parameters
        ----------
        lens, source
            Shape (n,): distances, kpc.
        north, east
            Shape (n,): motion, mas/yr.

        Returns
        -------
        bulge, disc
            Shape (n,): density by north and east, yr²/mas², of lenses in the bulge and in the disc.
        """
        _, to_north, to_east, longitude, latitude = self.axes
        density = np.ones((2, *lens.shape))
        x, y, _ = self.place(lens)
        rotation = _CIRCULAR * np.stack([y, -x, np.zeros(x.shape)]) / np.hypot(x, y)
        for k, axis in enumerate((longitude, latitude)):
            motion = north * (to_north @ axis) + east * (to_east @ axis)
            sun = float(_SUN @ axis)
            from_source = -sun / (SPEED * source)
            spread = (_BULGE_DISPERSION[k] / (SPEED * source)) ** 2
            parts = ((0.0, _BULGE_DISPERSION[k]), (axis @ rotation, _DISC_DISPERSION[k]))
            for part, (mean, sigma) in enumerate(parts):
                variance = spread + (sigma / (SPEED * lens)) ** 2
                off = motion - ((mean - sun) / (SPEED * lens) - from_source)
                density[part] *= np.exp(-0.5 * off**2 / variance) / np.sqrt(2 * np.pi * variance)
        return density[0], density[1]


@lru_cache(maxsize=1)
def _icrs_to_galactic() -> FloatArray:
    """The rotation from ICRS to Galactic axes, shape (3, 3)."""
    unit = CartesianRepresentation(np.eye(3) * u.one)
    return np.asarray(ICRS(unit).transform_to(Galactic()).cartesian.xyz.value)
