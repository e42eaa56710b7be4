"""Relative proper motion by two PSFs fitted to late images.

Source and lens are drawn as two stars whose total light, common place and motion are free, whose shares of
the light are those of the model of the event, and whose separation grows as ``Δθ = μ (t - t₀)`` (Bennett,
Anderson & Gaudi 2007, ApJ 660, 781; Bhattacharya et al. 2018, AJ 156, 289, who hold shares likewise). The
light is drawn out as the square of the separation, ``f (1 - f) Δθ²``; on which side the fainter star is,
only its cube says. Sky and shift of an exposure are its own and are eliminated; neighbours have constant
fluxes. Nothing is resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.psf.model import FloatArray
from loaders.refined_photometry.exposures import Cutouts, SceneStars
from loaders.relative_motion.outcome import ELONGATION, RelativeMotion, status_of

_FIXED = 6
"""Common unknowns beside fluxes: place, its drift, relative motion; two components each."""

_TINY = 1e-9
"""Share by which diagonals are raised: what cannot be told apart stays where it is."""

_SIDES = 9.0
"""Chi-square by which one side is better than the other: three errors."""


@dataclass(frozen=True)
class ElongationOptions:
    """How it is fitted.

    Parameters
    ----------
    radius
        Radius of the disc of pixels.
    flux_error
        Error of catalogued fluxes of neighbours, as a share of them.
    place_error, shift_error
        Errors of the catalogued place, mas (and mas/yr), and of the WCS, pixels.
    psf_error
        Error of the PSF in a pixel, as a share of the light.
    start
        Separation at the mean epoch, mas, from which fits begin, in each of six directions.
    first_rounds, rounds, tolerance
        Steps from each start, most steps of the best of them, and the fall of chi-square at which they end.
    fewest
        Exposures that are needed.
    """

    radius: float = 4.0
    flux_error: float = 0.3
    place_error: float = 50.0
    shift_error: float = 0.05
    psf_error: float = 0.002
    start: float = 30.0
    first_rounds: int = 4
    rounds: int = 20
    tolerance: float = 1e-2
    fewest: int = 10


@dataclass(frozen=True)
class Pair:
    """Late exposures of an event, n of them, of one optical element.

    Parameters
    ----------
    cutouts, stars
        Pixels around the event, and the stars there; the target is source and lens together.
    age
        Shape (n,): years since they were at one place.
    share, share_err
        Share of the lens in the light without magnification.
    """

    cutouts: Cutouts
    stars: SceneStars
    age: FloatArray
    share: float
    share_err: float = 0.0


@dataclass(frozen=True)
class _State:
    """Fluxes (k,), the fixed unknowns (6,), and of each exposure sky and shift, (n, 3)."""

    flux: FloatArray
    fixed: FloatArray
    own: FloatArray


@dataclass(frozen=True)
class _Solved:
    """A state with its chi-square (priors included), and the covariance of the relative motion."""

    state: _State
    chi2: float
    covariance: FloatArray

    @property
    def motion(self) -> FloatArray:
        """Relative motion, east and north."""
        return self.state.fixed[4:]


def elongation_motion(
    pair: Pair, epoch: float, n_season: int, element: str, options: ElongationOptions | None = None
) -> RelativeMotion:
    """Relative proper motion of source and lens.

    Parameters
    ----------
    pair
        The exposures.
    epoch
        Their mean epoch, Julian year.
    n_season, element
        Seasons and optical element that they are of, for the record.
    options
        How.
    """
    options = options or ElongationOptions()
    empty = RelativeMotion(ELONGATION, "few_epochs", n_season, len(pair.cutouts))
    if len(pair.cutouts) < options.fewest:
        return empty
    with np.errstate(all="ignore"):
        alone = _solve(pair, _beginning(pair), options, hold=True)
        first = replace(options, rounds=options.first_rounds)
        found = [_solve(pair, one, first) for one in _starts(pair, alone.state, options)]
        best = _solve(pair, min(found, key=lambda one: one.chi2).state, options)
    if not (np.isfinite(best.chi2) and np.isfinite(best.covariance).all()):
        return replace(empty, status="fit_failed")
    turned = np.concatenate([best.state.fixed[:4], -best.motion])
    other = _solve(pair, replace(best.state, fixed=turned), options)
    covariance = best.covariance + _of_share(pair, best, options)
    chi2_zero = max(alone.chi2 - best.chi2, 0.0)
    free = sum(int((_weights(pair, best.state, e, options)[1] > 0).sum()) for e in range(len(pair.age)))
    return RelativeMotion(
        ELONGATION,
        status_of(chi2_zero),
        n_season,
        len(pair.cutouts),
        best.motion,
        covariance,
        epoch,
        (element,),
        chi2_zero,
        None,
        best.chi2 / max(free - best.state.flux.size - _FIXED - best.state.own.size, 1),
        (pair.share, pair.share_err),
        bool(other.chi2 - best.chi2 > _SIDES or best.motion @ other.motion > 0),
    )


def _beginning(pair: Pair) -> _State:
    """What is known before: catalogued fluxes, one place, the sky of the darkest pixels."""
    sky = np.array([np.quantile(one[good], 0.1) if good.any() else 0.0 for one, good in _pixels(pair)])
    own = np.column_stack([sky, np.zeros((sky.size, 2))])
    return _State(np.nan_to_num(pair.stars.flux), np.zeros(_FIXED), own)


def _pixels(pair: Pair) -> zip[tuple[FloatArray, FloatArray]]:
    return zip(pair.cutouts.data, pair.cutouts.usable, strict=True)


def _starts(pair: Pair, alone: _State, options: ElongationOptions) -> Sequence[_State]:
    """The fit of one PSF, drawn out to six sides."""
    fastest = options.start / max(float(np.abs(pair.age).mean()), 1e-3)
    sides = [fastest * np.array([np.cos(one), np.sin(one)]) for one in np.arange(6) * np.pi / 3]
    return [replace(alone, fixed=np.concatenate([alone.fixed[:4], one])) for one in sides]


def _solve(pair: Pair, state: _State, options: ElongationOptions, hold: bool = False) -> _Solved:
    """Levenberg-Marquardt steps of all unknowns; with ``hold`` source and lens stay at one place."""
    damping, chi2, equations = 1e-3, *_equations(pair, state, options, hold)
    for _ in range(options.rounds):
        new = _stepped(state, equations, damping)
        new_chi2, new_equations = _equations(pair, new, options, hold)
        if not new_chi2 < chi2:
            damping *= 10
            if damping > 1e6:
                break
            continue
        fall = chi2 - new_chi2
        state, chi2, equations, damping = new, new_chi2, new_equations, damping / 10
        if fall < options.tolerance:
            break
    covariance = np.full((2, 2), np.nan)
    if not hold:
        normal = equations[0] + np.diag(_TINY * np.diag(equations[0]))
        covariance = np.linalg.inv(normal)[-2:, -2:]
    return _Solved(state, chi2, np.asarray(covariance, dtype=np.float64))


_Equations = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def _equations(pair: Pair, state: _State, options: ElongationOptions, hold: bool) -> tuple[float, _Equations]:
    """Chi-square; normal equations; what is of exposures, (n, 3), and how it answers, (n, 3, size)."""
    n, size = len(pair.age), state.flux.size + _FIXED
    normal, right = np.zeros((size, size)), np.zeros(size)
    own, response = np.zeros((n, 3)), np.zeros((n, 3, size))
    precision, pull = _priors(pair, state, options)
    chi2 = float((pull**2 / np.where(precision > 0, precision, 1.0)).sum())
    of_shift = np.array([0.0, 1.0, 1.0]) * options.shift_error**-2.0
    for e in range(n):
        residual, weight, rows = _weights(pair, state, e, options)
        scaled = rows * np.sqrt(weight)
        common, mine, left = scaled[:size], scaled[size:], residual * np.sqrt(weight)
        inner = mine @ mine.T + np.diag(of_shift + _TINY * (mine**2).sum(axis=1) + 1e-300)
        inverse = np.linalg.inv(inner)
        own[e] = inverse @ (mine @ left - of_shift * state.own[e])
        response[e] = inverse @ (mine @ common.T)
        normal += common @ common.T - (common @ mine.T) @ response[e]
        right += common @ left - (common @ mine.T) @ own[e]
        chi2 += float(left @ left + of_shift @ state.own[e] ** 2)
    normal[np.diag_indices(size)] += precision
    right += pull
    if hold:
        normal[-2:, :], normal[:, -2:], right[-2:] = 0.0, 0.0, 0.0
        normal[[-2, -1], [-2, -1]] = 1.0
    return chi2, (normal, right, own, response)


def _stepped(state: _State, equations: _Equations, damping: float) -> _State:
    """The state after a step."""
    normal, right, own, response = equations
    raised = normal + np.diag((damping + _TINY) * np.diag(normal) + 1e-300)
    step = np.linalg.solve(raised, right)
    k = state.flux.size
    return _State(state.flux + step[:k], state.fixed + step[k:], state.own + own - response @ step)


def _priors(pair: Pair, state: _State, options: ElongationOptions) -> tuple[FloatArray, FloatArray]:
    """Inverse variances, and what they pull with; of the light of source and lens nothing is known."""
    known = np.nan_to_num(pair.stars.flux)
    error = np.maximum(options.flux_error * np.abs(known), 1e-3)
    of_flux = error**-2.0
    of_flux[pair.stars.target] = 0.0
    of_fixed = np.array([*[options.place_error**-2.0] * 4, 0.0, 0.0])
    precision = np.concatenate([of_flux, of_fixed])
    return precision, precision * np.concatenate([known - state.flux, -state.fixed])


def _weights(
    pair: Pair, state: _State, e: int, options: ElongationOptions
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Residuals and inverse variances of the pixels of an exposure, and derivatives, (size + 3, p)."""
    cutouts, target = pair.cutouts, pair.stars.target
    model, rows = _draw(pair, state, e)
    beyond = cutouts.beyond[e].ravel()
    light = np.maximum(model + beyond, 0.0)
    variance = cutouts.scale[e].ravel() * (cutouts.read[e] + cutouts.poisson[e] * light)
    variance = variance + (options.psf_error * np.maximum(light - state.own[e, 0], 0.0)) ** 2
    row, column = np.indices((cutouts.side, cutouts.side)).reshape(2, -1)
    disc = np.hypot(row - cutouts.y[e, target], column - cutouts.x[e, target]) <= options.radius
    good = cutouts.usable[e].ravel() & disc
    residual = np.where(good, cutouts.data[e].ravel() - model, 0.0)
    return residual, np.where(good, 1 / np.maximum(variance, 1e-30), 0.0), rows


