"""Where fits of two lenses begin that are nothing like one: light curves of many, matched by their peaks.

Caustics make peaks whose times are known to minutes. Two of them put a path across the lenses at its time and
pace (Mao & Di Stefano 1995, ApJ 440, 22; Bozza 2024, A&A 688, A83): of each pair of lenses on a grid, its
paths in all directions are tried so that two of their peaks are where two of the light curve are, and so that
most of their light comes when that of the light curve does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from loaders.event_models.seeds import Seed
from loaders.event_models.template_kernels import MapArray, matched, peaks_of, span_of
from loaders.lens.binary_lens import Disc, disc_magnification_of
from loaders.stored_curve.band import Band, FloatArray

_LN_S = np.linspace(-1.3, 1.3, 18)
_Q = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01, 0.003)
_ALPHA = np.linspace(0.0, 2 * np.pi, 36, endpoint=False)
_U_0 = np.concatenate([np.linspace(0.01, 0.5, 10), np.linspace(0.58, 1.3, 8)])

_PIXEL, _HEIGHT, _BESIDE, _MOST = 0.015, 1.5, 1.2, 30.0
"""Pixels of maps, how high they are and how far they go beyond the lenses, Einstein radii; and the greatest
magnification that is asked of them."""

_PEAKS = 5
"""Peaks of a light curve that are matched, the highest ones."""

_FALL, _ERRORS = 0.02, 3.0
"""Share of the rise, and errors, by which a light curve falls on both sides of a peak."""

_SHARE, _SEEN = 0.15, 5.0
"""Share of the light before and after the span of an event, and errors from which on light counts."""

_SCALES = np.geomspace(0.7, 20.0, 8)
"""Einstein times that are tried where there is one peak, in spans."""

_T_E = (0.5, 500.0)
"""Least and greatest Einstein time, days."""

_SECTORS = 6
"""Parts of the circle: of each pair of lenses the best of each is kept."""

_LIKE = (0.2, 1.0, 0.4)
"""Differences in ln s, ln q and alpha within which two seeds are like each other."""


@dataclass(frozen=True)
class _Map:
    """Magnification of points by two lenses, shape (nx, ny), from a left edge on, y from zero."""

    s: float
    q: float
    left: float
    grid: MapArray


def template_seeds(band: Band, crossing: float, most: int) -> list[Seed]:
    """Two lenses whose light curves have their peaks, or most of their light, when one that is given has.

    Parameters
    ----------
    band
        Points of one element, condensed, with errors of some percent of the excess at least.
    crossing
        Time (days) in which the source usually crosses its radius.
    most
        How many.

    Returns
    -------
    list of Seed
        The best of those that are not like each other, the best first. Their chi2 is Σ ln(1 + (r / 3)²).
    """
    peaks = peak_times(band)
    zero = float(band.time[int(np.argmax(band.flux))])
    points = band.time - zero, band.flux, band.error**-2.0
    span = span_of(points[0], _light(band), _SHARE)
    scales = np.clip(_SCALES * (span[1] - span[0]), *_T_E) if peaks.size == 1 else np.empty(0)
    anchors = peaks - zero, span, _SHARE, scales
    best, found = np.empty((_ALPHA.size, _U_0.size, 3)), []
    for one in _maps():
        matched(one.grid, (one.left, _PIXEL), (_ALPHA, _U_0), points, anchors, _T_E, best)
        for part in np.array_split(np.arange(_ALPHA.size), _SECTORS):
            a, b = np.unravel_index(int(np.argmin(best[part, :, 2])), (part.size, _U_0.size))
            t_0, t_e, loss = best[part[a], b]
            if np.isfinite(loss):
                own = [np.log(one.s), np.log(one.q), _ALPHA[part[a]], np.log(crossing / t_e)]
                found.append(Seed(np.array([zero + t_0, _U_0[b], np.log(t_e), *own]), float(loss)))
    return _unlike(sorted(found, key=lambda seed: seed.chi2), most)


def _unlike(seeds: Sequence[Seed], most: int) -> list[Seed]:
    """The first seeds that are not like one before them."""
    kept: list[Seed] = []
    for seed in seeds:
        off = [np.abs(seed.parameter[3:6] - other.parameter[3:6]) for other in kept]
        turns = (np.minimum(one, np.append(np.inf, [np.inf, 2 * np.pi - one[2]])) for one in off)
        if len(kept) < most and not any((turn < _LIKE).all() for turn in turns):
            kept.append(seed)
    return kept


def _light(band: Band) -> FloatArray:
    """Flux above the median where it is seen, shape (n,)."""
    light = band.flux - np.median(band.flux)
    return np.where(light > _SEEN * band.error, light, 0.0)


def peak_times(band: Band) -> FloatArray:
    """Times of the peaks of a light curve, at most five, ascending, BJD."""
    rise = float(band.flux.max() - np.median(band.flux))
    found = np.empty(_PEAKS, dtype=np.int64)
    number = peaks_of(band.flux, np.maximum(_FALL * rise, _ERRORS * band.error), found)
    return band.time[found[:number]]


@cache
def _maps() -> tuple[_Map, ...]:
    """Maps of all pairs of lenses, made once: some seconds, and 20 MB."""
    return tuple(_map(float(np.exp(ln_s)), q) for ln_s in _LN_S for q in _Q)


def _map(s: float, q: float) -> _Map:
    """The map of one pair of lenses."""
    left, right = -s * q / (1 + q) - _BESIDE, s / (1 + q) + _BESIDE
    x = np.arange(left, right, _PIXEL)
    y = np.arange(0.0, _HEIGHT, _PIXEL)
    grid = disc_magnification_of(x[:, None], y[None], (s, q), Disc())
    return _Map(s, q, left, np.minimum(grid, _MOST).astype(np.float32))
