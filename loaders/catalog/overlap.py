"""Whether a catalog and a field of view have any sky in common."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.catalog.identity import wanted_id
from loaders.rejection import Rejected
from loaders.wfi.footprint import covers

FloatArray = npt.NDArray[np.float64]


def overlapping(ra: FloatArray, dec: FloatArray, ranges: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell which positions lie in a footprint.

    Parameters
    ----------
    ra, dec
        Shape (n,): degrees ICRS.
    ranges
        Shape (k, 2): half-open ranges of nested HEALPix pixels of order 29, ascending and apart, such as
        `loaders.wfi.footprint.footprint` gives.

    Returns
    -------
    ndarray
        Shape (n,), bool.
    """
    return covers(ranges, wanted_id(ra, dec))


def check_overlap(ra: FloatArray, dec: FloatArray, ranges: npt.NDArray[np.int64], where: str) -> None:
    """Reject a catalog none of whose positions lies in a footprint.

    Parameters
    ----------
    ra, dec, ranges
        As for `overlapping`.
    where
        The catalog, for the message.

    Raises
    ------
    Rejected
        Code ``no_overlap``.
    """
    if overlapping(ra, dec, ranges).any():
        return
    what = f"none of its {ra.size} sources lies within the footprint"
    raise Rejected(where, what, "Give a catalog of the observed field", "no_overlap")
