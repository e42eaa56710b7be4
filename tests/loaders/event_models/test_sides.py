"""Single lenses with parallax that light curves hardly tell apart."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.event_models.kinds import FINITE, POINT, curves_of
from loaders.event_models.lens_fit import LensFit
from loaders.event_models.model_posterior import posterior_of
from loaders.event_models.parallax_fit import fit_parallax
from loaders.event_models.point_lens import fit_point_lens
from loaders.event_models.setting import Setting
from loaders.event_models.sides import other_side, solutions
from loaders.event_models.single_fits import finite_source
from loaders.stored_curve.band import Band

PLACE = 268.0, -29.2
T_0 = 2_461_490.0


def event(kind, parameter, error=1.0):
    """Light curve of a lens of which parameters are given, with noise."""
    time = T_0 + np.arange(-200, 200, 0.1)
    quiet = Band("F146", time, np.ones(time.size), np.ones(time.size))
    view = Setting([quiet], *PLACE, T_0, True, np.zeros(1)).view([quiet], 1e-4)
    (curve,) = curves_of(kind, view)(np.array(parameter), view.points.time)
    flux = 500.0 * curve + 50.0 + error * np.random.default_rng(8).normal(size=time.size)
    return Setting([replace(quiet, flux=flux, error=error * quiet.error)], *PLACE, T_0, True, np.zeros(1))


def both_sides(setting):
    start = fit_point_lens(setting.bands, T_0, 5.0, 0.3)
    found = fit_parallax(setting.bands, *PLACE, start)
    return [found.fit, *found.twins]


def test_both_sides_are_kept_of_a_short_event():
    fits = both_sides(event(POINT, [T_0, 0.3, np.log(15.0), 0.05, 0.1]))
    sides = {float(np.sign(fit.parameter[1])) for fit in fits}
    assert sides == {1.0, -1.0}
    assert [fit.loss for fit in fits] == sorted(fit.loss for fit in fits)
    assert fits[-1].loss < fits[0].loss + 25


def test_one_side_is_kept_where_the_light_curve_tells():
    truth = np.array([T_0, 0.5, np.log(60.0), 0.3, 0.3])
    (fit,) = both_sides(event(POINT, truth, 0.3))
    np.testing.assert_allclose(fit.parameter[[1, 3, 4]], truth[[1, 3, 4]], atol=0.05)


@pytest.mark.heavy
def test_the_posterior_of_twins_is_one_and_the_same():
    """Whichever of them it begins from; u_0 is said on the side of each."""
    setting = event(POINT, [T_0, 0.3, np.log(15.0), 0.05, 0.1])
    first, twin = both_sides(setting)[:2]
    one, other = posterior_of(setting, POINT, first, [twin]), posterior_of(setting, POINT, twin, [first])
    for name in ("t_0", "t_E", "pi_E_N"):
        ours, theirs = np.array(one.quantile[name]), np.array(other.quantile[name])
        np.testing.assert_allclose(ours, theirs, atol=0.2 * (ours[2] - ours[0]))
    turned = one.on_side_of(twin).quantile["u_0"]
    assert np.sign(one.quantile["u_0"]).tolist() == [np.sign(first.parameter[1])] * 3
    assert turned == tuple(-value for value in reversed(one.quantile["u_0"]))
    alone = posterior_of(setting, POINT, first)
    width = [found.quantile["pi_E_N"][2] - found.quantile["pi_E_N"][0] for found in (one, alone)]
    assert width[0] > 0.9 * width[1]


def test_a_disc_has_both_sides_too():
    setting = event(FINITE, [T_0, 0.01, np.log(15.0), np.log(0.03), 0.0, 0.1], 2.0)
    single = np.array([T_0, 0.02, np.log(15.0), 0.0, 0.1])
    _, fits = finite_source(setting, single, [])
    assert fits
    assert all(fit.loss <= fits[0].loss + 25 for fit in fits)
    np.testing.assert_allclose(np.exp(fits[0].parameter[3]), 0.03, rtol=0.1)


def fit(parameter, loss, error=1.0):
    size = len(parameter)
    return LensFit(np.array(parameter), np.ones((1, 2)), loss, 10, error**2 * np.eye(size), True, 1)


def test_solutions_are_apart_and_nearly_as_good_as_the_best():
    best, same, far, bad = (
        fit([0.0, 1.0], 5.0),
        fit([0.0, 2.0], 6.0),
        fit([0.0, 5.0], 9.0),
        fit([9.0, 9.0], 99.0),
    )
    assert solutions([bad, far, same, best]) == [best, far]
    # Of one whose errors are not known it cannot be said to be another.
    unknown = fit([0.0, 5.0], 9.0, np.nan)
    assert solutions([best, unknown]) == [best]


def test_the_other_side_of_the_other_side_is_this_one():
    parameter = np.array([T_0, 0.2, 1.0, -3.0, 0.1, 0.2])
    turned = other_side(FINITE, parameter)
    assert turned.tolist() == [T_0, -0.2, 1.0, -3.0, -0.1, 0.2]
    assert other_side(FINITE, turned).tolist() == parameter.tolist()
