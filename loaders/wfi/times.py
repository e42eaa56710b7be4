"""When the light of an exposure passed the barycentre of the solar system.

Three steps: UTC to TDB (ERFA, the implementation of the IAU's SOFA collection; nothing is fetched, Earth
rotation does not enter), the observatory's barycentric position, and the light travel time between
observatory and barycentre for a plane wave, ``r · n / c`` (Eastman, Siverd & Gaudi 2010, PASP 122, 935).

Left out: the curvature of the wave (below 2e-5 s beyond 100 pc), the Shapiro delay (below 2e-5 s more than
50° from the Sun, where Roman looks), and the place of the observatory in TDB - TT (below 1e-3 s at L2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import erfa
import numpy as np
import numpy.typing as npt

from loaders.wfi.metadata import ExposureMetadata

FloatArray = npt.NDArray[np.float64]

SPEED_OF_LIGHT = 299_792.458
"""km/s, exact (SI)."""

AU = 149_597_870.7
"""Astronomical unit in km, exact (IAU 2012 resolution B2)."""

MJD_ZERO = 2_400_000.5
"""Julian Date of MJD 0."""

_DAY = 86_400.0
_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
_SUN_GM = 1.327_124_400_18e11  # km³/s², IAU 2009 system of constants

# Distance of L2 beyond the Earth over the Sun's distance, of the mass of Earth and Moon: the root of
# Lagrange's quintic (Murray & Dermott 1999, Solar System Dynamics, section 3.6).
_L2_OVER_SUN = 0.010_078
_HALO_RADIUS = 1.0e6  # km; Roman's orbit about L2 keeps within 0.8e6 km of it

_HELIOCENTRIC_RANGE = (0.9 * AU, 1.1 * AU)
_GEOCENTRIC_RANGE = (5.0e4, 0.02 * AU)
_LONGEST_EXTRAPOLATION = 1.0  # days
_EXTRAPOLATION_ERROR = 300.0  # km after that time: third derivative of the position, and the planets


@dataclass(frozen=True)
class Observatory:
    """Where the observatory was.

    Parameters
    ----------
    position
        Shape (3,): barycentric, ICRS axes, km.
    source
        ``ephemeris`` (that of the file) or ``sun_earth_l2``.
    error
        Bound of the error that the position leaves in a light travel time, s.
    note
        Why the file's ephemeris was not used; empty if it was.
    """

    position: FloatArray
    source: str
    error: float
    note: str = ""


def mjd_utc(moment: datetime) -> float:
    """Modified Julian Date (UTC) of a time; a day with a leap second is not stretched.

    Raises
    ------
    ValueError
        If the time has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"moment must have a time zone, got {moment}")
    return (moment - _MJD_EPOCH) / timedelta(days=1)


def mjd_tdb(moment: datetime) -> float:
    """Convert a UTC time to a Modified Julian Date in TDB.

    Parameters
    ----------
    moment
        With a time zone. Leap seconds after those that ERFA knows are taken not to occur.

    Returns
    -------
    float
        MJD TDB, to a microsecond.

    Raises
    ------
    ValueError
        If the time has no time zone.
    """
    days = mjd_utc(moment)
    tai = erfa.ufunc.utctai(MJD_ZERO, days)[:2]
    tt = erfa.ufunc.taitt(*tai)[:2]
    offset = erfa.ufunc.dtdb(*tt, days % 1.0, 0.0, 0.0, 0.0)
    return float((tt[0] - MJD_ZERO) + (tt[1] + offset / _DAY))


