"""Places about two lenses from which fits that stuck go on: moved at random, their peaks put back.

The times at which a source crosses caustics are known to minutes, and a fit that is off by an hour feels no
slope; nor does one whose mass ratio is moved, for that moves all crossings by hours. Here each move of s, q,
alpha and u_0 is given the time and pace at which two of its peaks are where two of the light curve are, or
keeps its own, whichever leaves least; the best go on. Sources are points and cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.event_models.kinds import BINARY, View, path, turned
from loaders.event_models.setting import Setting
from loaders.event_models.template_kernels import clocks_of, loss_of, peaks_of
from loaders.event_models.templates import peak_times
from loaders.lens.binary_lens import Disc, disc_magnification_of
from loaders.stored_curve.band import Band, FloatArray

_REACH, _COARSE, _FINE = 2.5, 401, 21
"""Einstein times about t_0 in which paths are followed, their points, and more of them about each peak."""

_SIZES = (1.0, 0.5, 0.25, 0.12)
_MOVES, _PARENTS = 60, 6
"""Moves of each generation, by how much they move, and those of which the next ones come."""

_MOVE = np.array([0.04, 0.08, 0.5, 0.12])
"""Of u_0, ln s, ln q and alpha."""

_PACE = (0.4, 2.5)
"""Least and greatest Einstein time that a move may have, over that of the lens that is moved."""

_BRIGHTEST, _FALL = 100.0, 0.05
"""Greatest magnification that counts, and the share of a peak by which paths fall on both sides of it."""


@dataclass(frozen=True)
class _Place:
    """Two lenses, and Σ ln(1 + (r / 3)²) of what they leave."""

    parameter: FloatArray
    loss: float


def matched_moves(setting: Setting, band: Band, best: FloatArray, most: int) -> list[FloatArray]:
    """Two lenses about one that is known that may describe a light curve better, their peaks in time.

    Parameters
    ----------
    setting
        The event.
    band
        Points of its main element, condensed, with errors of a percent of the excess or so.
    best
        Shape (7,) or (9,), of `loaders.event_models.kinds.BINARY`: the lenses that are moved.
    most
        How many.

    Returns
    -------
    list of ndarray
        Shapes as of ``best``; the best first, the same ones each time. None where the light curve has no two
        peaks.
    """
    peaks = peak_times(band)
    if peaks.size < 2:
        return []
    times = best[0] + np.linspace(-_REACH, _REACH, _COARSE) * np.exp(best[2])
    look = _Look(setting, band, peaks, _view(setting, band, times))
    rng, parents = np.random.default_rng(11), [look.placed(best)]
    for size in _SIZES:
        moves = rng.normal(size=(_MOVES, _MOVE.size)) * _MOVE * size
        children = [look.placed(_moved(parents[k % len(parents)].parameter, m)) for k, m in enumerate(moves)]
        parents = sorted([*parents, *children], key=lambda place: place.loss)[:_PARENTS]
    return [place.parameter for place in parents[:most] if np.isfinite(place.loss)]


def _moved(parameter: FloatArray, move: FloatArray) -> FloatArray:
    out = parameter.copy()
    out[[1, 3, 4, 5]] += move
    return out


def _view(setting: Setting, band: Band, times: FloatArray) -> View:
    return setting.view([Band(band.name, times, np.zeros(times.size), np.ones(times.size))], 0.1)


@dataclass(frozen=True)
class _Look:
    """A light curve, the times of its peaks, and the times at which paths are followed."""

    setting: Setting
    band: Band
    peaks: FloatArray
    view: View

    def placed(self, parameter: FloatArray) -> _Place:
        """Lenses at the time and pace that leave least."""
        tau, curve, tops = self._followed(parameter)
        t_e = float(np.exp(parameter[2]))
        limits = _PACE[0] * t_e, _PACE[1] * t_e
        clocks = np.empty((tops.size**2 * self.peaks.size**2 + 1, 2))
        number = clocks_of(tops, (self.peaks, np.empty(0)), limits, clocks)
        clocks[number] = parameter[0], t_e
        losses = [self._loss(tau, curve, clock, float(parameter[1])) for clock in clocks[: number + 1]]
        at = int(np.argmin(losses))
        out = parameter.copy()
        out[0], out[2] = clocks[at, 0], np.log(clocks[at, 1])
        # The source takes as long to cross its radius as it did.
        out[6] += parameter[2] - out[2]
        return _Place(out, float(losses[at]))

    def _followed(self, parameter: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Times along a path in Einstein times from t_0, the magnification there, and when it has peaks."""
        t_e = float(np.exp(parameter[2]))
        coarse = (self.view.points.time - parameter[0]) / t_e
        curve = _magnified(self.view, parameter)
        found = np.empty(4, dtype=np.int64)
        number = peaks_of(curve, _FALL * curve, found)
        if not number:
            return coarse, curve, np.empty(0)
        half = coarse[1] - coarse[0]
        fine = np.concatenate([coarse[k] + np.linspace(-half, half, _FINE) for k in found[:number]])
        there = _magnified(_view(self.setting, self.band, parameter[0] + fine * t_e), parameter)
        tops = fine.reshape(number, -1)[np.arange(number), there.reshape(number, -1).argmax(axis=1)]
        both, at = np.unique(np.concatenate([coarse, fine]), return_index=True)
        return both, np.concatenate([curve, there])[at], np.sort(tops)

    def _loss(self, tau: FloatArray, curve: FloatArray, clock: FloatArray, u_0: float) -> float:
        """What a path leaves that has a time and a pace; far away it is that of a single lens."""
        here = (self.band.time - clock[0]) / clock[1]
        u = np.maximum(np.hypot(here, u_0), 1e-3)
        far = (u * u + 2) / (u * np.sqrt(u * u + 4))
        inside = (here > tau[0]) & (here < tau[-1])
        value = np.where(inside, np.interp(here, tau, curve), far)
        return float(loss_of(value, (self.band.time, self.band.flux, self.band.error**-2.0)))


def _magnified(view: View, parameter: FloatArray) -> FloatArray:
    """Magnification of a point at the times of a view, shape (n,)."""
    x, y = turned(*path(BINARY, view, parameter), float(parameter[5]))
    lens = float(np.exp(parameter[3])), float(np.exp(parameter[4]))
    return np.minimum(disc_magnification_of(x, y, lens, Disc()), _BRIGHTEST)
