"""One number for one object: where it was first catalogued.

``object_id`` is the nested HEALPix pixel of order 29 (Górski et al. 2005, ApJ 622, 759) of that position: 60
bits, cells of 0.4 mas, so that two runs give one number to one star and ranges of numbers are patches of sky.
Of two objects in one cell the second moves to the next number that is free.
"""

from __future__ import annotations

import cdshealpix
import numpy as np
import numpy.typing as npt
from astropy import units as u
from astropy.coordinates import Latitude, Longitude

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ORDER = 29
N_PIXEL = 12 * 4**ORDER
"""Number of pixels on the sky: identifiers are below it."""


def wanted_id(ra: FloatArray, dec: FloatArray) -> IntArray:
    """Number cells of positions.

    Parameters
    ----------
    ra, dec
        Shape (n,): degrees ICRS, finite.

    Returns
    -------
    ndarray
        Shape (n,), int64.
    """
    if not (np.isfinite(ra).all() and np.isfinite(dec).all()):
        raise ValueError("positions must be finite")
    pixel = cdshealpix.lonlat_to_healpix(Longitude(ra, u.deg), Latitude(dec, u.deg), ORDER)
    return np.asarray(pixel, dtype=np.int64)


def position_of_id(object_id: IntArray) -> tuple[FloatArray, FloatArray]:
    """Centres of cells: the position of first cataloguing to 0.3 mas, unless the number had moved on.

    Parameters
    ----------
    object_id
        Shape (n,).

    Returns
    -------
    ra, dec : ndarray
        Shape (n,): degrees ICRS.
    """
    longitude, latitude = cdshealpix.healpix_to_lonlat(np.asarray(object_id, dtype=np.uint64), ORDER)
    return longitude.to_value(u.deg), latitude.to_value(u.deg)


def free_ids(wanted: IntArray, taken: IntArray, order: tuple[FloatArray, ...] = ()) -> IntArray:
    """Give every object a number that is free: the one it wants, or the next.

    Numbers are given in the order of what is wanted, ties in that of the columns of `order`, so that the
    order of the rows does not matter. Formula: on the scale that counts free numbers only, the k-th object
    in order gets ``k + max over j <= k of (rank of wanted_j - j)``.

    Parameters
    ----------
    wanted
        Shape (n,): as `wanted_id` gives it.
    taken
        Shape (m,): numbers in use, in any order; those below the least wanted one do not matter.
    order
        Columns of shape (n,) that tell objects in one cell apart, the most important first, such as
        ``(ra, dec)``.

    Returns
    -------
    ndarray
        Shape (n,), int64: all different, none taken.

    Raises
    ------
    ValueError
        If there is no free number left above the last cell.
    """
    used = np.unique(np.asarray(taken, dtype=np.int64))
    index = np.argsort(wanted, kind="stable")
    ascending = np.asarray(wanted, dtype=np.int64)[index]
    if order and (ascending[1:] == ascending[:-1]).any():
        index = np.lexsort([*reversed(order), wanted])
    steps = np.arange(ascending.size)
    rank = ascending - np.searchsorted(used, ascending, side="left")
    rank = steps + np.maximum.accumulate(rank - steps)
    free_below = used - np.arange(used.size)
    given = rank + np.searchsorted(free_below, rank, side="right")
    if given.size and given[-1] >= N_PIXEL:
        raise ValueError(f"no free number left below {N_PIXEL}")
    out = np.empty_like(given)
    out[index] = given
    return out
