"""Different lenses of one kind that a light curve hardly tells apart: the source passes on the other side.

Near the ecliptic, where the bulge is, the Earth's acceleration hardly changes its direction: u_0 and the
parallax across it may change their signs together (Smith, Mao & Paczyński 2003, MNRAS 339, 925; Skowron et
al. 2011, ApJ 738, 87).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from loaders.event_models.kinds import Kind
from loaders.event_models.lens_fit import LensFit
from loaders.stored_curve.band import FloatArray

TURNS = ("u_0", "alpha", "dalpha_dt", "pi_E_N")
"""What changes its sign on the other side of the lens, the parallax last."""

ALIKE = 25.0
"""How far above the best the chi-squares of fits may be that are kept beside it."""

_APART = 9.0
"""Squared distance of fits that are two, in the errors of either."""


def other_side(kind: Kind, parameter: FloatArray) -> FloatArray:
    """The same lens where the source passes on the other side, shape (p,): a place to begin from.

    Parameters
    ----------
    kind, parameter
        A fit, with or without parallax.
    """
    names = kind.names(parameter.size > len(kind.names(False)))
    return np.asarray(parameter * [-1.0 if name in TURNS else 1.0 for name in names])


def solutions(fits: Iterable[LensFit], alike: float = ALIKE) -> list[LensFit]:
    """Fits that are not the same lens, and nearly as good as the best; the best first.

    Parameters
    ----------
    fits
        Of one kind and the same points.
    alike
        How far above the best their chi-squares, the prior counted, may be.
    """
    kept: list[LensFit] = []
    for fit in sorted(fits, key=lambda fit: fit.loss):
        if kept and not fit.loss <= kept[0].loss + alike:
            break
        if all(_distance(fit, other) > _APART for other in kept):
            kept.append(fit)
    return kept


def _distance(one: LensFit, other: LensFit) -> float:
    """Squared distance in the errors of the one that knows less; 0 if one of them has none."""
    off = one.parameter - other.parameter
    try:
        far = [float(off @ np.linalg.solve(fit.covariance, off)) for fit in (one, other)]
    except np.linalg.LinAlgError:
        return 0.0
    return float(np.nan_to_num(min(far)))
