"""Draws from the posterior of two lenses, over all solutions that are known or that a twin leads to.

Two lenses have twins that light curves hardly tell apart: the source passes on the other side (Skowron et
al. 2011, ApJ 738, 87), the companion is close or wide (Dominik 1999, A&A 349, 108), or the source passes
within or without its caustic. The last two go over into each other (Zhang, Gaudi & Bennett 2022, Nature
Astronomy 6, 782): the product of both separations is the square of that at which the companion acts where the
source crosses the axis, 1 at the peak.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from loaders.event_models.emulated_draws import Residuals, sample_residuals
from loaders.event_models.kinds import BINARY, Kind, View, parameters_of
from loaders.event_models.one_fit import fit_from
from loaders.event_models.posterior import Samples
from loaders.event_models.posterior_density import (
    CROSSING_SIGMA,
    covariance_at,
    crossing_slope,
    limits_of,
    residuals_of,
    usual_crossing,
)
from loaders.event_models.rounds import canonical
from loaders.event_models.several_solutions import joined
from loaders.event_models.sides import TURNS, other_side
from loaders.stored_curve.band import FloatArray

_LN_S, _LN_Q, _ALPHA, _LN_RHO = (BINARY.names(False).index(n) for n in ("ln s", "ln q", "alpha", "ln rho"))
"""Where they stand among the parameters of two lenses."""

_RADII = np.log(np.geomspace(1e-5, 0.1, 25))
"""Radii of sources, Einstein radii, logarithms: of them the most likely one is where draws begin."""

_ALIKE, _MOST = 12.0, 6
"""How far above the best what solutions leave may be that are sampled, squares of errors; and how many."""

_STEPS = 15
"""Most steps of a fit of a twin."""

_APART, _HILL = 4.0, 1.0
"""Squared distance of solutions that are two, in the errors of either, and by how much more than the worse of
them is left half-way."""


def of_two_lenses(
    kind: Kind, view: View, places: Sequence[FloatArray], rng: np.random.Generator, most: int
) -> Samples | None:
    """Draws from the posterior about fits of two lenses and their twins.

    Parameters
    ----------
    kind, view
        As of `curves_of`.
    places
        Parameters (p,) of fits, the first one that of the model.
    rng
        Random numbers.
    most
        Evaluations of the model about a solution after which no more is drawn; about all of them half as many
        more.

    Returns
    -------
    Samples or None
        Of all solutions that could be sampled; None if the best one could not.
    """
    residuals = residuals_of(kind, view, places[0], usual_crossing(kind, view, places[0]))
    modes = _modes(kind, view, residuals, places)
    runs, left = [], most + most // 2
    for k, mode in enumerate(modes):
        found = sample_residuals(residuals, mode, limits_of(kind, mode[0]), rng, min(most, left))
        # What could not be sampled took all that it was given.
        left -= min(most, left) if found is None else found.n_call
        if found is not None:
            runs.append(found)
        elif not k:
            return None
    return joined(runs)[0] if runs else None


def _modes(
    kind: Kind, view: View, residuals: Residuals, places: Sequence[FloatArray]
) -> list[tuple[FloatArray, FloatArray]]:
    """Solutions that differ, the best first, with the covariances from which draws begin."""
    alpha = places[0][_ALPHA]
    begins = [*places, *_offset(places[0])]
    fits = [_likely_radius(residuals, at) for at in (places[0], *_refined(kind, view, begins[1:]))]
    if places[0].size > len(kind.names(False)):
        fits += _refined(kind, view, [other_side(kind, at) for at in _best(residuals, fits, _MOST // 2)])
    modes: list[tuple[FloatArray, FloatArray]] = []
    for at in _best(residuals, fits, len(fits)):
        at[_ALPHA] -= 2 * np.pi * np.round((at[_ALPHA] - alpha) / (2 * np.pi))
        mode = at, _covariance(kind, view, at)
        if len(modes) < _MOST and not any(_same(residuals, mode, other) for other in modes):
            modes.append(mode)
    return modes


def on_side(kind: Kind, parameter: FloatArray, at: FloatArray) -> FloatArray:
    """Draws (n, p) as if their source passed on the side that it does at (p,), alpha within a half turn.

    Only what says where the source passes is turned: u_0, alpha and its rate. The parallax stays as it is.
    """
    out = parameter.copy()
    names = kind.names(at.size > len(kind.names(False)))
    other = out[:, 1] * at[1] < 0
    for k in (names.index(name) for name in TURNS[:3] if name in names):
        out[other, k] *= -1
    out[:, _ALPHA] -= 2 * np.pi * np.round((out[:, _ALPHA] - at[_ALPHA]) / (2 * np.pi))
    return out


def _offset(at: FloatArray) -> list[FloatArray]:
    """Places of twins of other separations, by where the source crosses the axis of the lenses.

    It crosses at u_0 / sin α from the centre; a companion acts there if ``s - 1/s`` is the same.
    """
    sine = np.sin(at[_ALPHA])
    crossing = abs(at[1] / sine) if abs(sine) > abs(at[1]) / _FARTHEST else _FARTHEST
    out: list[FloatArray] = []
    for u in (0.0, crossing, -crossing):
        ln_s = 2 * np.log((np.sqrt(u**2 + 4) + u) / 2) - at[_LN_S]
        if not any(abs(ln_s - other[_LN_S]) < _SAME_S for other in (at, *out)):
            one = at.copy()
            one[_LN_S] = ln_s
            out.append(one)
    return out


_FARTHEST, _SAME_S = 5.0, 0.01
"""Einstein radii beyond which nothing is crossed, and difference of ln s of what is the same twin."""


def _refined(kind: Kind, view: View, begins: Iterable[FloatArray]) -> list[FloatArray]:
    """Where fits of the points lead from places; those whose numbers fail are left out."""
    found = (
        fit_from(kind, view, begin, _STEPS, replace(parameters_of(kind, begin), enough=0.1))
        for begin in begins
    )
    return [canonical(fit.parameter) for fit in found if fit is not None]


def _best(residuals: Residuals, places: Sequence[FloatArray], most: int) -> list[FloatArray]:
    """Places that leave hardly more than the best one, which comes first."""
    left = [residuals(at) for at in places]
    loss = np.array([np.inf if one is None else float(one @ one) for one in left])
    return [places[k].copy() for k in np.argsort(loss)[:most] if loss[k] <= loss.min() + _ALIKE]


def _covariance(kind: Kind, view: View, at: FloatArray) -> FloatArray:
    """How far parameters may go, with what is known of the radius of the source."""
    slope = crossing_slope(at.size) / CROSSING_SIGMA
    known = np.linalg.inv(covariance_at(kind, view, at)) + np.outer(slope, slope)
    return np.asarray(np.linalg.inv(known))


def _same(
    residuals: Residuals, one: tuple[FloatArray, FloatArray], other: tuple[FloatArray, FloatArray]
) -> bool:
    """Whether two places are of one solution: close to each other, or without a hill between them."""
    if _distance(one, other) < _APART:
        return True
    left = [residuals(at) for at in (one[0], other[0], (one[0] + other[0]) / 2)]
    loss = [np.inf if some is None else float(some @ some) for some in left]
    return loss[2] < max(loss[:2]) + _HILL


def _distance(one: tuple[FloatArray, FloatArray], other: tuple[FloatArray, FloatArray]) -> float:
    """Squared distance of two solutions in the errors of the one that knows less."""
    off = one[0] - other[0]
    return float(min(off @ np.linalg.solve(mode[1], off) for mode in (one, other)))


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
