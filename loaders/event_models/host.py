"""The lens without its companion: a single lens fitted so that what is short and strong counts little.

Each round fits with errors that are multiplied by ``√(1 + (r / c)²)``, r being what the round before left
(Cauchy's loss; Holland & Welsch 1977, Commun. Stat. A6, 813), so that a lens is found to which an anomaly is
added, and not one between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loaders.event_models.descent import fit_lens
from loaders.event_models.kinds import POINT, Kind, View, curves_of, parameters_of, slopes_of
from loaders.event_models.lens_fit import LensFit, Points, solve_fluxes
from loaders.stored_curve.band import FloatArray

_ROUNDS, _STEPS = 6, 12
_CAUCHY = 2.5
"""Errors at which a point begins to count less."""


@dataclass(frozen=True)
class Host:
    """A single lens.

    Parameters
    ----------
    parameter
        t_0, u_0, ln t_E and, with parallax, pi_E_N and pi_E_E.
    loss
        Σ ln(1 + (r / c)²) of what it leaves.
    """

    parameter: FloatArray
    loss: float


def best_host(view: View, begins: Sequence[FloatArray]) -> Host:
    """The single lens of the least loss, of fits that begin at several places."""
    return min((_fitted(view, begin) for begin in begins), key=lambda host: host.loss)


def _fitted(view: View, begin: FloatArray) -> Host:
    """A robust fit from a first guess."""
    at = begin
    for _ in range(_ROUNDS):
        at = weighted_fit(POINT, view, at, _residual(view, at)).parameter
    return Host(at, float(np.sum(np.log1p((_residual(view, at) / _CAUCHY) ** 2))))


def weighted_fit(kind: Kind, view: View, begin: FloatArray, residual: FloatArray) -> LensFit:
    """A fit in which points that are off count less."""
    weight = 1 / np.sqrt(1 + (residual / _CAUCHY) ** 2)
    old = view.points
    points = Points(old.names, old.time, old.value * weight, old.scale * weight, old.start)
    parameters = parameters_of(kind, begin)
    slopes = slopes_of(kind, view, parameters.step)
    return fit_lens(points, curves_of(kind, view), parameters, begin, _STEPS, slopes)


def _residual(view: View, parameter: FloatArray) -> FloatArray:
    """What a single lens leaves, errors."""
    return solve_fluxes(view.points, curves_of(POINT, view)(parameter, view.points.time))[1]
