"""Positions of stars at the epoch of an exposure: proper motion and annual parallax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy.time import Time

from loaders.astrometry.place import CatalogAstrometry, place_at
from loaders.simulation.ephemeris import observatory_state

FloatArray = npt.NDArray[np.float64]


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

    Returns
    -------
    Right ascension and declination in deg ICRS, each of shape (n,).
    """
    epoch = np.full(astrometry.ra.shape, astrometry.reference_epoch)
    catalog = CatalogAstrometry(
        astrometry.ra, astrometry.dec, epoch, astrometry.pmra, astrometry.pmdec, astrometry.parallax
    )
    return place_at(catalog, float(time.tdb.jyear), observatory_state(time).position)
