"""Fits from many places at a time: the best of those that differ, within a limit of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.event_models.kinds import BINARY, Kind, View, parameters_of
from loaders.event_models.lens_fit import LensFit
from loaders.event_models.one_fit import fit_from
from loaders.event_models.setting import Setting, softened
from loaders.stored_curve.band import Band, FloatArray


@dataclass(frozen=True)
class Round:
    """One round of fits.

    Parameters
    ----------
    view
        The points.
    steps
        Most steps of a fit.
    keep
        How many of the results go on.
    enough
        Fall of chi-square below which a step is the last one.
    slowest
        Longest time (days) in which the source crosses its radius: those that grow without end cost most of
        the time.
    kind
        Two lenses that stand still, or that turn.
    sharp
        Whether derivatives are sharp (`loaders.event_models.one_fit`).
    """

    view: View
    steps: int
    keep: int
    enough: float
    slowest: float
    kind: Kind = BINARY
    sharp: bool = False


def fit_round(begins: Iterable[FloatArray], by: Round) -> list[LensFit]:
    """Fit from many places; the best of those that differ, the best first.

    Places that come after the time of a round is up (`View.round_until`) are not fitted.
    """
    own = replace(by, view=replace(by.view, until=by.view.round_until))
    fits = [fit for begin in begins if (fit := _fit(begin, own)) is not None]
    return distinct(fits, by.keep)


def _fit(begin: FloatArray, by: Round) -> LensFit | None:
    """A fit; None where its numbers fail or its time is up."""
    usual = parameters_of(by.kind, begin)
    upper = usual.upper.copy()
    upper[6] = np.log(by.slowest) - begin[2]
    given = replace(usual, enough=by.enough, upper=upper)
    return fit_from(by.kind, by.view, begin, by.steps, given, by.sharp)


def distinct(fits: Iterable[LensFit], most: int) -> list[LensFit]:
    """The best fits, none of which are the same lens twice."""
    kept: list[LensFit] = []
    for fit in sorted(fits, key=lambda fit: fit.loss):
        if len(kept) == most:
            break
        if not any(_same(fit.parameter, other.parameter) for other in kept):
            kept.append(fit)
    return kept


def _same(one: FloatArray, other: FloatArray) -> bool:
    """Whether two lenses are the same but for what fits do not tell apart."""
    if one.size != other.size:
        return False
    a, b = canonical(one), canonical(other)
    turn = np.abs((a[5] - b[5] + np.pi) % (2 * np.pi) - np.pi)
    near = abs(a[3] - b[3]) < 0.04 and abs(a[4] - b[4]) < 0.2 and turn < 0.06
    return bool(near and abs(a[6] - b[6]) < 0.7 and a[1] * b[1] >= 0)


def canonical_signs(parameter: FloatArray) -> FloatArray:
    """How the parameters of `canonical` turn with those that were fitted, shape (p,): 1 or -1 each."""
    signs = np.ones(parameter.size)
    if parameter[4] > 0:
        signs[4] = -1
    if parameter.size == 7 and parameter[1] < 0:
        signs[[1, 5]] = -1
    return signs


def canonical(parameter: FloatArray) -> FloatArray:
    """The same lens with q at most 1, alpha within a turn and, without parallax, u_0 not below zero."""
    out = parameter.copy()
    if out[4] > 0:
        out[4], out[5] = -out[4], out[5] + np.pi
    if out.size == 7 and out[1] < 0:
        out[1], out[5] = -out[1], -out[5]
    out[5] %= 2 * np.pi
    return out


def down(
    setting: Setting,
    few: Sequence[Band],
    begins: Sequence[FloatArray],
    floors: Sequence[float],
    by: tuple[int, float],
) -> list[LensFit]:
    """Fits whose errors come down; how many of them go on and the slowest source (`Round`) are given."""
    fits: list[LensFit] = []
    for floor in floors:
        view = setting.view(softened(few, floor), max(0.2 * floor, setting.fine))
        fits = fit_round(begins, Round(view, 15, by[0], 0.3, by[1]))
        begins = [fit.parameter for fit in fits]
    return fits


def crossing_of(fit: LensFit) -> float:
    """Time (days) in which the source of a fit crosses its radius."""
    return float(np.exp(fit.parameter[6] + fit.parameter[2]))
