"""Fewer points that look the same: what a screen of so many columns of pixels can show of a curve.

Of each column the lowest and the highest point are kept, so that the picture covers the same rows of pixels
(Jugel et al. 2014, Proceedings of the VLDB Endowment 7, 797, "M4").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]


def column_of(x: FloatArray, span: tuple[float, float], columns: int) -> IndexArray:
    """Column of pixels in which each point falls, shape (n,); -1 outside the span.

    Parameters
    ----------
    x
        Shape (n,).
    span
        First and last x that are shown; the last belongs to the last column.
    columns
        Columns of pixels.

    Raises
    ------
    ValueError
        If the span is empty or there is no column.
    """
    first, last = span
    if not (first < last and columns > 0):
        raise ValueError(f"need first < last and a column, got span={span} and columns={columns}")
    inside = (x >= first) & (x <= last)
    place = np.where(inside, (x - first) / (last - first), 0.0) * columns
    return np.where(inside, np.minimum(place.astype(np.int64), columns - 1), -1)


def extremes(x: FloatArray, y: FloatArray, span: tuple[float, float], columns: int) -> IndexArray:
    """Points that are the lowest or the highest of their column, in ascending order of their numbers.

    Parameters
    ----------
    x, y
        Shape (n,); a point with NaN in y is in no column.
    span, columns
        As of `column_of`.
    """
    column = np.where(np.isnan(y), -1, column_of(x, span, columns))
    order = np.lexsort((y, column))
    ordered = column[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=-2))
    ends = np.append(begins[1:], ordered.size) - 1
    full = ordered[begins] >= 0
    return np.unique(np.concatenate([order[begins[full]], order[ends[full]]]))


def highest(y: FloatArray, columns: int) -> IndexArray:
    """Points that are the highest of ``columns`` runs of neighbours, for a spectrum that is a line.

    Parameters
    ----------
    y
        Shape (n,), without NaN.
    columns
        Most points to keep.
    """
    if y.size <= columns:
        return np.arange(y.size)
    begins = np.linspace(0, y.size, columns, endpoint=False).astype(np.int64)
    peak = np.maximum.reduceat(y, begins)
    run = np.repeat(np.arange(columns), np.diff(np.append(begins, y.size)))
    top = np.flatnonzero(y == peak[run])
    return top[np.unique(run[top], return_index=True)[1]]
