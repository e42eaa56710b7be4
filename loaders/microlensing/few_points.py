"""Whether a place that the search found rests on one or two points, before anything is fitted to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loaders.microlensing.search import Candidate
from loaders.microlensing.search_kernels import magnification
from loaders.stored_curve.band import Band, FloatArray

_LEFT, _LEAST_LEFT = 0.3, 25.0
"""Share of the fall of chi-square, and fall, that must be left without the best two points. A fit moves the
curve: the verdict asks for half, of 80 at least."""


def rests_on_few(bands: Sequence[Band], candidate: Candidate) -> bool:
    """Whether two points make nearly all that a candidate has: outliers, and no lens.

    Nine of ten candidates of constant stars with outliers are such, and a fit takes as long as the search.

    Parameters
    ----------
    bands
        The light curves that were searched.
    candidate
        A place of the grid, whose curve is fitted to all points of each element.
    """
    better = np.concatenate([np.empty(0), *(_falls(band, candidate) for band in bands)])
    if better.size <= 2:
        return True
    total = float(better.sum())
    left = total - float(np.partition(better, -2)[-2:].sum())
    return left < max(_LEFT * total, _LEAST_LEFT)


def _falls(band: Band, candidate: Candidate) -> FloatArray:
    """Fall of chi-square of each point with the curve of a candidate, shape (n,); 0 where that fades."""
    weight = band.error**-2
    curve = magnification((band.time - candidate.t_0) / candidate.t_eff)[candidate.shape - 1]
    flux, curve = (value - np.average(value, weights=weight) for value in (band.flux, curve))
    asked, information = float(weight @ (flux * curve)), float(weight @ curve**2)
    if not (asked > 0 and information > 0):
        return np.zeros(len(band))
    return np.asarray(weight * (flux**2 - (flux - asked / information * curve) ** 2))
