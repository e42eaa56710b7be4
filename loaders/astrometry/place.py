"""Places of catalogued objects at the time of an exposure: proper motion and annual parallax."""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_RADIAN_PER_MAS = np.pi / 180 / 3600 / 1000


@dataclass(frozen=True)
class CatalogAstrometry:
    """Barycentric positions and motions, each of shape (n,).

    Parameters
    ----------
    ra, dec
        Position at ``ref_epoch``, deg ICRS.
    ref_epoch
        Julian year in TDB.
    pm_ra, pm_dec
        Proper motion, mas/yr, in right ascension times cos(dec); NaN: unknown, taken as none.
    parallax
        Trigonometric parallax, mas; NaN: unknown, taken as none. Negative values, which noise makes, are
        taken as none.
    """

    ra: FloatArray
    dec: FloatArray
    ref_epoch: FloatArray
    pm_ra: FloatArray
    pm_dec: FloatArray
    parallax: FloatArray


def place_at(
    astrometry: CatalogAstrometry, julian_year: float, observatory_au: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Direction in which an observer sees the objects, before aberration.

    Proper motion and parallax by ERFA's ``pmpx``, the rigorous vector formula of IAU SOFA; radial motion is
    not modelled.

    Parameters
    ----------
    julian_year
        Time, Julian year in TDB.
    observatory_au
        Shape (3,): barycentric position of the observatory, au, ICRS axes.

    Returns
    -------
    ra, dec : numpy.ndarray
        Shape (n,), deg ICRS.
    """
    ra, dec = np.radians(astrometry.ra), np.radians(astrometry.dec)
    direction = erfa.pmpx(
        ra,
        dec,
        _known(astrometry.pm_ra) * _RADIAN_PER_MAS / np.cos(dec),
        _known(astrometry.pm_dec) * _RADIAN_PER_MAS,
        np.maximum(_known(astrometry.parallax), 0.0) / 1000.0,
        np.zeros_like(ra),
        julian_year - astrometry.ref_epoch,
        observatory_au,
    )
    longitude, latitude = erfa.c2s(direction)
    return np.degrees(erfa.anp(longitude)), np.degrees(latitude)


def _known(values: FloatArray) -> FloatArray:
    """Values with zero for NaN."""
    return np.nan_to_num(values, nan=0.0)
