"""Offsets measured from what several versions of the catalog said, told from what one of them says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.catalogued import change_of_catalog
from loaders.astrometric_solution.observer import Ephemeris, factor_rows, observer_positions
from loaders.astrometry.catalog_states import CatalogStates
from loaders.astrometry.stars import julian_year
from loaders.light_curve.merge import MergePlan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Views:
    """When, and from where, the epochs of a merged block were seen.

    Parameters
    ----------
    year
        Shape (n_epoch,): Julian year in TDB.
    observer
        Shape (n_epoch, 3): barycentric position of the telescope, au, ICRS axes.
    """

    year: FloatArray
    observer: FloatArray


def views_of(mjd_tdb: FloatArray, ephemeris: FloatArray) -> Views:
    """Epochs at middles of exposures; the ephemeris is that of the job ``ephemeris``, NaN: unknown."""
    motion = Ephemeris(ephemeris[:, 0], ephemeris[:, 1:4], ephemeris[:, 4:7])
    return Views(julian_year(mjd_tdb), observer_positions(mjd_tdb, motion))


def restate_offsets(
    object_id: IntArray,
    offsets: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    plan: MergePlan,
    versions: tuple[IntArray, int],
    states: CatalogStates,
    views: Views,
) -> None:
    """Tell the offsets of a merged block from what one version of the catalog says.

    Parameters
    ----------
    object_id
        Shape (n,): objects.
    offsets
        East (with cos dec) and north, mas, shape (n, n_epoch) each; changed in place. NaN stays NaN.
    plan
        How blocks became this one.
    versions
        Shape (n_block,): the version from which each of them measured; and the one to tell it from.
    states
        What the versions said.
    views
        Its epochs.
    """
    before, after = versions
    now = states.at(object_id, after)
    for block, version in enumerate(before.tolist()):
        then = states.at(object_id, version)
        moved = np.flatnonzero(then != now)
        if moved.size == 0:
            continue
        columns = plan.column[plan.start[block] : plan.start[block + 1]]
        step = _steps(states, (then[moved], now[moved]), views.year[columns], views.observer[columns])
        for axis in range(2):
            offsets[axis][np.ix_(moved, columns)] += step[..., axis].astype(np.float32)


def _steps(
    states: CatalogStates, rows: tuple[IntArray, IntArray], year: FloatArray, observer: FloatArray
) -> FloatArray:
    """What is to be added to offsets of m objects at k epochs, shape (m, k, 2), mas."""
    then, now = states.take(rows[0]), states.take(rows[1])
    epoch = float(year.mean())
    change = change_of_catalog(then, now, epoch)
    factor = np.einsum("mcx,kx->mkc", factor_rows(now.ra, now.dec), observer)
    by_age = (year - epoch)[None, :, None] * change[:, None, 3:]
    return np.asarray(change[:, None, :2] + factor * change[:, None, 2:3] + by_age)
