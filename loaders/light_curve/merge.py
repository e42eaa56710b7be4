"""Segments of several blocks merged into those of one longer block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from loaders.light_curve.decode import DecodedRows, fill_flags, fill_reals

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MergePlan:
    """Which blocks become one, and where their epochs go.

    Parameters
    ----------
    block_id
        Shape (n_block,): the blocks that are merged, ascending.
    column, start
        For the blocks in the same order, the columns of their epochs laid end to end and where each begins,
        as `loaders.light_curve.block.epochs_in_order` gives them.
    """

    block_id: Int64Array
    column: Int64Array
    start: Int64Array

    @property
    def n_epoch(self) -> int:
        """Epochs of the merged block."""
        return int(self.start[-1])


@dataclass(frozen=True)
class MergedSegments:
    """Objects (ascending), their matrices of reals (NaN where not measured) and their flags."""

    object_id: Int64Array
    arrays: Sequence[npt.NDArray[np.float32]]
    flags: npt.NDArray[np.uint16]


def merge_segments(rows: DecodedRows, plan: MergePlan) -> MergedSegments:
    """Merge those of the rows that belong to the blocks of a plan; the others are left alone."""
    mine = rows_of(rows, np.isin(rows.block_id, plan.block_id))
    object_id, target = np.unique(mine.object_id, return_inverse=True)
    place = target.astype(np.int64), np.searchsorted(plan.block_id, mine.block_id)
    arrays = []
    for which in range(rows.array_at.shape[1]):
        matrix = np.full((object_id.size, plan.n_epoch), np.nan, np.float32)
        fill_reals(mine, which, place, (plan.column, plan.start), matrix)
        arrays.append(matrix)
    flags = np.zeros((object_id.size, plan.n_epoch), np.uint16)
    fill_flags(mine, place, (plan.column, plan.start), flags)
    return MergedSegments(object_id, arrays, flags)


def rows_of(rows: DecodedRows, chosen: npt.NDArray[np.bool_]) -> DecodedRows:
    """Choose rows; they still point into the same stream."""
    fields = ("object_id", "block_id", "array_at", "flag_at", "flag_count")
    return replace(rows, **{name: getattr(rows, name)[chosen] for name in fields})


def merge_means(
    object_id: Int64Array, rows: npt.NDArray[np.void], names: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """Means over the epochs of merged blocks from those of the blocks, weighted by their number of points.

    Parameters
    ----------
    object_id
        Shape (n_object,), ascending: objects of the merged block.
    rows
        Summaries of the blocks with fields ``object_id``, ``n_point`` and the names; NaN counts as absent.

    Returns
    -------
    dict
        For every name, shape (n_object,); NaN where no block has a value.
    """
    target = np.searchsorted(object_id, rows["object_id"])
    merged = {}
    for name in names:
        known = np.isfinite(rows[name])
        weight = np.where(known, np.maximum(rows["n_point"], 1e-9), 0.0)
        total = np.bincount(target, weight, object_id.size)
        value = np.bincount(target, weight * np.where(known, rows[name], 0.0), object_id.size)
        merged[name] = np.divide(value, total, out=np.full(object_id.size, np.nan), where=total > 0)
    return merged
