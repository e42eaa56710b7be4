"""Segments of many stars as points: arrays of blocks laid end to end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.points import ExposureTimes, StarPlaces, StarPoints, star_points

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Segments:
    """Segments of stars, s of them, with k points in all.

    Parameters
    ----------
    object_id, first_exposure, length
        Shape (s,): star, index of the first exposure of its block, and number of points.
    offset, error
        Shape (k, 2): mas, segment by segment; NaN where not measured.
    is_excluded
        Shape (k,): whether flags keep a point out.
    """

    object_id: IntArray
    first_exposure: IntArray
    length: IntArray
    offset: FloatArray
    error: FloatArray
    is_excluded: npt.NDArray[np.bool_]

    @property
    def exposure(self) -> IntArray:
        """Index of the exposure of each point, shape (k,)."""
        begin = np.cumsum(self.length) - self.length
        return np.asarray(np.arange(self.length.sum()) + np.repeat(self.first_exposure - begin, self.length))


def points_of_segments(
    segments: Segments,
    object_id: IntArray,
    change: FloatArray,
    times: ExposureTimes,
    places: StarPlaces,
    ref_epoch: float,
) -> StarPoints:
    """Points of stars, offsets against what is catalogued now.

    Parameters
    ----------
    segments
        What is stored.
    object_id
        Shape (m,), ascending: the stars.
    change
        Shape (s, 5): from the catalog of a segment to that of now; see `catalogued.change_of_catalog`.
    times, places
        Exposures and stars.
    ref_epoch
        To which the changes of positions belong.
    """
    row = np.searchsorted(object_id, segments.object_id)
    star, exposure = np.repeat(row, segments.length), segments.exposure
    offset = segments.offset.copy()
    changed = np.flatnonzero(np.repeat((change != 0).any(axis=1), segments.length))
    if changed.size:
        step = np.repeat(change, segments.length, axis=0)[changed]
        at = exposure[changed]
        factor = np.einsum("kcx,kx->kc", places.factor_row[star[changed]], times.observer[at])
        age = (times.year[at] - ref_epoch)[:, None]
        offset[changed] += step[:, :2] + factor * step[:, 2:3] + age * step[:, 3:]
    offset[segments.is_excluded] = np.nan
    return star_points(object_id, star, exposure, offset, segments.error)
