"""Where the telescope was, and how far a parallax of one moves a star seen from there."""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
import numpy.typing as npt

from loaders.lens.parallax import L2_OVER_SUN, barycentric
from loaders.wfi.times import AU, MJD_ZERO

FloatArray = npt.NDArray[np.float64]

_DAY = 86_400.0
_SUN_GM = 1.327_124_400_18e11  # km³/s², IAU 2009 system of constants


@dataclass(frozen=True)
class Ephemeris:
    """What files say of the telescope's motion, one row an exposure; NaN where a file is not to be believed.

    Parameters
    ----------
    mjd_utc
        Shape (n,): time of the state, MJD UTC.
    position, velocity
        Shape (n, 3): barycentric, ICRS axes, km and km/s.
    """

    mjd_utc: FloatArray
    position: FloatArray
    velocity: FloatArray


def observer_positions(mjd_tdb: FloatArray, ephemeris: Ephemeris) -> FloatArray:
    """Barycentric positions of the telescope at the middle of exposures.

    By the ephemeris of the file where there is one, moved on as `loaders.wfi.times.observatory` does, else at
    the point L2 of Sun and Earth: Roman's orbit about it, of 0.005 au, makes half a per cent of a parallax.

    Parameters
    ----------
    mjd_tdb
        Shape (n,): MJD TDB.
    ephemeris
        Of the same exposures.

    Returns
    -------
    ndarray
        Shape (n, 3): au, ICRS axes.
    """
    place = barycentric(MJD_ZERO + mjd_tdb, L2_OVER_SUN)[0]
    state = np.column_stack([ephemeris.mjd_utc, ephemeris.position, ephemeris.velocity])
    known = np.isfinite(state).all(axis=1)
    if known.any():
        seconds = (mjd_tdb[known] - _tdb(ephemeris.mjd_utc[known]))[:, None] * _DAY
        at = ephemeris.position[known]
        pull = -_SUN_GM * at / np.linalg.norm(at, axis=1, keepdims=True) ** 3
        place[known] = (at + seconds * ephemeris.velocity[known] + seconds**2 / 2 * pull) / AU
    return np.asarray(place)


def _tdb(mjd_utc: FloatArray) -> FloatArray:
    """Modified Julian Dates in TDB of those in UTC."""
    tai = erfa.ufunc.utctai(MJD_ZERO, mjd_utc)[:2]
    tt = erfa.ufunc.taitt(*tai)[:2]
    offset = erfa.ufunc.dtdb(*tt, mjd_utc % 1.0, 0.0, 0.0, 0.0)
    return np.asarray((tt[0] - MJD_ZERO) + (tt[1] + offset / _DAY))


def factor_rows(ra: FloatArray, dec: FloatArray) -> FloatArray:
    """Rows that make parallax factors of an observer's position.

    A star of parallax ϖ seen from the barycentric position b (au) is displaced by ``-ϖ b·p`` east and
    ``-ϖ b·q`` north, where p and q are the unit vectors east and north at its place (Lindegren et al. 2012,
    A&A 538, A78, equation 4, to first order).

    Parameters
    ----------
    ra, dec
        Shape (n,): degrees ICRS.

    Returns
    -------
    ndarray
        Shape (n, 2, 3): ``-p`` and ``-q``.
    """
    alpha, delta = np.radians(ra), np.radians(dec)
    east = np.stack([np.sin(alpha), -np.cos(alpha), np.zeros_like(alpha)], axis=-1)
    north = np.stack([np.sin(delta) * np.cos(alpha), np.sin(delta) * np.sin(alpha), -np.cos(delta)], axis=-1)
    return np.stack([east, north], axis=1)
