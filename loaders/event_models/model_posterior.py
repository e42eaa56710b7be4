"""Posteriors of the parameters of fitted models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from loaders.event_models.binary_search import canonical
from loaders.event_models.emulated_draws import Residuals, sample_residuals
from loaders.event_models.kinds import ANGLES, BINARY, POINT, Kind, View, curves_of, parameters_of, slopes_of
from loaders.event_models.lens_fit import LensFit, information_at, solve_fluxes
from loaders.event_models.posterior import LogDensity, Samples, sample
from loaders.event_models.posterior_sample import NUMBER, alike, fluxes
from loaders.event_models.setting import NUMERIC, Setting, condensed, crossing_time, windows_left
from loaders.stored_curve.band import FloatArray

METHOD = "importance"
"""How posteriors are sampled: by weighted draws."""

_MOST_CALLS = {1: 6000, 2: 3000}
"""Evaluations of a model after which no more is drawn, by the number of lenses: seconds, a minute or two."""

CROSSING_SIGMA = 0.8
"""Natural logarithm by which sources of two lenses cross their radius in more or less time than is usual for
their flux (`crossing_time`), standard deviation: proper motions scatter by 0.2 dex (Penny et al. 2019, ApJS
241, 3), and so do radii of sources of one flux, their colours, distances and dust being different."""

_PARTS = {1: 60, 2: 40}
"""Points left in the time scale of a lens, by the number of lenses (`condense_about`)."""

_LN_T_E, _LN_RHO = BINARY.names(False).index("ln t_E"), BINARY.names(False).index("ln rho")
"""Where they stand among the parameters of two lenses."""

_RADII = np.log(np.geomspace(1e-5, 0.1, 25))
"""Radii of sources, Einstein radii, logarithms: of them the most likely one is where draws begin."""

_STEPS = 3.0
"""Longest steps of a fit that a parameter is drawn about it at most where the points say nothing of it."""


@dataclass(frozen=True)
class Posterior:
    """What the parameters of a model may be.

    Parameters
    ----------
    quantile
        By the names of MulensModel: 15.87, 50 and 84.13 % of the posterior are below, degrees for alpha.
    n_effective
        Of how many independent draws these are.
    n_call
        Evaluations of the model.
    sample
        By the same names, and of fluxes as ``F146_1``, the blend being 0: draws of the same weight, shape
        (n,) each, of which the k-th belong together; units as of the quantiles, and of the light curve. Empty
        where the fluxes are not determined.
    """

    quantile: Mapping[str, tuple[float, float, float]]
    n_effective: float
    n_call: int
    sample: Mapping[str, FloatArray] = field(default_factory=dict, repr=False, compare=False)

    def on_side_of(self, fit: LensFit) -> Posterior:
        """The same as the model of a twin has it: u_0 with its sign."""
        quantile, sample = dict(self.quantile), dict(self.sample)
        if "u_0" in quantile and fit.parameter[1] * quantile["u_0"][1] < 0:
            lower, median, upper = quantile["u_0"]
            quantile["u_0"] = (-upper, -median, -lower)
            if "u_0" in sample:
                sample["u_0"] = -sample["u_0"]
        return replace(self, quantile=quantile, sample=sample)


def has_sides(kind: Kind, fit: LensFit) -> bool:
    """Whether a fit is a single lens with parallax alone: its source may as well pass on the other side."""
    return (
        not kind.circles and kind.n_lens == kind.n_source == 1 and fit.parameter.size > len(kind.names(False))
    )


def posterior_of(
    setting: Setting, kind: Kind, fit: LensFit, twins: Sequence[LensFit] = (), seed: int = 0
) -> Posterior | None:
    """Sample the posterior of a fitted model about the fit and its twins.

    Its density is that of the points, condensed as for the fit, with fluxes at their best, times the prior of
    the parallax, within the limits of fits. Without parallax u_0 is not below zero: both sides are the same.
    Of a single lens with parallax u_0 is how far off the source passes on either side, with the sign of the
    fit. Of two lenses the time in which the source crosses its radius has the prior of its flux, too: often
    light curves set a limit to it only.

    Parameters
    ----------
    setting
        The event.
    kind
        What was fitted.
    fit
        The fit, with or without parallax.
    twins
        Other fits of one lens of the same kind that are nearly as good: each counts by what of the posterior
        is about it.
    seed
        Of random numbers: the same give the same draws.

    Returns
    -------
    Posterior or None
        None where it could not be sampled: the parameters are not determined, or the model is too slow or too
        rough for as many draws as it would take.
    """
    at = canonical(fit.parameter) if kind.n_lens > 1 else fit.parameter
    rng, most = np.random.default_rng(seed), _MOST_CALLS[kind.n_lens]
    try:
        view = _view(setting, kind, at)
        if kind.n_lens > 1:
            found = _of_two_lenses(kind, view, at, rng, most)
        else:
            places = [at, *(twin.parameter for twin in twins)]
            modes = [(place, _covariance(kind, view, place)) for place in places]
            found = sample(density_of(kind, view, at), modes, rng, most)
    except NUMERIC:
        return None
    if found is None:
        return None
    if has_sides(kind, fit):
        found.parameter[:, 1] = np.copysign(found.parameter[:, 1], at[1])
    names = kind.names(at.size > len(kind.names(False)))
    if kind.n_source > 1:
        names = tuple(name + "_1" if name in ("t_0", "u_0") else name for name in names)
    quantile = {
        _plain(name): tuple(_as_stored(name, column).tolist())
        for name, column in zip(names, found.quantiles().T, strict=True)
    }
    return Posterior(quantile, found.n_effective, found.n_call, _sampled(kind, view, names, found, rng))


def _of_two_lenses(
    kind: Kind, view: View, at: FloatArray, rng: np.random.Generator, most: int
) -> Samples | None:
    """Draws from the posterior about a fit of two lenses."""
    usual = usual_crossing(kind, view, at)
    residuals = residuals_of(kind, view, at, usual)
    begin = _likely_radius(residuals, at)
    slope = _crossing(at.size) / CROSSING_SIGMA
    known = np.linalg.inv(_covariance(kind, view, begin)) + np.outer(slope, slope)
    mode = begin, np.asarray(np.linalg.inv(known))
    return sample_residuals(residuals, mode, limits_of(kind, at), rng, most)


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
    given = root > 0

    def residuals(at: FloatArray) -> FloatArray | None:
        """None where numbers fail."""
        try:
            _, left = solve_fluxes(view.points, curves(at, view.points.time))
        except NUMERIC:
            return None
        before = [left, (root * at)[given]]
        if usual is not None:
            before.append(np.array([(_crossing(at.size) @ at - np.log(usual)) / CROSSING_SIGMA]))
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


def _crossing(size: int) -> FloatArray:
    """What of so many parameters of two lenses adds up to the logarithm of that time: ln t_E and ln rho."""
    out = np.zeros(size)
    out[[_LN_T_E, _LN_RHO]] = 1.0
    return out


def _likely_radius(residuals: Residuals, at: FloatArray) -> FloatArray:
    """Parameters with the most likely of some radii: fits leave it anywhere where only a limit is known."""
    best, least = at, np.inf
    for ln_rho in np.unique([*_RADII, at[_LN_RHO]]):
        one = at.copy()
        one[_LN_RHO] = ln_rho
        left = residuals(one)
        if left is not None and left @ left < least:
            best, least = one, float(left @ left)
    return best


def _view(setting: Setting, kind: Kind, at: FloatArray) -> View:
    """The points, fewer where nothing happens."""
    single = at[:3]
    parallax = at[len(kind.names(False)) :]
    lens = np.concatenate([single, parallax])
    left = windows_left(POINT, setting.view(setting.bands, setting.fine, dark=True), lens)
    few = condensed(setting, single, left, _PARTS[kind.n_lens])
    return setting.view(few, setting.fine, dark=True)


def _covariance(kind: Kind, view: View, at: FloatArray) -> FloatArray:
    """How far parameters may go: by the curvature of chi-square, and some of the longest steps at most."""
    given = parameters_of(kind, at)
    slopes = slopes_of(kind, view, given.step)
    known = information_at(view.points, curves_of(kind, view), given, at, slopes)
    return np.asarray(np.linalg.inv(known + np.diag((_STEPS * given.longest) ** -2.0)))


def _sampled(
    kind: Kind, view: View, names: Sequence[str], found: Samples, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Draws that are stored, by their names; none where the fluxes are not determined."""
    parameter, curves = alike(found, NUMBER, rng), curves_of(kind, view)
    try:
        flux = fluxes(view.points, lambda at: curves(at, view.points.time), parameter, rng)
    except NUMERIC:
        return {}
    out = {_plain(name): _as_stored(name, one) for name, one in zip(names, parameter.T, strict=True)}
    numbers = [*range(1, flux.shape[2]), 0]
    for band, element in enumerate(view.points.names):
        out |= {f"{element}_{number}": flux[:, band, k] for k, number in enumerate(numbers)}
    return out


def _plain(name: str) -> str:
    """Name of a parameter as it is stored."""
    return name.removeprefix("ln ")


def _as_stored(name: str, value: FloatArray) -> FloatArray:
    """A parameter as it is stored: logarithms taken away, angles in degrees."""
    if name.startswith("ln "):
        return np.exp(value)
    return np.degrees(value) if name in ANGLES else value
