"""Positions of stars at the epoch of an exposure: proper motion and annual parallax."""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
import numpy.typing as npt
from astropy.time import Time

from loaders.simulation.ephemeris import observatory_state

FloatArray = npt.NDArray[np.float64]

_MAS = np.pi / 180 / 3600 / 1000


@dataclass(frozen=True)
class Astrometry:
    """Barycentric catalog positions; each array has shape (n,).

    ``ra, dec`` in deg ICRS at ``reference_epoch`` (Julian year, TDB), ``pmra`` (with cos dec) and ``pmdec``
    in mas/yr, ``parallax`` in mas (0 for a source at infinity). Radial motion is not modelled.
    """

    ra: FloatArray
    dec: FloatArray
    pmra: FloatArray
    pmdec: FloatArray
    parallax: FloatArray
    reference_epoch: float


def observed_position(astrometry: Astrometry, time: Time) -> tuple[FloatArray, FloatArray]:
    """Direction in which an observer at L2 sees the sources at one time, before aberration.

    Proper motion and parallax by ERFA's ``pmpx`` (the rigorous vector formula, IAU SOFA).

    Returns
    -------
    Right ascension and declination in deg ICRS, each of shape (n,).
    """
    ra, dec = np.radians(astrometry.ra), np.radians(astrometry.dec)
    years = float(time.tdb.jyear) - astrometry.reference_epoch
    direction = erfa.pmpx(
        ra,
        dec,
        astrometry.pmra * _MAS / np.cos(dec),
        astrometry.pmdec * _MAS,
        astrometry.parallax / 1000.0,
        np.zeros_like(ra),
        years,
        observatory_state(time).position,
    )
    lon, lat = erfa.c2s(direction)
    return np.degrees(erfa.anp(lon)), np.degrees(lat)
