"""Times of light curves from any of the usual systems to BJD and MJD in TDB."""

from __future__ import annotations

import erfa
import numpy as np
import numpy.typing as npt

from loaders.lens.parallax import earth_position, sun_to_earth

FloatArray = npt.NDArray[np.float64]

TIME_SYSTEMS = ("BJD_TDB", "BJD_UTC", "HJD_UTC", "HJD_TDB", "JD_UTC", "JD_TDB", "MJD_UTC", "MJD_TDB")
"""Kind of Julian date and scale. HJD is that of light at the Sun, JD and MJD are those at the Earth."""

MJD_ZERO = 2_400_000.5
FIRST_JD, LAST_JD = 2_447_892.5, 2_473_459.5
"""1990 and 2060, BJD (TDB): a time outside is of another system."""

_LIGHT_AU_PER_DAY = 173.144_632_674


def to_bjd_tdb(time: FloatArray, system: str, ra: npt.ArrayLike, dec: npt.ArrayLike) -> FloatArray:
    """BJD (TDB) of times.

    Light travels as a plane wave (Eastman, Siverd & Gaudi 2010, PASP 122, 935); the observer is taken to be
    at the middle of the Earth, which is good to 0.02 s.

    Parameters
    ----------
    time
        Shape (n,): days, offsets added.
    system
        One of `TIME_SYSTEMS`.
    ra, dec
        Shape (n,) or scalars: direction of the object, degrees ICRS.

    Returns
    -------
    ndarray
        Shape (n,): NaN where a time is NaN, or so far away that no clock was set.
    """
    kind, scale = system.split("_")
    jd = time + MJD_ZERO if kind == "MJD" else np.asarray(time, dtype=np.float64)
    # Where the time is another system's, it is not worth a conversion, which would fail.
    known = np.isfinite(jd) & (jd > FIRST_JD - 100) & (jd < LAST_JD + 100)
    out = np.where(np.isfinite(jd), jd, np.nan)
    if not known.any():
        return out
    tdb = _utc_to_tdb(jd[known]) if scale == "UTC" else jd[known]
    if kind != "BJD":
        direction = _direction(*(np.broadcast_to(np.asarray(x, float), jd.shape)[known] for x in (ra, dec)))
        if kind == "HJD":
            # What light takes from the Earth to the Sun changes by less than 1e-9 d within itself.
            tdb = tdb - _delay(tdb - _delay(tdb, direction, "sun"), direction, "sun")
        tdb = tdb + _delay(tdb, direction, "barycentre")
    out[known] = tdb
    return out


def to_mjd_tdb(bjd_tdb: FloatArray, ra: npt.ArrayLike, dec: npt.ArrayLike) -> FloatArray:
    """MJD (TDB) at the Earth of times BJD (TDB), shape (n,), finite; ra and dec in degrees ICRS."""
    direction = _direction(*(np.broadcast_to(np.asarray(x, float), bjd_tdb.shape) for x in (ra, dec)))
    first = bjd_tdb - _delay(bjd_tdb, direction, "barycentre")
    return np.asarray(bjd_tdb - _delay(first, direction, "barycentre") - MJD_ZERO)


def _direction(ra: FloatArray, dec: FloatArray) -> FloatArray:
    """Unit vectors, shape (n, 3)."""
    return np.asarray(erfa.s2c(np.radians(ra), np.radians(dec)))


def _delay(tdb: FloatArray, direction: FloatArray, target: str) -> FloatArray:
    """Days by which light arrives at the barycentre or the Sun after it passes the Earth."""
    place = earth_position(tdb) if target == "barycentre" else sun_to_earth(tdb)
    return np.asarray(np.einsum("ij,ij->i", place, direction) / _LIGHT_AU_PER_DAY)


def _utc_to_tdb(jd: FloatArray) -> FloatArray:
    """JD (TDB) of JD (UTC); leap seconds after those that ERFA knows are taken not to occur."""
    whole = np.floor(jd)
    tai = erfa.ufunc.utctai(whole, jd - whole)[:2]
    tt = erfa.ufunc.taitt(*tai)[:2]
    # At the middle of the Earth it changes within months, by 2 ms: lines between days are good to 1e-7 s.
    days = np.unique(np.concatenate([whole, whole + 1]))
    offset = np.interp(jd, days, erfa.ufunc.dtdb(days, 0.0, 0.5, 0.0, 0.0, 0.0))
    return np.asarray((tt[0] - whole) + tt[1] + offset / 86_400.0 + whole)
