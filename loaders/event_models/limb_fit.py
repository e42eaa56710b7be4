"""How dark the limb of a source is, where its light curve sees that.

Tables know the limbs of stars whose temperature is known; that of a source is not. Where a lens or a
caustic crosses it the light curve tells better, and a limb that is wrong by a third moves its radius by
several errors. All elements have the darkness of tables times one factor, which is about one (`SIGMA`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from loaders.event_models.kinds import Kind, View, curves_of, parameters_of, slopes_of
from loaders.event_models.lens_fit import LensFit, derivatives, normal_equations, solve_fluxes
from loaders.event_models.limb import SIGMA
from loaders.event_models.one_fit import fit_from
from loaders.event_models.setting import NUMERIC, Setting
from loaders.stored_curve.band import Band, FloatArray

_SEEN = 4.0
"""Chi-square between limbs as in tables and none at all, from which it is asked: a third of it is less than
an error then."""

_DIFFERENCE = 0.1
"""Difference of the factor for derivatives."""

_HOPELESS = 100.0
"""Chi-square above the best from which another fit stays as it was."""

_FAR = 0.3
"""The same for what another limb may do to what is left: one standard deviation."""

_ROUNDS, _ENOUGH = 4, 0.02
"""Steps at most, and the one below which a step is the last."""


Refit = Callable[[Kind, View, FloatArray], LensFit | None]
"""How a kind is fitted to the points of a view from a place; None where numbers fail."""


def all_with_own_limb(
    setting: Setting, kind: Kind, bands: Sequence[Band], fits: Sequence[LensFit], refit: Refit = fit_from
) -> tuple[Setting, list[LensFit]]:
    """The same of several fits of a kind, the best first: the limb is that of the best, of all of them.

    Those that are hopelessly worse are not fitted again.
    """
    if not fits:
        return setting, []
    own, best = with_own_limb(setting, kind, bands, fits[0], refit)
    if own is setting:
        return setting, list(fits)
    view, again = own.view(bands, own.fine, dark=True), []
    for fit in fits[1:]:
        near = fit.loss < fits[0].loss + _HOPELESS
        again.append((refit(kind, view, fit.parameter) if near else None) or fit)
    return own, sorted([best, *counted(own, again)], key=lambda fit: fit.loss)


def with_own_limb(
    setting: Setting, kind: Kind, bands: Sequence[Band], fit: LensFit, refit: Refit = fit_from
) -> tuple[Setting, LensFit]:
    """Fit how dark the limb is, with all else.

    Parameters
    ----------
    setting
        The event.
    kind, fit
        A fit, with or without parallax.
    bands
        The points that it is fitted to, condensed.
    refit
        How a kind is fitted to the points of a view from a place.

    Returns
    -------
    setting, fit
        With the darkness that fits best, and the fit with it; what its prior adds counts as its surprise. As
        they were given where the light curve does not see the limb, or the source is a point.
    """
    try:
        if not kind.finite or seen(setting, kind, bands, fit.parameter) < _SEEN:
            return setting, fit
        best = setting, counted(setting, [fit])[0]
        for _ in range(_ROUNDS):
            step = _step(best[0], kind, bands, best[1].parameter)
            moved = replace(setting, darkness=_within(setting, best[0].darkness + step))
            again = refit(kind, moved.view(bands, moved.fine, dark=True), best[1].parameter)
            if again is None or again.loss + surprise(moved) >= best[1].loss:
                break
            best = moved, counted(moved, [again])[0]
            if abs(step) < _ENOUGH:
                break
    except NUMERIC:
        return setting, fit
    return best


def counted(setting: Setting, fits: Sequence[LensFit]) -> list[LensFit]:
    """Fits with what the prior of the darkness adds to their surprise."""
    return [replace(fit, surprise=fit.surprise + surprise(setting)) for fit in fits]


def surprise(setting: Setting) -> float:
    """What the prior of the darkness adds to chi-square."""
    return ((setting.darkness - 1.0) / SIGMA) ** 2


def seen(setting: Setting, kind: Kind, bands: Sequence[Band], at: FloatArray) -> float:
    """Chi-square between the limb as it usually is and none, all parameters but fluxes being the same."""
    view = setting.view(bands, setting.fine, dark=True)
    if not view.limb.any():
        return 0.0
    off = residuals(kind, view, at) - residuals(kind, replace(view, limb=np.zeros_like(view.limb)), at)
    return float(off @ off)


def without_limb(kind: Kind, view: View, about: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Take from what is left of the points what another limb might do: so a posterior holds for any limb.

    Parameters
    ----------
    kind, about
        Kind and parameters, shape (p,), of the model that fits best.
    view
        The points, with the limb that fits best.

    Returns
    -------
    function
        From residuals, in errors, shape (n,), to residuals, shape (n + 1,). The sum of their squares is the
        least that any darkness leaves, with what its prior adds: residuals are nearly linear in it.
    """
    usual = view.usual
    if usual is None or not usual.any() or not kind.finite:
        return lambda left: left
    most = int(np.argmax(usual))
    surprise = float((view.limb[most] / usual[most] - 1.0) / SIGMA)
    along = _direction(kind, view, usual, about)

    def across(left: FloatArray) -> FloatArray:
        """What is left across the direction in which the darkness moves it."""
        whole = np.append(left, surprise)
        return np.asarray(whole - along * (along @ whole))

    return across


def _direction(kind: Kind, view: View, usual: FloatArray, about: FloatArray) -> FloatArray:
    """How what is left of the points, and the prior, change with the darkness: a unit vector, (n + 1,)."""
    step = _FAR if float((view.limb + _FAR * usual).max()) <= 1.0 else -_FAR
    other = replace(view, limb=np.maximum(view.limb + step * usual, 0.0))
    change = (residuals(kind, other, about) - residuals(kind, view, about)) / step
    whole = np.append(change, 1 / SIGMA)
    return np.asarray(whole / np.linalg.norm(whole))


def residuals(kind: Kind, view: View, at: FloatArray) -> FloatArray:
    """What a model leaves of the points of a view, fluxes at their best, in errors, shape (n,)."""
    return solve_fluxes(view.points, curves_of(kind, view)(at, view.points.time))[1]


def _within(setting: Setting, darkness: float) -> float:
    """A factor with which limbs are neither bright nor more than dark."""
    return float(np.clip(darkness, 0.0, 1 / float(setting.limb.max())))


def _step(setting: Setting, kind: Kind, bands: Sequence[Band], at: FloatArray) -> float:
    """By what the factor changes in a step of least squares that moves all other parameters, too."""
    view, given = setting.view(bands, setting.fine, dark=True), parameters_of(kind, at)
    model = curves_of(kind, view)
    curves = model(at, view.points.time)
    flux, left = solve_fluxes(view.points, curves)
    known = derivatives(view.points, model, given, (at, curves), slopes_of(kind, view, given.step))
    down = _DIFFERENCE if setting.darkness > _DIFFERENCE else -_DIFFERENCE
    other = replace(setting, darkness=setting.darkness - down).view(bands, setting.fine, dark=True)
    darker = (curves - curves_of(kind, other)(at, view.points.time)) / down
    matrix, right = normal_equations(view.points, np.concatenate([known, darker[None]]), (curves, flux, left))
    before = np.append(given.information, SIGMA**-2.0)
    matrix = matrix + np.diag(before)
    right = right - before * np.append(at, setting.darkness - 1.0)
    return float(np.linalg.solve(matrix, right)[-1])
