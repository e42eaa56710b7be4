"""How dark the limb of a source is, from a light curve that sees it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from loaders.event_models.kinds import FINITE, POINT
from loaders.event_models.limb import LIMB_DARKENING, SIGMA, coefficients
from loaders.event_models.limb_fit import all_with_own_limb, residuals, with_own_limb, without_limb
from loaders.event_models.one_fit import fit_from
from loaders.event_models.setting import Setting
from loaders.lens import disc
from loaders.stored_curve.band import Band

T_0, T_E, RHO = 2461500.0, 12.0, 0.02
NAMES = ("F087", "F146")


def event(darkness: float, u_0: float = 0.006, error: float = 60.0) -> Setting:
    """A lens that crosses a source of 1,000 nJy, in two elements, by the formula of a disc itself."""
    rng, bands = np.random.default_rng(5), []
    for name, step in zip(NAMES, (0.05, 0.01), strict=True):
        time = T_0 + np.arange(-8, 8, step)
        u = np.hypot(u_0, (time - T_0) / T_E)
        flux = 1000 * disc.magnification(u, RHO, darkness * LIMB_DARKENING[name]) + 200
        bands.append(
            Band(name, time, flux + error * rng.standard_normal(time.size), np.full(time.size, error))
        )
    return Setting(bands, 268.0, -29.0, T_0, False, coefficients(NAMES, LIMB_DARKENING))


def begin(setting: Setting):
    """The fit with the limbs of tables."""
    view = setting.view(setting.bands, setting.fine, dark=True)
    return fit_from(FINITE, view, np.array([T_0, 0.006, np.log(T_E), np.log(RHO)]))


@pytest.mark.parametrize("darkness", [0.2, 1.0, 1.6])
def test_it_is_what_the_source_has(darkness):
    setting = event(darkness)
    own, fit = with_own_limb(setting, FINITE, setting.bands, begin(setting))
    assert own.darkness == pytest.approx(darkness, abs=0.05)
    # The time in which the source crosses its radius: t_E is known through its blend only.
    assert np.exp(fit.parameter[2] + fit.parameter[3]) == pytest.approx(T_E * RHO, rel=1e-3)
    assert abs(fit.chi2 - fit.n_point) < 4 * np.sqrt(2 * fit.n_point)
    assert fit.surprise == pytest.approx(((own.darkness - 1) / SIGMA) ** 2)


def test_a_wrong_limb_moves_the_radius():
    setting = event(0.2)
    wrong = begin(setting)
    sum_of_both = np.array([0.0, 0.0, 1.0, 1.0])
    error = np.sqrt(sum_of_both @ wrong.covariance @ sum_of_both)
    assert abs(sum_of_both @ wrong.parameter - np.log(T_E * RHO)) > 5 * error


def test_what_is_not_seen_stays_as_it_usually_is():
    setting = event(0.2, u_0=0.3)
    fit = begin(setting)
    assert with_own_limb(setting, FINITE, setting.bands, fit) == (setting, fit)
    point = replace(fit, parameter=fit.parameter[:3])
    assert with_own_limb(setting, POINT, setting.bands, point) == (setting, point)


def test_fits_of_a_kind_share_it():
    setting = event(0.4)
    first = begin(setting)
    other = replace(first, parameter=first.parameter * [1, -1, 1, 1])
    own, fits = all_with_own_limb(setting, FINITE, setting.bands, [first, other])
    assert own.darkness == pytest.approx(0.4, abs=0.05)
    assert fits[0].chi2 == pytest.approx(fits[1].chi2, abs=0.1)
    assert all_with_own_limb(setting, FINITE, setting.bands, []) == (setting, [])


@pytest.mark.parametrize("darkness", [1.0, 1.3])
def test_what_is_left_without_the_limb_is_the_least_that_any_leaves(darkness):
    setting = replace(event(1.4), darkness=darkness)
    at = begin(setting).parameter
    view = setting.view(setting.bands, setting.fine, dark=True)
    left = residuals(FINITE, view, at)
    across = without_limb(FINITE, view, at)(left)

    def loss(darkness: float) -> float:
        other = replace(setting, darkness=darkness).view(setting.bands, setting.fine, dark=True)
        off = residuals(FINITE, other, at)
        return float(off @ off) + ((darkness - 1) / SIGMA) ** 2

    found = minimize_scalar(loss, bounds=(0.1, 2.0), method="bounded")
    assert found.x > darkness + 0.01
    assert across @ across == pytest.approx(found.fun, abs=0.05 * (loss(darkness) - found.fun))


def test_a_point_has_none():
    setting = event(1.0)
    at = begin(setting).parameter[:3]
    view = setting.view(setting.bands, setting.fine, dark=True)
    left = residuals(POINT, view, at)
    assert without_limb(POINT, view, at)(left) is left
