"""Offsets measured from what several versions of the catalog said, told from what one of them says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.catalogued import change_of_catalog
from loaders.astrometric_solution.observer import Ephemeris, factor_rows, observer_positions
from loaders.astrometry.place import CatalogAstrometry
from loaders.astrometry.stars import julian_year
from loaders.light_curve.merge import MergePlan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_ASTROMETRY = ("ra", "dec", "ref_epoch", "pm_ra", "pm_dec", "parallax")


@dataclass(frozen=True)
class CatalogStates:
    """What the catalog said of the objects that it said several things of, s rows.

    Parameters
    ----------
    object_id, replaced_by
        Shape (s,), in order of both: object, and the version that says something else of it, the largest
        integer where none does yet.
    astrometry
        Positions and motions; NaN where unknown.
    """

    object_id: IntArray
    replaced_by: IntArray
    astrometry: CatalogAstrometry

    @classmethod
    def of_rows(cls, rows: Any) -> CatalogStates:
        """Make it from rows ``object_id, replaced_by`` and astrometry, as the job ``catalog_state`` does."""
        key = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
        values = np.array([row[2:] for row in rows], np.float64).reshape(-1, len(_ASTROMETRY))
        return cls(key[:, 0], key[:, 1], CatalogAstrometry(*values.T))

    def at(self, object_id: IntArray, version: int) -> IntArray:
        """Rows that hold for objects, shape (n,), in a version; -1 where nothing ever changed."""
        key = np.empty(self.object_id.size, [("object_id", "i8"), ("version", "i8")])
        key["object_id"], key["version"] = self.object_id, self.replaced_by
        wanted = np.empty(object_id.size, key.dtype)
        wanted["object_id"], wanted["version"] = object_id, version
        row = np.searchsorted(key, wanted, side="right")
        known = row < key.size
        known[known] = self.object_id[row[known]] == object_id[known]
        return np.where(known, row, -1)

    def take(self, rows: IntArray) -> CatalogAstrometry:
        """Positions and motions of some rows."""
        return CatalogAstrometry(*(getattr(self.astrometry, name)[rows] for name in _ASTROMETRY))


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
