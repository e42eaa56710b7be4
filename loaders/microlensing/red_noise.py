"""How much more than single points the means of a light curve scatter: noise that neighbours share."""

from __future__ import annotations

import numpy as np

from loaders.stored_curve.band import FloatArray

_FEWEST_POINTS, _FEWEST_BINS = 4, 30
"""Points of a bin that counts, and bins that are needed to tell."""

_BESIDE = 3.0
"""Lengths of a bin from the brightening within which bins do not count."""


def red_noise(time: FloatArray, pull: FloatArray, t_0: float, length: float) -> float:
    """By what errors of means over some time are larger than those of independent points, at least 1.

    A fall of chi-square counts points as independent; where they are not, it is too large by the square of
    this (Pont, Zucker & Queloz 2006, MNRAS 373, 231). The median does not see other events.

    Parameters
    ----------
    time, pull
        Shape (n,): days, and what a model leaves over its error.
    t_0, length
        Time of a brightening, and length of bins, days.

    Returns
    -------
    float
        1 where there are too few bins to tell.
    """
    away = np.abs(time - t_0) > _BESIDE * length
    bins = np.floor((time[away] - t_0) / length).astype(np.int64)
    _, which, count = np.unique(bins, return_inverse=True, return_counts=True)
    enough = count >= _FEWEST_POINTS
    if enough.sum() < _FEWEST_BINS:
        return 1.0
    mean = np.bincount(which, pull[away])[enough] / np.sqrt(count[enough])
    return max(1.0, float(np.median(np.abs(mean))) / 0.6745)
