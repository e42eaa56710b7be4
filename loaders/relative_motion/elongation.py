"""Relative proper motion by two PSFs fitted to late images.

Source and lens are drawn as two stars whose shares of the light are those of the model of the event, and
whose separation grows as ``Δθ = μ (t - t₀)`` (Bennett, Anderson & Gaudi 2007, ApJ 660, 781; Bhattacharya et
al. 2018, AJ 156, 289, who hold shares likewise). Exposures of each season, detector and optical element have
a place, a drift and fluxes of their own; the motion is that of all. The light is drawn out as the square of
the separation, ``f (1 - f) Δθ²``; on which side the fainter star is, only its cube says. Sky and shift of an
exposure are its own and are eliminated. That the PSF of an element is off in all exposures alike is a term
of the fit. Nothing is resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from loaders.psf.model import FloatArray
from loaders.relative_motion.outcome import ELONGATION, RelativeMotion, status_of
from loaders.relative_motion.pair_fit import ElongationOptions, Pair, PairFit, Solved, State
from loaders.relative_motion.shares import Shares

_SIDES = 9.0
"""Chi-square by which one side is better than the other: three errors."""


def elongation_motion(
    pairs: Sequence[Pair],
    shares: Shares,
    t_0: float,
    n_season: int,
    options: ElongationOptions | None = None,
) -> RelativeMotion:
    """Relative proper motion of source and lens.

    Parameters
    ----------
    pairs
        The exposures, in elements that have shares.
    shares
        Shares of the lens.
    t_0
        Julian year at which source and lens were at one place.
    n_season
        Seasons that they are of, for the record.
    options
        How.
    """
    options = options or ElongationOptions()
    n = sum(len(pair.age) for pair in pairs)
    empty = RelativeMotion(ELONGATION, "few_epochs", n_season, n)
    if n < options.fewest:
        return empty
    share = dict(zip(shares.elements, shares.value.tolist(), strict=True))
    try:
        with np.errstate(all="ignore"):
            fit, alone, best = _fitted(PairFit.of(pairs, share, options))
            best, other = _both_sides(fit, best)
            of_shares = _of_shares(fit, best, shares)
    except np.linalg.LinAlgError:
        return replace(empty, status="fit_failed")
    reduced = best.chi2 / max(fit.n_pixel - fit.n_unknown, 1)
    covariance = best.covariance * max(reduced, 1.0) + of_shares
    if not (np.isfinite(best.chi2) and np.isfinite(covariance).all() and (np.diag(covariance) > 0).all()):
        return replace(empty, status="fit_failed")
    chi2_zero = max(alone.chi2 - best.chi2, 0.0) / max(reduced, 1.0)
    used = tuple(name for name in shares.elements if name in fit.elements)
    main = shares.elements.index(used[-1])
    return RelativeMotion(
        ELONGATION,
        status_of(chi2_zero),
        n_season,
        n,
        best.state.motion,
        covariance,
        t_0 + float(np.concatenate([pair.age for pair in pairs]).mean()),
        used,
        chi2_zero,
        None,
        reduced,
        (float(shares.value[main]), float(np.sqrt(shares.covariance[main, main]))),
        bool(
            other.chi2 - best.chi2 > _SIDES * max(reduced, 1.0) or best.state.motion @ other.state.motion > 0
        ),
    )


def _both_sides(fit: PairFit, best: Solved) -> tuple[Solved, Solved]:
    """The fit with the lens on the one side and on the other, the better first."""
    other = fit.solve(best.state.with_motion(-best.state.motion))
    return (best, other) if best.chi2 <= other.chi2 else (other, best)


def _is_sided(best: Solved, other: Solved, scale: float) -> bool:
    """Whether a fit that began on the other side is worse, or came back."""
    is_worse = other.chi2 - best.chi2 > _SIDES * scale
    return bool(is_worse or best.state.motion @ other.state.motion > 0)


def _fitted(fit: PairFit) -> tuple[PairFit, Solved, Solved]:
    """The fit without pixels that are far off; the best with one PSF, and with two."""
    alone = fit.solve(fit.beginning(), hold=True)
    fit = fit.prepared(alone.state)
    alone = fit.solve(alone.state, hold=True)
    found = [fit.solve(one, rounds=fit.options.first_rounds) for one in _starts(fit, alone.state)]
    return fit, alone, fit.solve(min(found, key=lambda one: one.chi2).state)


def _starts(fit: PairFit, alone: State) -> list[State]:
    """The fit of one PSF, drawn out to six sides."""
    age = float(np.abs(np.concatenate([pair.age for pair in fit.pairs])).mean())
    fastest = fit.options.start / max(age, 1e-3)
    sides = [fastest * np.array([np.cos(one), np.sin(one)]) for one in np.arange(6) * np.pi / 3]
    return [alone.with_motion(one) for one in sides]


def _of_shares(fit: PairFit, best: Solved, shares: Shares) -> FloatArray:
    """Covariance of the motion that errors of the shares make, shape (2, 2), by differences."""
    slope = np.zeros((2, len(shares.elements)))
    for k, name in enumerate(shares.elements):
        step = float(np.sqrt(shares.covariance[k, k]))
        if name not in fit.elements or not step > 0:
            continue
        step = step if shares.value[k] + step < 1 else -step
        other = replace(fit, share=fit.share | {name: float(shares.value[k]) + step}).solve(best.state)
        slope[:, k] = (other.state.motion - best.state.motion) / step
    return np.asarray(slope @ shares.covariance @ slope.T)
