"""Where fits of a companion begin: companions of a known lens tried one by one, its path held.

Fluxes are linear, so that one magnification curve tells how well a companion could do. Two sets are tried: a
grid of all, for anomalies near the peak; and, for each window in which the single lens is off, those whose
caustics lie where the source was then (Gould & Loeb 1992, ApJ 396, 104): at separation u the images are at
``(√(u² + 4) ± u) / 2``, and a planet shows next to one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from time import process_time

import numpy as np
from scipy import ndimage

from loaders.event_models.kinds import POINT, View, path, turned
from loaders.event_models.lens_fit import solve_fluxes
from loaders.event_models.structure import Window
from loaders.lens.binary_lens import Disc, disc_magnification_of
from loaders.stored_curve.band import FloatArray

_LN_S = np.linspace(-1.1, 1.1, 15)
_LOG_Q = np.linspace(-4.75, -0.25, 8)
_ALPHA = np.linspace(0.0, 2 * np.pi, 32, endpoint=False)

_OWN_LOG_Q = np.linspace(-5.5, -1.0, 10)
_BESIDE = (-1.0, 0.0, 1.0)
"""Half widths of the caustic by which the source may pass beside its middle."""


@dataclass(frozen=True)
class Seed:
    """Where a fit begins.

    Parameters
    ----------
    parameter
        Shape (7,), of `loaders.event_models.kinds.BINARY` without parallax.
    chi2
        Of the points that were looked at.
    """

    parameter: FloatArray
    chi2: float


def grid_seeds(view: View, host: FloatArray, rho: float) -> list[Seed]:
    """Companions of all separations, mass ratios and directions: those that do better than their neighbours.

    Parameters
    ----------
    view
        Few points, their errors not below some percent.
    host
        The single lens, (t_0, u_0, ln t_E, pi_E_N, pi_E_E).
    rho
        Radius of the source, Einstein radii.

    Returns
    -------
    list of Seed
        The best first.
    """
    own = [np.array([s, q * np.log(10), a, np.log(rho)]) for s, q, a in product(_LN_S, _LOG_Q, _ALPHA)]
    found = _all_tried(view, host, own)
    chi2 = np.array([one.chi2 for one in found]).reshape(_LN_S.size, _LOG_Q.size, _ALPHA.size)
    least = ndimage.minimum_filter(chi2, size=3, mode=("nearest", "nearest", "wrap"))
    best = [found[k] for k in np.flatnonzero(((chi2 <= least) & (chi2 < np.inf)).ravel())]
    return sorted(best, key=lambda seed: seed.chi2)


def _all_tried(view: View, host: FloatArray, own: Sequence[FloatArray]) -> list[Seed]:
    """All companions, each tried once, in an order that leaves none of a kind to the end.

    What comes after the time of a round is up (`View.round_until`) has a chi-square without end.
    """
    until = view.round_until
    found = [Seed(one, np.inf) for one in own]
    for k in np.random.default_rng(7).permutation(len(own)).tolist():
        if process_time() > until:
            break
        found[k] = _tried(view, host, own[k])
    return found


def window_seeds(view: View, host: FloatArray, rho: float, windows: Sequence[Window]) -> list[Seed]:
    """Companions whose caustics the source meets in a window: the best of each window, side and mass.

    Parameters
    ----------
    view, host, rho
        As of `grid_seeds`.
    windows
        Where the single lens is off.
    """
    best = []
    for window, log_q, side in product(windows, _OWN_LOG_Q, (1, -1)):
        own = _meeting(view, host, window, (float(10**log_q), rho, side))
        best.append(min((_tried(view, host, one) for one in own), key=lambda seed: seed.chi2))
    return sorted(best, key=lambda seed: seed.chi2)


def _meeting(
    view: View, host: FloatArray, window: Window, companion: tuple[float, float, int]
) -> Iterator[FloatArray]:
    """Companions of one mass ratio at one image, shape (4,): ln s, ln q, alpha, ln rho."""
    q, rho, side = companion
    tau, beta = path(POINT, view, host)
    at = int(np.argmin(np.abs(view.points.time - window.middle)))
    u = max(float(np.hypot(tau[at], beta[at])), 1e-4)
    alpha = np.arctan2(beta[at], -tau[at]) + (0.0 if side > 0 else np.pi)
    s = (np.sqrt(u * u + 4) + side * u) / 2
    for along, across in product(_BESIDE, _across(s, side)):
        size = max(np.sqrt(q) / max(s, 1.0), rho)
        # The caustic lies at s - 1 / s from the lens.
        moved = s + along * size / (1 + 1 / s**2)
        turn = across * size / max(u, size)
        yield np.array([np.log(max(moved, 0.1)), np.log(q), alpha + turn, np.log(rho)])


def _across(s: float, side: int) -> tuple[float, ...]:
    """Where the source may pass, across the axis, in √q: close lenses have two caustics beside it."""
    if side > 0:
        return _BESIDE
    beside = 2 * np.sqrt(max(1 - s * s, 0.0)) / s
    return (-beside, 0.0, beside)


def _tried(view: View, host: FloatArray, own: FloatArray) -> Seed:
    """How well a companion does along the path of the source."""
    parameter = about_centre_of_mass(host, own)
    s, q, rho = (float(np.exp(own[k])) for k in (0, 1, 3))
    tau, beta = path(POINT, view, np.concatenate([parameter[:3], host[3:]]))
    x, y = turned(tau, beta, float(own[2]))
    curve = disc_magnification_of(x, y, (s, q), Disc(rho, 0.0, view.accuracy))
    _, residual = solve_fluxes(view.points, curve[None])
    return Seed(parameter, float(residual @ residual))


def about_centre_of_mass(host: FloatArray, own: FloatArray) -> FloatArray:
    """Parameters of a lens and a companion, shape (7,), the lens having been known alone.

    Alone, a lens is seen at the centre of mass of close pairs; of wide ones where its image is, which the
    other draws by ``q / (1 + q) / s`` towards itself (Di Stefano & Mao 1996, ApJ 457, 93).
    """
    s, q, alpha = float(np.exp(own[0])), float(np.exp(own[1])), float(own[2])
    centre = q / (1 + q) * (1 / s - s) if s > 1 else 0.0
    t_0 = host[0] + centre * np.cos(alpha) * np.exp(host[2])
    return np.concatenate([[t_0, host[1] + centre * np.sin(alpha), host[2]], own])
