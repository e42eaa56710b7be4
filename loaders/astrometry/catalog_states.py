"""What several versions of the catalog said of objects, and which of it held in a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.astrometry.place import CatalogAstrometry

IntArray = npt.NDArray[np.int64]

#: Columns of positions and motions, in the order of `CatalogAstrometry`.
ASTROMETRY = ("ra", "dec", "ref_epoch", "pm_ra", "pm_dec", "parallax")


@dataclass(frozen=True)
class CatalogStates:
    """What the catalog said of objects, s rows.

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
        values = np.array([row[2:] for row in rows], np.float64).reshape(-1, len(ASTROMETRY))
        return cls(key[:, 0], key[:, 1], CatalogAstrometry(*values.T))

    def at(self, object_id: IntArray, version: int | IntArray) -> IntArray:
        """Rows that held in a version.

        Parameters
        ----------
        object_id
            Shape (n,): objects.
        version
            Of all, or of each, shape (n,).

        Returns
        -------
        ndarray
            Shape (n,): the first row of the object that a later version replaces; -1 where there is none.
        """
        key, wanted = _pairs(self.object_id, self.replaced_by), _pairs(object_id, version)
        row = np.searchsorted(key, wanted, side="right")
        known = row < key.size
        known[known] = self.object_id[row[known]] == object_id[known]
        return np.where(known, row, -1)

    def take(self, rows: IntArray) -> CatalogAstrometry:
        """Positions and motions of some rows."""
        return CatalogAstrometry(*(getattr(self.astrometry, name)[rows] for name in ASTROMETRY))


def _pairs(object_id: IntArray, version: int | IntArray) -> npt.NDArray[np.void]:
    """Pairs of an object and a version that can be put in order, shape (n,)."""
    out = np.empty(object_id.size, dtype=[("object_id", "i8"), ("version", "i8")])
    out["object_id"], out["version"] = object_id, version
    return out
