"""Fits of one kind of model, from one place or from several."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from loaders.event_models.kinds import Kind, View, curves_of, parameters_of, slopes_of
from loaders.event_models.lens_fit import LensFit, Parameters, fit_lens
from loaders.event_models.setting import NUMERIC
from loaders.stored_curve.band import FloatArray

_STEPS = 60
"""Most steps of a fit."""


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
) -> LensFit | None:
    """A fit from one place; None where its numbers fail.

    ``parameters`` say what is fitted and within which limits, if it is not what `parameters_of` says.
    """
    given = parameters or parameters_of(kind, begin)
    slopes = slopes_of(kind, view, given.step)
    try:
        fit = fit_lens(view.points, curves_of(kind, view), given, begin, most_steps, slopes)
    except NUMERIC:
        return None
    return fit if np.isfinite(fit.chi2) else None
