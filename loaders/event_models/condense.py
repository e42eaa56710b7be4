"""Light curves with fewer points, for fits that evaluate a model many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from loaders.event_models.structure import Window
from loaders.stored_curve.band import Band, FloatArray


def condense(bands: Sequence[Band], t_0: float, t_eff: float, t_e: float) -> list[Band]:
    """Join points where a light curve is smooth into their weighted means.

    Points are joined over a fraction of the time in which a single lens changes there,
    ``√(t_eff² + (t - t_0)²)``, at most of the Einstein time, and three days.

    Parameters
    ----------
    bands
        The light curves.
    t_0, t_eff, t_e
        Time, effective and Einstein time scales of the event, days.

    Returns
    -------
    list of Band
        Errors are those of the means.
    """
    return [_condensed(band, _bins(band.time, t_0, t_eff, t_e)) for band in bands]


def condense_about(
    bands: Sequence[Band], scale: tuple[float, float, float], windows: Sequence[Window], parts: float
) -> list[Band]:
    """Join points as `condense` does, but where a model was off only over a part of how long it was.

    Parameters
    ----------
    bands
        The light curves.
    scale
        t_0, t_eff and t_E, as of `condense`.
    windows
        Where a model leaves something out.
    parts
        Points that shall be left in a window, and in each stretch of its length beside it; the time scale of
        the lens is divided by as many.
    """
    share = 1 / parts
    return [_condensed(b, _bins(b.time, *scale, share, _longest(b.time, windows, share))) for b in bands]


def condense_faithfully(
    bands: Sequence[Band],
    scale: tuple[float, float, float],
    windows: Sequence[Window],
    parts: float,
    model: Sequence[FloatArray],
) -> list[Band]:
    """Join points as `condense_about` does, but none where a model says that their mean is not on its curve.

    So the crossings of caustics, which may take an exposure or two, stay as they were seen, and what is
    beside them, too: other parameters have them there.

    Parameters
    ----------
    bands, scale, windows, parts
        As of `condense_about`.
    model
        Of each light curve, the flux that the model has at its points, shape (n,).
    """
    share, out = 1 / parts, []
    for band, flux in zip(bands, model, strict=True):
        bin_of = _bins(band.time, *scale, share, _longest(band.time, windows, share))
        if len(band):
            few, mean = _condensed(band, bin_of), _condensed(replace(band, flux=flux), bin_of).flux
            bin_of = _parted(bin_of, np.abs(mean - np.interp(few.time, band.time, flux)) > _BENT * few.error)
        out.append(_condensed(band, bin_of))
    return out


def condense_bent(
    bands: Sequence[Band], scale: tuple[float, float, float], windows: Sequence[Window], parts: float
) -> list[Band]:
    """Join points as `condense_about` does, but none where their means are not on a line with those beside.

    No model is asked: crossings of caustics stay as they were seen, whatever lenses are tried.

    Parameters
    ----------
    bands, scale, windows, parts
        As of `condense_about`.
    """
    share, out = 1 / parts, []
    for band in bands:
        bin_of = _bins(band.time, *scale, share, _longest(band.time, windows, share))
        few = _condensed(band, bin_of)
        if len(few) > 2:
            bin_of = _parted(bin_of, _beside_line(few) > _CORNER * few.error)
        out.append(_condensed(band, bin_of))
    return out


def _beside_line(band: Band) -> FloatArray:
    """How far each point is off the line through those beside it, shape (n,); the first and the last: 0."""
    time, flux = band.time, band.flux
    off = np.zeros(time.size)
    share = (time[1:-1] - time[:-2]) / (time[2:] - time[:-2])
    off[1:-1] = np.abs(flux[1:-1] - flux[:-2] - share * (flux[2:] - flux[:-2]))
    return off


def _parted(bin_of: FloatArray, bent: npt.NDArray[np.bool_]) -> FloatArray:
    """Numbers of bins, the points of those that are bent, and of some beside them, in bins of their own."""
    near = np.convolve(bent, np.ones(2 * _NEAR_BINS + 1), "same") > 0
    return np.asarray(np.cumsum((np.diff(bin_of, prepend=-1) > 0) | near[bin_of]) - 1)


_BENT, _NEAR_BINS = 0.5, 2
"""Errors of a mean by which it may be off a model, and bins on either side that are not joined either."""

_CORNER = 6.0
"""Errors by which a mean may be off the line through those beside it: where a curve bends evenly a mean is
off its curve by a twelfth of that, half an error. Noise does so to one in a million."""


def _longest(time: FloatArray, windows: Sequence[Window], share: float) -> FloatArray:
    """Longest bin at each time: a part of a window within it, growing with the distance from it, days."""
    longest = np.full(time.size, np.inf)
    for window in windows:
        outside = np.maximum(np.maximum(window.begin - time, time - window.end), 0.0)
        longest = np.minimum(longest, share * (max(window.length, _SHORTEST) + outside))
    return longest


_SHARE, _LONGEST, _SHORTEST = 0.05, 3.0, 0.02


def _bins(
    time: FloatArray,
    t_0: float,
    t_eff: float,
    t_e: float,
    share: float = _SHARE,
    most: float | FloatArray = np.inf,
) -> FloatArray:
    """Number of the bin of each point, ascending, shape (n,)."""
    length = np.minimum(share * np.hypot(t_eff, time - t_0), 2 * share * t_e)
    # Far from the event nothing happens.
    far = np.abs(time - t_0) > 5 * t_e
    length = np.minimum(np.minimum(np.where(far, 0.2 * np.abs(time - t_0), length), _LONGEST), most)
    step = np.diff(time, prepend=time[:1])
    # The number of lengths gone by; a gap begins a new bin.
    gone = np.floor(np.cumsum(step / length))
    new = np.ones(time.size, dtype=bool)
    new[1:] = np.diff(gone) > 0
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
