"""Densities of posteriors: what is known of the parameters of models before a light curve is seen, and by it.

The prior is here alone. It is flat in t_0, u_0, ln t_E, ln s, ln q, alpha and ln rho, within the limits of
fits: what has a scale of its own is as likely to be ten times larger, and places and directions are all
alike. The parallax and the rates of lenses that turn are normal about zero (`loaders.event_models.kinds`). Of
two lenses the time in which the source crosses its radius is log-normal about what is usual for its flux. How
dark limbs are is integrated over (`loaders.event_models.limb_fit`).
"""

from __future__ import annotations

import numpy as np

from loaders.event_models.emulated_draws import Residuals
from loaders.event_models.kinds import BINARY, Kind, View, curves_of, parameters_of, slopes_of
from loaders.event_models.lens_fit import information_at, solve_fluxes
from loaders.event_models.limb_fit import without_limb
from loaders.event_models.posterior import LogDensity
from loaders.event_models.setting import NUMERIC, crossing_time
from loaders.stored_curve.band import FloatArray

CROSSING_SIGMA = 0.55
"""Natural logarithm by which sources of two lenses cross their radius in more or less time than is usual for
their flux (`crossing_time`), standard deviation: proper motions scatter by 0.2 dex (Penny et al. 2019, ApJS
241, 3), and radii of sources of one flux by some 0.3, their colours, distances and dust being different."""

_LN_T_E, _LN_RHO = BINARY.names(False).index("ln t_E"), BINARY.names(False).index("ln rho")
"""Where they stand among the parameters of two lenses."""

_STEPS = 3.0
"""Longest steps of a fit that a parameter is drawn about it at most where the points say nothing of it."""


def density_of(kind: Kind, view: View, about: FloatArray) -> LogDensity:
    """Logarithm of the posterior density of parameters, up to a constant.

    Parameters
    ----------
    kind, view
        As of `curves_of`.
    about
        Shape (p,): parameters, with or without parallax, which the posterior is about.
    """
    lower, upper = limits_of(kind, about)
    residuals = residuals_of(kind, view, about)

    def density(at: FloatArray) -> float:
        """Minus infinity beyond the limits, and where numbers fail."""
        if (at < lower).any() or (at > upper).any():
            return -np.inf
        left = residuals(at)
        value = -np.inf if left is None else -0.5 * float(left @ left)
        return value if np.isfinite(value) else -np.inf

    return density


def residuals_of(kind: Kind, view: View, about: FloatArray, usual: float | None = None) -> Residuals:
    """What parameters leave of the points, with fluxes at their best, and of what was known before, errors.

    Minus half the sum of their squares is the logarithm of the posterior density, up to a constant.

    Parameters
    ----------
    kind, view, about
        As of `density_of`.
    usual
        Time in which the source usually crosses its radius, days; None where that is not asked.
    """
    curves = curves_of(kind, view)
    root = np.sqrt(parameters_of(kind, about).information)
    given, across = root > 0, without_limb(kind, view, about)

    def residuals(at: FloatArray) -> FloatArray | None:
        """None where numbers fail."""
        try:
            _, left = solve_fluxes(view.points, curves(at, view.points.time))
        except NUMERIC:
            return None
        before = [across(left), (root * at)[given]]
        if usual is not None:
            before.append(np.array([(crossing_slope(at.size) @ at - np.log(usual)) / CROSSING_SIGMA]))
        return np.concatenate(before)

    return residuals


def limits_of(kind: Kind, about: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least and greatest parameters, shape (p,) each; u_0 is not below zero where both sides are the same."""
    given = parameters_of(kind, about)
    lower = given.lower.copy()
    if about.size == len(kind.names(False)) and about[1] >= 0:
        lower[1] = 0.0
    return lower, given.upper


def usual_crossing(kind: Kind, view: View, at: FloatArray) -> float:
    """Time (days) in which a source of the flux that a model says usually crosses its radius."""
    flux, _ = solve_fluxes(view.points, curves_of(kind, view)(at, view.points.time))
    return crossing_time(float(flux[int(np.argmax(np.diff(view.points.start))), 0]))


def crossing_slope(size: int) -> FloatArray:
    """What of so many parameters of two lenses adds up to the logarithm of that time: ln t_E and ln rho."""
    out = np.zeros(size)
    out[[_LN_T_E, _LN_RHO]] = 1.0
    return out


def covariance_at(kind: Kind, view: View, at: FloatArray) -> FloatArray:
    """How far parameters may go: by the curvature of chi-square, and some of the longest steps at most."""
    given = parameters_of(kind, at)
    slopes = slopes_of(kind, view, given.step)
    known = information_at(view.points, curves_of(kind, view), given, at, slopes)
    return np.asarray(np.linalg.inv(known + np.diag((_STEPS * given.longest) ** -2.0)))
