"""Places where light appeared, as sources of the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from loaders.astrometry.stars import julian_year
from loaders.catalog.sources import Sources

PLACE_COLUMNS = ("ra", "dec", "ra_err", "dec_err", "epoch_mjd_tdb")
"""What is known of a place: deg ICRS, mas along either axis, and the mean epoch (MJD TDB)."""


def appeared_sources(places: Mapping[str, Sequence[float]]) -> Sources:
    """Places as sources of the catalog; their flux without the change is not known.

    Parameters
    ----------
    places
        `PLACE_COLUMNS`, of shape (n,) each.
    """
    column = {name: np.array(places[name], dtype=np.float64) for name in PLACE_COLUMNS}
    count = column["ra"].size
    unknown = np.full(count, np.nan)
    return Sources(
        row=np.arange(count),
        source_id=np.full(count, None, dtype=object),
        ra=column["ra"] % 360.0,
        dec=column["dec"],
        ref_epoch=julian_year(column["epoch_mjd_tdb"]),
        ra_err=column["ra_err"],
        dec_err=column["dec_err"],
        pm_ra=unknown,
        pm_dec=unknown,
        pm_ra_err=unknown,
        pm_dec_err=unknown,
        parallax=unknown,
        parallax_err=unknown,
    )
