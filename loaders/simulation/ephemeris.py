"""Where the observatory is, and what time it is at the barycentre of the solar system."""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
import numpy.typing as npt
from astropy import constants, units
from astropy.time import Time

FloatArray = npt.NDArray[np.float64]

_AU_KM = constants.au.to_value(units.km)
_DAY_S = 86400.0
_LIGHT_AU_PER_DAY = (constants.c * units.day).to_value(units.au)
L2_DISTANCE = 1.01004
"""Distance of Sun-Earth L2 from the Sun in units of the Earth's: 1 + (m / 3 M)^(1/3), m of Earth and Moon."""


@dataclass(frozen=True)
class ObservatoryState:
    """Barycentric ICRS position (au) and velocity (au/day), each of shape (..., 3)."""

    position: FloatArray
    velocity: FloatArray

    @property
    def position_km(self) -> FloatArray:
        """Position in km."""
        return np.asarray(self.position * _AU_KM)

    @property
    def velocity_km_s(self) -> FloatArray:
        """Velocity in km/s."""
        return np.asarray(self.velocity * _AU_KM / _DAY_S)


def observatory_state(time: Time) -> ObservatoryState:
    """State of a body at Sun-Earth L2 (the halo orbit around it, up to 0.005 au, is left out).

    The Earth is that of ERFA's ``epv00``, the ephemeris built into astropy, good to 14 km.
    """
    tdb = time.tdb
    heliocentric, barycentric = erfa.epv00(tdb.jd1, tdb.jd2)
    beyond = L2_DISTANCE - 1.0
    return ObservatoryState(
        np.asarray(barycentric["p"] + beyond * heliocentric["p"]),
        np.asarray(barycentric["v"] + beyond * heliocentric["v"]),
    )


def barycentric_mjd_tdb(time: Time, ra: float, dec: float) -> FloatArray:
    """MJD (TDB) at which the light arriving at L2 at ``time`` passes the solar-system barycentre.

    Only the Roemer delay (Eastman, Siverd & Gaudi 2010, PASP 122, 935); the Shapiro delay is < 0.1 ms away
    from the Sun.

    Parameters
    ----------
    time
        Any scale, any shape.
    ra, dec
        Direction of the source, deg ICRS.
    """
    direction = np.asarray(erfa.s2c(np.radians(ra), np.radians(dec)))
    delay = observatory_state(time).position @ direction / _LIGHT_AU_PER_DAY
    return np.asarray(time.tdb.mjd + delay)
