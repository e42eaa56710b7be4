"""Posteriors of two lenses over their solutions, against symmetries of lenses."""

import numpy as np
import pytest

from loaders.event_models.descent import fit_lens
from loaders.event_models.kinds import BINARY, ORBIT, curves_of, parameters_of, slopes_of
from loaders.event_models.model_posterior import has_sides, posterior_of
from loaders.event_models.setting import Setting
from loaders.event_models.sides import other_side
from loaders.event_models.two_lens_posterior import _offset, _same, on_side
from loaders.stored_curve.band import Band
from tests.loaders.event_models.test_covariance import BEGIN, PLACE

SMALL = np.array([BEGIN + 20, 0.1, np.log(12.0), np.log(1.6), np.log(3e-3), 2.0, np.log(3e-3), 0.0, 0.0])


def view_of(setting):
    return setting.view(setting.bands, 1e-4, dark=True)


def quiet(number=200):
    time = BEGIN + np.linspace(0, 40, number)
    return Band("F146", time, np.ones(number), np.ones(number))


@pytest.mark.parametrize(("kind", "rates"), [(BINARY, ()), (ORBIT, (0.4, 0.8))])
def test_without_parallax_the_other_side_looks_the_same(kind, rates):
    """A lens is symmetric about its axis: at rest, and where it turns the other way round."""
    view = view_of(Setting([quiet()], *PLACE, SMALL[0], False, np.zeros(1)))
    at = np.concatenate([SMALL[:7], rates, [0.2, -0.1]])
    turned = other_side(kind, at)
    assert turned[1] == -at[1]
    assert turned[-2] == -at[-2]
    one, other = (curves_of(kind, view)(where, view.points.time) for where in (at, turned))
    np.testing.assert_allclose(one, other, rtol=2e-4)


@pytest.mark.parametrize("alpha", [0.5, 2.0, 5.0])
def test_twins_act_where_the_source_crosses_the_axis_or_at_the_peak(alpha):
    """The mean of ln s of both is that of an image: s - 1/s is where the source is, or zero."""
    at = SMALL.copy()
    at[5] = alpha
    middle = [np.exp((twin[3] + at[3]) / 2) for twin in _offset(at)]
    crossing = abs(at[1] / np.sin(alpha))
    assert sorted(s - 1 / s for s in middle) == pytest.approx([-crossing, 0.0, crossing], abs=1e-9)


def test_draws_are_put_on_the_side_of_a_model_within_a_half_turn():
    at = SMALL.copy()
    draws = np.array([at, other_side(BINARY, at)])
    draws[:, 7] = 0.3, -0.3
    draws[0, 5] += 2 * np.pi
    found = on_side(BINARY, draws, at)
    np.testing.assert_allclose(found[:, :7], [at[:7], at[:7]])
    assert found[:, 7].tolist() == [0.3, -0.3]


def test_places_in_one_valley_are_one_solution_and_those_beyond_a_hill_are_two():
    def residuals(at):
        return np.array([at[0] / 10, (at[1] ** 2 - 4)])

    covariance = np.diag([1.0, 0.05])
    here, along, beyond = np.array([[0.0, 2.0], [5.0, 2.0], [0.0, -2.0]])
    assert _same(residuals, (here, covariance), (along, covariance))
    assert not _same(residuals, (here, covariance), (beyond, covariance))


def event():
    """A source that passes near a central caustic: which side, and whether close or wide, hardly shows."""
    setting = Setting([quiet(400)], *PLACE, SMALL[0], True, np.zeros(1))
    view = view_of(setting)
    flux = 3000 * curves_of(BINARY, view)(SMALL, view.points.time)[0]
    error = np.full(flux.size, 60.0)
    noisy = flux + error * np.random.default_rng(8).normal(size=flux.size)
    return Setting([Band("F146", quiet(400).time, noisy, error)], *PLACE, SMALL[0], True, np.zeros(1))


@pytest.mark.heavy
def test_the_posterior_is_over_all_solutions():
    setting = event()
    view = view_of(setting)
    given = parameters_of(BINARY, SMALL)
    slopes = slopes_of(BINARY, view, given.step)
    fit = fit_lens(view.points, curves_of(BINARY, view), given, SMALL, 30, slopes)
    found = posterior_of(setting, BINARY, fit)
    assert has_sides(BINARY, fit)
    # Near the ecliptic both sides are equally likely; their draws are stored as they are.
    assert np.mean(found.sample["u_0"] > 0) == pytest.approx(0.5, abs=0.15)
    lower, _, upper = found.quantile["u_0"]
    assert 0 < lower < 0.1 * 1.3
    assert upper < 0.2
    s = found.sample["s"]
    assert 0.1 < np.mean(s > 1) < 0.9
    assert found.quantile["s"][0] < 1 / 1.3
    assert found.quantile["s"][2] > 1.3
    # The model of the other side says the same of its own.
    flipped = found.on_side_of(fit_lens(view.points, curves_of(BINARY, view), given,
                                        other_side(BINARY, fit.parameter), 3, slopes))  # fmt: skip
    assert flipped.quantile["u_0"] == (-upper, -found.quantile["u_0"][1], -lower)
    assert flipped.quantile["alpha"][1] == pytest.approx(360 - found.quantile["alpha"][1])
    np.testing.assert_array_equal(flipped.sample["u_0"], found.sample["u_0"])
