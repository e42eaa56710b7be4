"""Lenses that turn and sources that circle, found in light curves that MulensModel makes."""

import numpy as np
import pytest

from loaders.event_models.fitted_model import model_of, ranked, surcharge
from loaders.event_models.kinds import BINARY, ORBIT
from loaders.event_models.limb import LIMB_DARKENING, coefficients
from loaders.event_models.orbit_search import turning, with_rates
from loaders.event_models.rounds import Round, fit_round
from loaders.event_models.setting import Setting, condensed
from loaders.microlensing.judge import judge
from loaders.microlensing.models import class_of, models_of
from loaders.microlensing.search import EventSearch
from tests.loaders.event_models.mulens_curves import BEGIN, PLACE, bands_of, linear_chi2, magnification

T_0 = BEGIN + 60.0
PATH = {"t_0": T_0, "u_0": 0.3, "t_E": 30.0}
LENS = PATH | {"s": 1.5, "q": 0.1, "alpha": 60.0, "rho": 0.01}
TURNS = {"ds_dt": 0.9, "dalpha_dt": 50.0, "t_0_kep": T_0}
CIRCLE = {
    "xi_period": 24.0, "xi_semimajor_axis": 0.03, "xi_Omega_node": 40.0, "xi_inclination": 50.0,
    "xi_argument_of_latitude_reference": 120.0, "t_0_xi": T_0,
}  # fmt: skip


def models(bands, **asked):
    (best, *_) = EventSearch().best(bands, 1, 5.0)
    return models_of(judge(bands, best), PLACE, **asked)


def pull(model, name, truth):
    return (model.value[name] - truth) / model.error[name]


def both(truth):
    """The best lens that stands still, fitted from the truth, the best that turns from it, and the bands."""
    bands = bands_of(truth, days=120.0)
    setting = Setting(bands, *PLACE, T_0, True, coefficients(["F146", "F087"], LIMB_DARKENING))
    path = [truth["t_0"], truth["u_0"], np.log(truth["t_E"])]
    own = [np.log(truth["s"]), np.log(truth["q"]), np.radians(truth["alpha"]), np.log(truth["rho"])]
    view = setting.view(condensed(setting, np.array(path), [], 40), setting.fine, dark=True)
    still = fit_round([np.array([*path, *own, 0.0, 0.0])], Round(view, 30, 1, 0.01, 0.05))
    orbits, better = turning(setting, still)
    scale = np.ones(2)
    standing = [model_of(setting, BINARY, fit, scale) for fit in [*still, *better]]
    return bands, ranked(standing), ranked([model_of(setting, ORBIT, fit, scale) for fit in orbits])


@pytest.mark.heavy
@pytest.mark.xfail(
    strict=True, reason="the lens that stands still ends in a wrong minimum: docs/status.md, issue 4, 2"
)
def test_lenses_that_turn_are_found_with_their_rates():
    truth = LENS | TURNS
    bands, standing, orbits = both(truth)
    best = orbits[0]
    assert best.name == "2L1S_orbital_motion_parallax"
    assert best.complete
    exact = [magnification(truth, band.name, band.time) for band in bands]
    assert best.chi2 < linear_chi2(bands, exact) + 30
    for name in ("ds_dt", "dalpha_dt"):
        assert abs(pull(best, name, truth[name])) < 4, name
    # Condensed points move sharp parameters by some errors.
    for name in ("s", "q", "t_E"):
        assert abs(best.value[name] / truth[name] - 1) < 0.03, name
    assert ranked([*standing, *orbits])[0] is best
    assert {row["name"]: row["unit"] for row in best.parameter_rows()}["dalpha_dt"] == "deg.yr**-1"
    assert len(best.columns()["covariance"]) == best.n_parameter**2


@pytest.mark.heavy
def test_lenses_that_stand_still_are_not_said_to_turn():
    _, standing, orbits = both(LENS)
    assert ranked([*standing, *orbits])[0].name == "2L1S_parallax"
    for model in orbits[:1]:
        assert abs(pull(model, "ds_dt", 0.0)) < 4
        assert abs(pull(model, "dalpha_dt", 0.0)) < 4


def test_without_parallax_nothing_turns():
    setting = Setting(bands_of(PATH), *PLACE, T_0, False, np.zeros(2))
    assert turning(setting, []) == ([], [])


def test_rates_stand_before_the_parallax():
    assert with_rates(np.arange(9.0), 0.5).tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 0.5, 7, 8]


@pytest.mark.heavy
def test_a_source_on_a_circle_is_found_where_it_is_asked_for():
    truth = PATH | CIRCLE
    bands = bands_of(truth, days=120.0)
    found = models(bands, two_lenses=False, sampled=False, xallarap=True)
    best = found[0]
    assert best.name == "1L1S_xallarap_parallax"
    assert class_of(found) == "binary_source"
    assert best.complete
    assert best.chi2 < linear_chi2(bands, [magnification(truth, b.name, b.time) for b in bands]) + 30
    for name in ("xi_period", "xi_semimajor_axis"):
        assert abs(pull(best, name, truth[name])) < 4, name
    assert {row["name"]: row["unit"] for row in best.parameter_rows()}["xi_Omega_node"] == "deg"
    others = models(bands, two_lenses=False, sampled=False)
    assert not any(model.kind.circles for model in others)


def test_a_source_that_moves_straight_has_no_circle():
    found = models(bands_of(PATH, days=120.0), two_lenses=False, sampled=False, xallarap=True)
    assert found[0].name == "1L1S_parallax"
    assert not any(model.kind.circles for model in found)


def test_a_source_with_a_dark_companion_costs_as_much_as_two_sources():
    assert surcharge("1L1S_xallarap_parallax") == surcharge("1L2S") > surcharge("1L1S_parallax")
    assert surcharge("2L1S_orbital_motion_parallax") == surcharge("2L1S")
