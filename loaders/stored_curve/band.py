"""Light curves as searches and fits take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """The light curve of an object in one optical element; all arrays have shape (n,), ascending in time.

    Parameters
    ----------
    name
        Optical element.
    time
        BJD (TDB), days.
    flux, error
        In one unit, nJy where they come from the database; all finite, errors above zero.
    """

    name: str
    time: FloatArray
    flux: FloatArray
    error: FloatArray

    def __len__(self) -> int:
        return self.time.size

    def take(self, chosen: npt.NDArray[np.bool_]) -> Band:
        """Some of the points."""
        return Band(self.name, self.time[chosen], self.flux[chosen], self.error[chosen])


def usable_band(
    name: str,
    time: npt.ArrayLike,
    flux: npt.ArrayLike,
    error: npt.ArrayLike,
    bad: npt.ArrayLike | None = None,
) -> Band:
    """The usable points of a light curve, in order of time.

    Points without a finite time, flux or error, with an error of zero or less, and those marked as bad are
    left out; of several at one time, the most certain one is kept.

    Parameters
    ----------
    name
        Optical element.
    time, flux, error
        Shape (n,), in any order.
    bad
        Shape (n,): points to leave out; None for none.

    Returns
    -------
    Band

    Raises
    ------
    ValueError
        If the arrays differ in shape.
    """
    t, f, e = (np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (time, flux, error))
    if not t.shape == f.shape == e.shape or t.ndim != 1:
        raise ValueError(f"time, flux and error must have one shape, got {t.shape}, {f.shape}, {e.shape}")
    good = np.isfinite(t) & np.isfinite(f) & np.isfinite(e) & (np.nan_to_num(e) > 0)
    if bad is not None:
        good &= ~np.asarray(bad, dtype=bool)
    t, f, e = t[good], f[good], e[good]
    order = np.lexsort((e, t))
    t, f, e = t[order], f[order], e[order]
    first = np.ones(t.size, dtype=bool)
    first[1:] = np.diff(t) > 0
    return Band(name, t[first], f[first], e[first])


def seasons_of(bands: Sequence[Band], gap: float = 25.0) -> FloatArray:
    """First and last time of each season, shape (n, 2), days: what no gap of that many days divides."""
    times = [band.time for band in bands if len(band)]
    if not times:
        return np.empty((0, 2))
    time = np.sort(np.concatenate(times))
    last = np.flatnonzero(np.diff(time) > gap)
    begin, end = np.concatenate([[0], last + 1]), np.concatenate([last, [time.size - 1]])
    return np.column_stack([time[begin], time[end]])


def without_outliers(band: Band, sigmas: float = 6.0, apart: float = 0.05) -> Band:
    """A light curve without single points that stand alone: cosmic rays, and what else lasts one exposure.

    A point is left out if it lies more than ``sigmas`` errors off the median of its six neighbours, and both
    points next to it lie less than half as much off to the same side. Whatever lasts for two exposures
    stays. Points without neighbours within ``apart`` days stay as well.

    Parameters
    ----------
    band
        The light curve.
    sigmas
        Errors, that of the median included.
    apart
        Days.
    """
    n = len(band)
    if n < _WINDOW:
        return band
    half = _WINDOW // 2
    first = np.clip(np.arange(n) - half, 0, n - _WINDOW)
    index = first[:, None] + np.arange(_WINDOW)
    others = index[index != np.arange(n)[:, None]].reshape(n, _WINDOW - 1)
    off = band.flux - np.median(band.flux[others], axis=1)
    error = np.hypot(band.error, 1.25 * np.median(band.error[others], axis=1) / np.sqrt(_WINDOW - 1))
    pull = off / error
    side = np.sign(pull)
    before, after = np.roll(pull, 1) * side, np.roll(pull, -1) * side
    near = np.maximum(np.diff(band.time, prepend=-np.inf), np.diff(band.time, append=np.inf)) < apart
    alone = (np.abs(pull) > sigmas) & (np.maximum(before, after) < 0.5 * sigmas) & near
    return band.take(~alone)


_WINDOW = 7
"""Points of which the middle one is judged by the others."""
