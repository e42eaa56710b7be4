"""A single lens and a source that a dark companion moves on a circle: xallarap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loaders.event_models.kinds import POINT, XALLARAP, View, curves_of, parameters_of, slopes_of
from loaders.event_models.lens_fit import LensFit, normal_equations, solve_fluxes
from loaders.event_models.one_fit import best_of
from loaders.event_models.setting import Setting, condensed
from loaders.event_models.structure import Window
from loaders.lens.orbit import circle_of
from loaders.stored_curve.band import FloatArray

_PARTS = 60
"""Points left in the time scale of the lens."""

_SHORTEST, _LONGEST, _STEP = 2.0, 730.0, 1.08
"""Periods that are tried, days: from the shortest, or an eighth of t_E, in steps of that factor."""

_USUAL = 0.3
"""Standard deviation (Einstein radii) of shifts before anything is seen: longer steps are not linear."""

_BEGINS, _APART = 5, 1.2
"""Periods from which fits begin, and by what factor they differ at least."""


def circling_source(setting: Setting, single: FloatArray, left: Sequence[Window]) -> LensFit | None:
    """Fit a source on a circle, from the periods at which chi-square would fall the most.

    Parameters
    ----------
    setting
        The event.
    single
        The single lens with parallax, shape (5,).
    left
        Where that is off.

    Returns
    -------
    LensFit or None
        Of `XALLARAP` with parallax. None without parallax, or if no fit came to numbers.
    """
    if single.size == len(POINT.names(False)):
        return None
    view = setting.view(condensed(setting, single, left, _PARTS), setting.fine)
    # A source that is taken to move straight makes a wild parallax.
    calm = np.concatenate([single[:3], np.zeros(2)])
    begins = [*first_circles(view, single), *first_circles(view, calm)]
    return best_of(XALLARAP, view, begins)


def first_circles(view: View, single: FloatArray) -> list[FloatArray]:
    """Places to begin from, shape (10,), the best first: by linear steps from a straight path."""
    curves = curves_of(POINT, view)(single, view.points.time)
    given = parameters_of(POINT, single)
    slopes = slopes_of(POINT, view, given.step)
    assert slopes is not None
    known = slopes(single, curves)
    prior = np.concatenate([given.information, np.full(4, _USUAL**-2.0)])
    tried = [_circle(view, single, period, (known, curves, prior)) for period in _periods(single)]
    chosen: list[FloatArray] = []
    for _, begin in sorted(tried, key=lambda one: -one[0]):
        if all(abs(begin[3] - other[3]) > np.log(_APART) for other in chosen):
            chosen.append(begin)
    return chosen[:_BEGINS]


def _periods(single: FloatArray) -> list[float]:
    """Periods that are tried, days."""
    first = float(np.clip(np.exp(single[2]) / 8, _SHORTEST, _LONGEST / 4))
    return list(np.geomspace(first, _LONGEST, int(np.log(_LONGEST / first) / np.log(_STEP)) + 1))


def _circle(
    view: View, single: FloatArray, period: float, state: tuple[FloatArray, FloatArray, FloatArray]
) -> tuple[float, FloatArray]:
    """By how much chi-square would fall at a period were all linear, and the parameters of that step."""
    known, curves, prior = state
    flux, residual = solve_fluxes(view.points, curves)
    angle = 2 * np.pi * (view.points.time - view.reference) / period
    along, across = -known[0] * np.exp(single[2]), known[1]
    circle = [part * wave for wave in (np.cos(angle), np.sin(angle)) for part in (along, across)]
    matrix, right = normal_equations(view.points, np.stack([*known, *circle]), (curves, flux, residual))
    step = np.linalg.solve(matrix + np.diag(prior), right)
    orbit = circle_of(period, (float(step[5]), float(step[6])), (float(step[7]), float(step[8])))
    elements = [np.log(period), np.log(max(orbit.semimajor_axis, 1e-4))]
    angles = [orbit.Omega_node, orbit.inclination, orbit.argument_of_latitude]
    # The shift is nothing at the time of reference: the place of the circle then goes to t_0 and u_0.
    moved = single[:3] + np.array([-step[5] * np.exp(single[2]), step[6], 0.0])
    begin = np.concatenate([moved, elements, angles, single[3:]])
    return float(right @ step), begin
