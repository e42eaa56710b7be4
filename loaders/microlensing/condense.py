"""Light curves with fewer points, for searches that evaluate expensive models many times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loaders.microlensing.curve import Band, FloatArray


def condense(bands: Sequence[Band], t_0: float, t_eff: float, t_e: float, windows: FloatArray) -> list[Band]:
    """Join points where a light curve is smooth into their weighted means.

    Points within windows stay as they are. Elsewhere points are joined over a fraction of the time in which
    a single lens changes there, ``√(t_eff² + (t - t_0)²)``, at most of the Einstein time, and three days: the
    mean of a curve over a bin then differs from its value at the mean time by less than 1e-3 of its change.

    Parameters
    ----------
    bands
        The light curves.
    t_0, t_eff, t_e
        Time, effective and Einstein time scales of the event, days.
    windows
        Shape (n, 2): begins and ends of spans in which nothing is joined.

    Returns
    -------
    list of Band
        Errors are those of the means.
    """
    return [_condensed(band, _bins(band.time, t_0, t_eff, t_e, windows)) for band in bands]


_SHARE, _SHARE_OF_EINSTEIN, _LONGEST = 0.05, 0.1, 3.0


def _bins(time: FloatArray, t_0: float, t_eff: float, t_e: float, windows: FloatArray) -> FloatArray:
    """Number of the bin of each point, ascending, shape (n,)."""
    length = np.minimum(_SHARE * np.hypot(t_eff, time - t_0), _SHARE_OF_EINSTEIN * t_e)
    # Far from the event nothing happens.
    far = np.abs(time - t_0) > 5 * t_e
    length = np.minimum(np.where(far, 0.2 * np.abs(time - t_0), length), _LONGEST)
    step = np.diff(time, prepend=time[:1])
    alone = np.zeros(time.size, dtype=bool)
    for begin, end in windows:
        alone |= (time >= begin) & (time <= end)
    # The number of lengths gone by; a gap or a point that stays alone begins a new bin.
    gone = np.floor(np.cumsum(step / length))
    new = np.ones(time.size, dtype=bool)
    new[1:] = (np.diff(gone) > 0) | alone[1:] | alone[:-1]
    return np.asarray(np.cumsum(new) - 1)


def _condensed(band: Band, bin_of: FloatArray) -> Band:
    """Weighted means of the points of each bin."""
    if not len(band):
        return band
    begin = np.flatnonzero(np.diff(bin_of, prepend=-1))
    weight = 1 / band.error**2
    total = np.add.reduceat(weight, begin)
    time, flux = (np.add.reduceat(weight * v, begin) / total for v in (band.time, band.flux))
    return Band(band.name, time, flux, 1 / np.sqrt(total))
