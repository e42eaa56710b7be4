"""Fits of one kind of model, from one place or from several."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from loaders.event_models.descent import fit_lens
from loaders.event_models.kinds import Kind, View, curves_of, parameters_of, slopes_of
from loaders.event_models.lens_fit import LensFit, Parameters, Slopes, TimeIsUp
from loaders.event_models.setting import NUMERIC
from loaders.stored_curve.band import FloatArray

_STEPS = 60
"""Most steps of a fit."""

_SMALL = 0.1
"""Differences of sharp fits, in usual ones. Those on one side are off by some percent where caustics are
crossed: what is known to 1e-4 then hides from a fit what is known to a percent."""


def best_of(kind: Kind, view: View, begins: Iterable[FloatArray]) -> LensFit | None:
    """The best of fits of a kind from several places; None if none came to numbers."""
    fits = [fit for begin in begins if (fit := fit_from(kind, view, begin)) is not None]
    best = min(fits, key=lambda fit: fit.loss, default=None)
    # Once more, with differences that fit the source that was found.
    return best and (fit_from(kind, view, best.parameter) or best)


def fit_from(
    kind: Kind,
    view: View,
    begin: FloatArray,
    most_steps: int = _STEPS,
    parameters: Parameters | None = None,
    sharp: bool = False,
) -> LensFit | None:
    """A fit from one place; None where its numbers fail, or where no time is left.

    ``parameters`` say what is fitted and within which limits, if it is not what `parameters_of` says. Sharp
    fits have small differences on both sides as derivatives, which ask for accurate magnifications.
    """
    given = parameters or parameters_of(kind, begin)
    slopes = _central(kind, view, _SMALL * given.step) if sharp else slopes_of(kind, view, given.step)
    try:
        fit = fit_lens(view.points, curves_of(kind, view), given, begin, most_steps, slopes)
    except (*NUMERIC, TimeIsUp):
        return None
    return fit if np.isfinite(fit.chi2) else None


def _central(kind: Kind, view: View, step: FloatArray) -> Slopes | None:
    """Derivatives by differences on both sides; None where there are none of a kind (`slopes_of`)."""
    ahead, behind = slopes_of(kind, view, step), slopes_of(kind, view, -step)
    if ahead is None or behind is None:
        return None

    def slopes(at: FloatArray, curves: FloatArray) -> FloatArray:
        """The mean of both."""
        return np.asarray(0.5 * (ahead(at, curves) + behind(at, curves)))

    return slopes
