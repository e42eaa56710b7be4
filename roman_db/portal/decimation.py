"""Fewer points that look the same: what a screen of so many columns of pixels can show of a curve.

Of each column the lowest and the highest point are kept (Jugel et al. 2014, Proceedings of the VLDB
Endowment 7, 797, "M4"), and of the others one in each cell of a few pixels, which a marker covers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]

#: Columns of pixels in a cell, and cells above each other.
_CELL, _ROWS = 2, 100


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


def visible(x: FloatArray, y: FloatArray, span: tuple[float, float], columns: int) -> IndexArray:
    """Points that a screen shows: those of `extremes`, and one of each cell that has any, in ascending order.

    Parameters
    ----------
    x, y, span, columns
        As of `extremes`. Cells are `_CELL` columns wide and a `_ROWS`th of the range of y high.
    """
    column = np.where(np.isnan(y), -1, column_of(x, span, max(columns // _CELL, 1)))
    inside = np.flatnonzero(column >= 0)
    if inside.size == 0:
        return inside
    low, high = float(y[inside].min()), float(y[inside].max())
    row = ((y[inside] - low) / (high - low or 1.0) * (_ROWS - 1)).astype(np.int64)
    _, first = np.unique(column[inside] * _ROWS + row, return_index=True)
    return np.union1d(inside[first], extremes(x, y, span, columns))


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
