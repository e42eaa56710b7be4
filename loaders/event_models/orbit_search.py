"""Two lenses that turn about each other, from those that stand still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import process_time

import numpy as np

from loaders.event_models.kinds import BINARY, ORBIT, POINT, View
from loaders.event_models.lens_fit import LensFit
from loaders.event_models.rounds import Round, crossing_of, fit_round
from loaders.event_models.setting import Setting, condensed, windows_left
from loaders.event_models.sides import ALIKE, other_side
from loaders.stored_curve.band import FloatArray

_PARTS = 40
"""Points left in the time scale of a lens, as in the last fits of lenses that stand still."""

_STILL = 9
"""Parameters of two lenses that stand still, with parallax."""

_BEGINS = 3
"""Lenses that stand still from which fits go on."""

_TURNS = (0.7, -0.7)
"""Rates of alpha (radians a year) from which the best one goes on, too."""

_MOST_TIME = 100.0
"""Seconds of computing that all fits may take."""

_WORTH = 10.0
"""Fall of chi-square in some steps from which it is worth more."""


def turning(setting: Setting, still: Sequence[LensFit]) -> tuple[list[LensFit], list[LensFit]]:
    """Let two lenses turn, where they leave something out or chi-square falls by it.

    Their separation and direction change evenly about t_0_par. Fits begin at the best lenses that stand
    still; the other side of the lens is tried of the best that turns (Skowron et al. 2011, ApJ 738, 87).

    Parameters
    ----------
    setting
        The event.
    still
        Lenses that stand still, the best first.

    Returns
    -------
    turning, still
        Fits of `ORBIT` with parallax, the best first; and lenses that stand still that were found on the way
        and are better than those that were given. Both are empty where parallax was not fitted.
    """
    known = [fit for fit in still if fit.parameter.size == _STILL]
    if not known:
        return [], []
    setting = replace(setting, until=process_time() + _MOST_TIME)
    view, best = _view(setting, known[0].parameter), known[0]
    given = fit_round([best.parameter], Round(view, 8, 1, 0.1, _slowest(best)))
    begin = given[0].parameter if given else best.parameter
    probe = fit_round([with_rates(begin)], Round(view, 8, 1, 0.1, _slowest(best), ORBIT))
    gain = given[0].loss - probe[0].loss if given and probe else np.inf
    if gain < _WORTH and not windows_left(BINARY, view, begin, 1):
        return [], []
    begins = [with_rates(begin, turn) for turn in _TURNS]
    begins += [with_rates(fit.parameter) for fit in known[1:_BEGINS]]
    fits = [*probe, *fit_round(begins, Round(view, 12, 3, 0.1, _slowest(best), ORBIT))]
    first = min(fits, key=lambda fit: fit.loss, default=None)
    if first is None:
        return [], []
    begins = [fit.parameter for fit in fits if fit.loss < first.loss + 2 * ALIKE]
    begins.append(other_side(ORBIT, first.parameter))
    found = fit_round(begins, Round(view, 25, 3, 0.01, _slowest(best), ORBIT))
    return found, _stopped(view, found, given)


def _stopped(view: View, found: Sequence[LensFit], given: Sequence[LensFit]) -> list[LensFit]:
    """The best lenses that turn, stopped and fitted again; none if that is no better than what was known.

    What turning gains is not to be what a fit gains that merely goes on.
    """
    begins = [np.delete(fit.parameter, (7, 8)) for fit in found[:1]]
    again = fit_round(begins, Round(view, 25, 1, 0.01, max(map(_slowest, given), default=1.0)))
    known = min((fit.loss for fit in given), default=np.inf)
    return [fit for fit in again if fit.loss < known - 1.0]


def with_rates(still: FloatArray, turn: float = 0.0) -> FloatArray:
    """Parameters (9,) of lenses that stand still as those of lenses that turn, (11,); radians a year."""
    return np.insert(still, 7, (0.0, turn))


def _slowest(fit: LensFit) -> float:
    """Longest time (days) in which the source crosses its radius."""
    return 5 * crossing_of(fit)


def _view(setting: Setting, at: FloatArray) -> View:
    """The points, fewer where nothing happens."""
    lens = np.concatenate([at[:3], at[-2:]])
    left = windows_left(POINT, setting.view(setting.bands, setting.fine, dark=True), lens)
    return setting.view(condensed(setting, at[:3], left, _PARTS, sharp=True), setting.fine, dark=True)
