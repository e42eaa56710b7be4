"""What may look like a companion and is none: sources with a size, and two sources behind one lens."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from loaders.event_models.kinds import FINITE, POINT, TWO_SOURCES, View, curves_of
from loaders.event_models.lens_fit import LensFit, solve_fluxes
from loaders.event_models.limb_fit import all_with_own_limb
from loaders.event_models.one_fit import best_of, fit_from
from loaders.event_models.setting import Setting, condensed, crossing_time, softened, windows_left
from loaders.event_models.sides import other_side, solutions
from loaders.event_models.structure import Window
from loaders.stored_curve.band import Band, FloatArray

_PARTS = 40
"""Points in the time scales of fits."""

_SOFT, _LED = 0.03, 4
"""Share of the excess that errors have where parallaxes are looked for, and those that go on."""

_STRETCHES, _SIZES, _TURNS = (2.0, 4.0), (0.3, 1.0), np.arange(4) * np.pi / 2
"""By what t_E is longer there, and parallaxes: their lengths and directions."""


def finite_source(
    setting: Setting, single: FloatArray, left: Sequence[Window]
) -> tuple[Setting, list[LensFit]]:
    """Fit a single lens whose source has a size, with parallax on both sides of the lens.

    Parameters
    ----------
    setting
        The event.
    single
        The single lens with a point as source, with parallax if the event lasts long enough.
    left
        Where that is off.

    Returns
    -------
    setting, fits
        The event with the limb that fits best, and fits of finely condensed points: the best first, and
        others that are nearly as good; empty if no fit came to numbers.
    """
    few = condensed(setting, single, left, _PARTS)
    view = setting.view(few, setting.fine, dark=True)
    usual, u_0 = usual_rho(view, single), abs(float(single[1]))
    begins = []
    # A source taken for a point makes a wild parallax.
    for rho, share in product((0.3 * usual, usual, 3 * usual, max(u_0, 1e-4)), (1.0, 0.0)):
        for impact in (u_0, 0.3 * rho):
            path = [single[0], np.copysign(impact, single[1]), single[2], np.log(rho)]
            begins.append(np.concatenate([path, share * single[3:]]))
    best = best_of(FINITE, view, begins)
    if best is not None and setting.parallax and windows_left(FINITE, view, best.parameter, 1):
        best = best_of(FINITE, view, [best.parameter, *_led_on(setting, few, best.parameter)])
    fits = [] if best is None else [best]
    if best is not None and single.size > len(POINT.names(False)):
        twin = fit_from(FINITE, view, other_side(FINITE, best.parameter))
        fits = solutions([best] if twin is None else [best, twin])
    return all_with_own_limb(setting, FINITE, few, fits)


def _led_on(setting: Setting, few: Sequence[Band], best: FloatArray) -> list[FloatArray]:
    """Places to begin from where parallax is strong, found with wide errors.

    Right errors hold a fit to the peak, and it ends in a wrong minimum: an event of half a year and π_E = 1
    became one of seven weeks.
    """
    wide = setting.view(softened(few, _SOFT), setting.fine, dark=True)
    fits = [fit_from(FINITE, wide, begin) for begin in _other_parallaxes(best)]
    return [fit.parameter for fit in solutions([fit for fit in fits if fit is not None])[:_LED]]


def _other_parallaxes(best: FloatArray) -> list[FloatArray]:
    """Lenses of other time scales and parallaxes, whose peaks last as long and have as large a source."""
    begins = []
    for stretch, size, turn in product(_STRETCHES, _SIZES, _TURNS):
        path = [best[0], best[1] / stretch, best[2] + np.log(stretch), best[3] - np.log(stretch)]
        begins.append(np.array([*path, size * np.cos(turn), size * np.sin(turn)]))
    return begins


def two_sources(setting: Setting, single: FloatArray, left: Sequence[Window]) -> LensFit | None:
    """Fit two sources behind a single lens, the second one where the points are above the single lens.

    Parameters
    ----------
    setting, single, left
        As of `finite_source`.
    """
    view = setting.view(condensed(setting, single, left, _PARTS), setting.fine)
    above = [window for window in left if window.pull > 0][:3]
    begins = []
    for window, u_0, share in product(above, (0.02, 0.1, 0.4), (1.0, 0.0)):
        path = [single[0], single[1], single[2], window.middle, u_0]
        begins.append(np.concatenate([path, share * single[3:]]))
    return best_of(TWO_SOURCES, view, begins)


def usual_rho(view: View, single: FloatArray) -> float:
    """Radius of the source, Einstein radii, before anything is known of it but its flux."""
    flux, _ = solve_fluxes(view.points, curves_of(POINT, view)(single, view.points.time))
    most = int(np.argmax(np.diff(view.points.start)))
    return float(np.clip(crossing_time(float(flux[most, 0])) / np.exp(single[2]), 1e-4, 1.0))