def _draw(pair: Pair, state: _State, e: int) -> tuple[FloatArray, FloatArray]:
    """All light of an exposure, shape (p,), and its derivatives by all unknowns, (size + 3, p)."""
    cutouts, target, share = pair.cutouts, pair.stars.target, pair.share
    turn, age = cutouts.to_pixel[e], pair.age[e]
    since = age - pair.age.mean()
    centre, drift, motion = state.fixed.reshape(3, 2)
    moved = turn @ (centre + drift * since)
    apart = turn @ (motion * age)
    x, y = cutouts.x[e] + state.own[e, 1], cutouts.y[e] + state.own[e, 2]
    source, lens = moved - share * apart, moved + (1 - share) * apart
    xs = np.concatenate([x, [x[target] + source[0], x[target] + lens[0]]])
    ys = np.concatenate([y, [y[target] + source[1], y[target] + lens[1]]])
    drawn = cutouts.psfs[cutouts.psf[e]].light(xs, ys, cutouts.side)
    stars, of_source, of_lens = drawn[:, :-2].copy(), drawn[:, -2], drawn[:, -1]
    stars[:, target] = (1 - share) * of_source + share * of_lens
    light = np.einsum("k,akp->ap", state.flux, stars)
    total = state.flux[target]
    place = total * (turn.T @ stars[1:, target])
    relative = total * share * (1 - share) * age * (turn.T @ (of_lens - of_source)[1:])
    own = np.stack([np.ones(light.shape[1]), light[1], light[2]])
    return light[0] + state.own[e, 0], np.concatenate([stars[0], place, since * place, relative, own])


def _of_share(pair: Pair, best: _Solved, options: ElongationOptions) -> FloatArray:
    """Covariance of the motion that the error of the share makes, shape (2, 2), by a difference."""
    if not pair.share_err > 0:
        return np.zeros((2, 2))
    step = pair.share_err if pair.share + pair.share_err < 1 else -pair.share_err
    other = _solve(replace(pair, share=pair.share + step), best.state, options)
    change = other.motion - best.motion
    return np.asarray(np.outer(change, change))
