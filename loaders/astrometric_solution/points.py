"""What was measured of the positions of stars, point by point, and the exposures in which it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ExposureTimes:
    """Exposures of a piece of the sky, n of them.

    Parameters
    ----------
    exposure_id
        Shape (n,): identifiers.
    year
        Shape (n,): middle of the exposure, Julian year in TDB.
    observer
        Shape (n, 3): barycentric position of the telescope, au, ICRS axes.
    """

    exposure_id: IntArray
    year: FloatArray
    observer: FloatArray

    def __post_init__(self) -> None:
        n = self.exposure_id.size
        if self.year.shape != (n,) or self.observer.shape != (n, 3):
            raise ValueError(f"{n} exposures have years {self.year.shape}, observers {self.observer.shape}")

    def __len__(self) -> int:
        return int(self.exposure_id.size)


@dataclass(frozen=True)
class StarPoints:
    """Offsets of m stars from where the catalog expects them, those of a star in a row.

    Parameters
    ----------
    object_id
        Shape (m,): identifiers.
    start
        Shape (m + 1,): points of star i are ``start[i]`` to ``start[i + 1]``.
    exposure
        Shape (k,), int32: index of the exposure of a point.
    offset, error
        Shape (k, 2): east (with cos dec) and north, mas; all finite, errors above zero.
    """

    object_id: IntArray
    start: IntArray
    exposure: npt.NDArray[np.int32]
    offset: FloatArray
    error: FloatArray

    def __post_init__(self) -> None:
        k = self.exposure.size
        if self.offset.shape != (k, 2) or self.error.shape != (k, 2):
            raise ValueError(f"{k} points have offsets {self.offset.shape}, errors {self.error.shape}")
        if self.start.shape != (self.object_id.size + 1,) or self.start[0] != 0 or self.start[-1] != k:
            raise ValueError(f"start must lead from 0 to {k} in {self.object_id.size} steps")

    def __len__(self) -> int:
        return int(self.object_id.size)

    @property
    def star(self) -> IntArray:
        """Index of the star of each point, shape (k,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))


@dataclass(frozen=True)
class StarPlaces:
    """Where m stars stand: what geometry a fit needs.

    Parameters
    ----------
    factor_row
        Shape (m, 2, 3): see `loaders.astrometric_solution.observer.factor_rows`.
    plane
        Shape (m, 2): east and north of the middle of the piece of the sky, arcmin, in the tangent plane.
    """

    factor_row: FloatArray
    plane: FloatArray


def star_points(
    object_id: IntArray, star: IntArray, exposure: IntArray, offset: FloatArray, error: FloatArray
) -> StarPoints:
    """Bring points into the order of their stars and leave out those that say nothing.

    Parameters
    ----------
    object_id
        Shape (m,): the stars.
    star, exposure
        Shape (k,): index of star and exposure of each point.
    offset, error
        Shape (k, 2): mas; a point does not count with NaN, or an error that is not above zero, in either.
    """
    good = np.isfinite(offset).all(axis=1) & np.isfinite(error).all(axis=1)
    good &= (np.nan_to_num(error) > 0).all(axis=1)
    chosen = np.flatnonzero(good)
    chosen = chosen[np.argsort(star[chosen], kind="stable")]
    start = np.concatenate([[0], np.cumsum(np.bincount(star[chosen], minlength=object_id.size))])
    return StarPoints(
        object_id,
        start.astype(np.int64),
        exposure[chosen].astype(np.int32),
        np.ascontiguousarray(offset[chosen], dtype=np.float64),
        np.ascontiguousarray(error[chosen], dtype=np.float64),
    )
