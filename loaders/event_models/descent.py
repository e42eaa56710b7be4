"""Fits of any magnification curve to light curves, by damped steps.

Parameters move by Levenberg's and Marquardt's method with derivatives by differences; fluxes follow by linear
algebra (`loaders.event_models.lens_fit`).
"""

from __future__ import annotations

import numpy as np

from loaders.event_models.lens_fit import (
    LensFit,
    Magnification,
    Parameters,
    Points,
    Slopes,
    TimeIsUp,
    differences,
    normal_equations,
    solve_fluxes,
)
from loaders.stored_curve.band import FloatArray

_HOPELESS = 1e6
"""Damping at which no step helps any more."""


def fit_lens(
    points: Points,
    model: Magnification,
    parameters: Parameters,
    begin: FloatArray,
    most_steps: int = 50,
    slopes: Slopes | None = None,
) -> LensFit:
    """Fit a model from a first guess.

    Parameters
    ----------
    points
        The light curves.
    model
        Magnifications by parameters and times.
    parameters
        What the parameters are.
    begin
        Shape (p,): the first guess.
    most_steps
        Most steps.
    slopes
        Derivatives; None: by differences of one parameter after the other.

    Returns
    -------
    LensFit
        Not converged, and perhaps without a covariance, if the time was up (`TimeIsUp`) on the way.

    Raises
    ------
    TimeIsUp
        If it was up before the first step.
    """
    descent = _Descent(points, model, parameters, np.clip(begin, parameters.lower, parameters.upper), slopes)
    try:
        for _ in range(most_steps):
            if descent.step():
                break
        descent.normal()
    except TimeIsUp:
        descent.converged = False
    return descent.fit()


class _Descent:
    """A fit on its way down, by Levenberg's and Marquardt's steps."""

    def __init__(
        self,
        points: Points,
        model: Magnification,
        parameters: Parameters,
        at: FloatArray,
        slopes: Slopes | None,
    ) -> None:
        """The magnifications and fluxes of the place where it begins."""
        self._points, self._model, self._parameters = points, model, parameters
        self._slopes = slopes or differences(points, model, parameters)
        self._damping, self._calls = 1e-2, 1
        self._normal: tuple[FloatArray, FloatArray] | None = None
        self._at, self._curves = at, model(at, points.time)
        self._flux, self._residual = solve_fluxes(points, self._curves)
        self._loss = self._loss_of(at, self._residual)
        self.converged = False

    def _loss_of(self, at: FloatArray, residual: FloatArray) -> float:
        """Chi-square and what the prior adds to it."""
        return float(residual @ residual + self._parameters.information @ at**2)

    def normal(self) -> tuple[FloatArray, FloatArray]:
        """The normal equations of where it is, made once of each place."""
        if self._normal is None:
            state = (self._curves, self._flux, self._residual)
            equations = normal_equations(self._points, self._slopes(self._at, self._curves), state)
            self._normal = _with_prior(equations, self._at, self._parameters.information)
            self._calls += self._at.size
        return self._normal

    def step(self) -> bool:
        """Try one step; whether it was the last one."""
        given = self._parameters
        step = np.clip(_damped(*self.normal(), self._damping), -given.longest, given.longest)
        trial = np.clip(self._at + step, given.lower, given.upper)
        curves = self._model(trial, self._points.time)
        flux, residual = solve_fluxes(self._points, curves)
        self._calls += 1
        fall = self._loss - self._loss_of(trial, residual)
        if fall > 0:
            self.converged = fall < given.enough
            self._at, self._curves, self._flux, self._residual = trial, curves, flux, residual
            self._loss -= fall
            self._damping, self._normal = self._damping / 6, None
        else:
            self._damping *= 5
            self.converged = self._damping > _HOPELESS
        return self.converged

    def fit(self) -> LensFit:
        """Where it is; without a covariance if its normal equations are not known."""
        size = self._at.size
        covariance = np.full((size, size), np.nan) if self._normal is None else _inverse(self._normal[0])
        surprise = float(self._parameters.information @ self._at**2)
        chi2, n_point = self._loss - surprise, self._points.time.size
        return LensFit(self._at, self._flux, chi2, n_point, covariance, self.converged, self._calls, surprise)


def _with_prior(
    normal: tuple[FloatArray, FloatArray], at: FloatArray, information: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Normal equations with what was known before."""
    return normal[0] + np.diag(information), normal[1] - information * at


def _damped(matrix: FloatArray, right: FloatArray, damping: float) -> FloatArray:
    """A step; where nothing depends on a parameter it stays."""
    diagonal = np.maximum(np.diag(matrix), max(1e-12 * float(np.trace(matrix)), 1e-200))
    return np.asarray(np.linalg.solve(matrix + damping * np.diag(diagonal), right))


def _inverse(matrix: FloatArray) -> FloatArray:
    """Covariance; NaN where the parameters are not determined."""
    scale = np.sqrt(np.diag(matrix))
    if not (scale > 0).all():
        return np.full(matrix.shape, np.nan)
    scaled = matrix / np.outer(scale, scale)
    if np.linalg.cond(scaled) > 1e14:
        return np.full(matrix.shape, np.nan)
    return np.asarray(np.linalg.inv(scaled) / np.outer(scale, scale))
