"""The search for companions: many seeds, fitted with wide errors first, fewer and fewer with right ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.event_models.curve import Band, FloatArray
from loaders.event_models.kinds import BINARY, View, binary_slopes, curves_of, parameters_of
from loaders.event_models.lens_fit import LensFit, fit_lens

NUMERIC = (np.linalg.LinAlgError, ValueError, FloatingPointError, ZeroDivisionError, OverflowError)
"""What a fit may fail with that wandered off: the event then has that fit less."""


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
    """

    view: View
    steps: int
    keep: int
    enough: float = 0.01


def softened(bands: Sequence[Band], floor: float) -> list[Band]:
    """Light curves whose errors are not below a share of how far the flux is above its median."""
    out = []
    for band in bands:
        above = np.abs(band.flux - np.median(band.flux))
        out.append(Band(band.name, band.time, band.flux, np.hypot(band.error, floor * above)))
    return out


def fit_round(begins: Iterable[FloatArray], by: Round) -> list[LensFit]:
    """Fit from many places; the best of those that differ, the best first."""
    fits = [fit for begin in begins if (fit := _fit(begin, by)) is not None]
    return distinct(fits, by.keep)


def _fit(begin: FloatArray, by: Round) -> LensFit | None:
    """A fit; None where its numbers fail."""
    try:
        parameters = replace(parameters_of(BINARY, begin), enough=by.enough)
        slopes = binary_slopes(by.view, parameters.step)
        fit = fit_lens(
            by.view.points, curves_of(BINARY, by.view), parameters, begin, by.steps, slopes
        )
    except NUMERIC:
        return None
    return fit if np.isfinite(fit.chi2) else None


def distinct(fits: Iterable[LensFit], most: int) -> list[LensFit]:
    """The best fits, none of which are the same lens twice."""
    kept: list[LensFit] = []
    for fit in sorted(fits, key=lambda fit: fit.chi2):
        if len(kept) == most:
            break
        if not any(_same(fit.parameter, other.parameter) for other in kept):
            kept.append(fit)
    return kept


def _same(one: FloatArray, other: FloatArray) -> bool:
    """Whether two lenses are the same but for what fits do not tell apart."""
    a, b = canonical(one), canonical(other)
    turn = np.abs((a[5] - b[5] + np.pi) % (2 * np.pi) - np.pi)
    same_side = a.size == 7 or a[1] * b[1] > 0
    near = abs(a[3] - b[3]) < 0.04 and abs(a[4] - b[4]) < 0.2 and turn < 0.06
    return bool(near and same_side and abs(a[6] - b[6]) < 0.7)


def canonical(parameter: FloatArray) -> FloatArray:
    """The same lens with q at most 1, alpha within a turn and, without parallax, u_0 not below zero."""
    out = parameter.copy()
    if out[4] > 0:
        out[4], out[5] = -out[4], out[5] + np.pi
    if out.size == 7 and out[1] < 0:
        out[1], out[5] = -out[1], -out[5]
    out[5] %= 2 * np.pi
    return out