def observatory(metadata: ExposureMetadata, at_mjd_tdb: float) -> Observatory:
    """Find the observatory at a time: from the file's ephemeris if it can be true, else at L2.

    The ephemeris is used if it is complete, at most a day away from the time, 0.9 to 1.1 au from the
    barycentre and 50,000 km to 0.02 au from the Earth. (Simulators that have none write the Earth's own
    position.)

    Parameters
    ----------
    metadata
        Metadata of the exposure: ``spatial_*`` (km), ``velocity_*`` (km/s), ``ephemeris_time`` (MJD UTC).
    at_mjd_tdb
        Time, MJD TDB.
    """
    state = (metadata.spatial_x, metadata.spatial_y, metadata.spatial_z, metadata.ephemeris_time)
    velocity = (metadata.velocity_x, metadata.velocity_y, metadata.velocity_z)
    if any(value is None for value in state + velocity):
        return sun_earth_l2(at_mjd_tdb, "the file has no ephemeris")
    *place, time = (float(value) for value in state if value is not None)
    elapsed = at_mjd_tdb - mjd_tdb(_MJD_EPOCH + timedelta(days=time))
    if abs(elapsed) > _LONGEST_EXTRAPOLATION:
        return sun_earth_l2(at_mjd_tdb, f"the file's ephemeris is {elapsed:.1f} days away")
    speed = np.array([value for value in velocity if value is not None])
    position = _extrapolated(np.array(place), speed, elapsed * _DAY)
    if fault := _implausible(position, at_mjd_tdb):
        return sun_earth_l2(at_mjd_tdb, f"the file's ephemeris is {fault}")
    error = _EXTRAPOLATION_ERROR * abs(elapsed) ** 3 / SPEED_OF_LIGHT
    return Observatory(position, "ephemeris", error)


def light_travel_time(place: Observatory, ra: npt.ArrayLike, dec: npt.ArrayLike) -> FloatArray:
    """Time by which light of distant sources arrives at the observatory before it passes the barycentre.

    Parameters
    ----------
    place
        The observatory.
    ra, dec
        Shape (n,) or scalars: direction of the sources, degrees ICRS.

    Returns
    -------
    ndarray
        Seconds, to add to the time at the observatory; NaN where a direction is NaN.
    """
    longitude, latitude = np.radians(ra), np.radians(dec)
    x, y, z = place.position
    along = np.cos(latitude) * (x * np.cos(longitude) + y * np.sin(longitude)) + z * np.sin(latitude)
    return np.asarray(along / SPEED_OF_LIGHT)


def bjd_tdb(at_mjd_tdb: float, place: Observatory, ra: npt.ArrayLike, dec: npt.ArrayLike) -> FloatArray:
    """Barycentric Julian Date (TDB) of a time at the observatory.

    Parameters
    ----------
    at_mjd_tdb
        Time at the observatory, MJD TDB.
    place
        The observatory at that time.
    ra, dec
        Shape (n,) or scalars: direction of the sources, degrees ICRS.

    Returns
    -------
    ndarray
        BJD TDB, days; double precision holds it to 4e-5 s.
    """
    return np.asarray(MJD_ZERO + (at_mjd_tdb + light_travel_time(place, ra, dec) / _DAY))


def _extrapolated(position: FloatArray, velocity: FloatArray, seconds: float) -> FloatArray:
    """Move on by velocity and the Sun's gravity, the Sun taken to be at the barycentre (1 % off)."""
    pull = -_SUN_GM * position / np.linalg.norm(position) ** 3
    return np.asarray(position + seconds * velocity + seconds**2 / 2 * pull)


def _earth(at_mjd_tdb: float) -> tuple[FloatArray, FloatArray]:
    """Earth from the Sun and from the barycentre, km (ERFA epv00: 5 km and 14 km at most)."""
    heliocentric, barycentric = erfa.ufunc.epv00(MJD_ZERO, at_mjd_tdb)[:2]
    return np.asarray(heliocentric["p"]) * AU, np.asarray(barycentric["p"]) * AU


def _implausible(position: FloatArray, at_mjd_tdb: float) -> str:
    """Say why a position cannot be that of the observatory; empty if it can."""
    distance = float(np.linalg.norm(position))
    if not _HELIOCENTRIC_RANGE[0] <= distance <= _HELIOCENTRIC_RANGE[1]:
        return f"{distance / AU:.3f} au from the barycentre"
    from_earth = float(np.linalg.norm(position - _earth(at_mjd_tdb)[1]))
    if not _GEOCENTRIC_RANGE[0] <= from_earth <= _GEOCENTRIC_RANGE[1]:
        return f"{from_earth:.0f} km from the Earth"
    return ""


def sun_earth_l2(at_mjd_tdb: float, note: str = "") -> Observatory:
    """Place the observatory at the point L2 of Sun and Earth, about which it moves; ``note`` says why."""
    heliocentric, barycentric = _earth(at_mjd_tdb)
    position = barycentric + _L2_OVER_SUN * heliocentric
    return Observatory(position, "sun_earth_l2", _HALO_RADIUS / SPEED_OF_LIGHT, note)
