"""Stored models asked for their flux, against MulensModel."""

import numpy as np
import pytest

from loaders.event_models.evaluate import ModelCurve, kind_named
from loaders.lens.parallax import offsets, shifts
from tests.loaders.event_models.mulens_curves import BEGIN, PLACE, magnification

T_0 = BEGIN + 20
TIME = BEGIN + np.linspace(0.0, 40.0, 400)

MODELS = {
    "1L1S": {"t_0": T_0, "u_0": 0.2, "t_E": 10.0},
    "1L1S_finite": {"t_0": T_0, "u_0": 0.02, "t_E": 10.0, "rho": 0.05},
    "2L1S": {"t_0": T_0, "u_0": 0.1, "t_E": 15.0, "rho": 0.01, "s": 1.3, "q": 0.01, "alpha": 100.0},
}


def curve(name, value, **more):
    flux = {("F146", 1): 500.0, ("F146", 0): 100.0}
    return ModelCurve(kind_named(name), value, flux, PLACE, **more)


@pytest.mark.parametrize("name", MODELS)
def test_one_source(name):
    ours = curve(name, MODELS[name]).flux_at("F146", TIME)
    theirs = 500.0 * magnification(MODELS[name], "F146", TIME)[0] + 100.0
    np.testing.assert_allclose(ours, theirs, rtol=3e-3)


def test_two_sources_by_their_names():
    value = {"t_0_1": T_0, "u_0_1": 0.3, "t_0_2": T_0 + 5, "u_0_2": 0.1, "t_E": 10.0}
    flux = {("F087", 1): 400.0, ("F087", 2): 50.0, ("F087", 0): -7.0}
    first, second = magnification(value, "F087", TIME)
    ours = ModelCurve(kind_named("1L2S"), value, flux, PLACE).flux_at("F087", TIME)
    np.testing.assert_allclose(ours, 400.0 * first + 50.0 * second - 7.0, rtol=1e-6)


def test_parallax_moves_the_source_along_and_across_its_path():
    value = {"t_0": T_0, "u_0": 0.3, "t_E": 60.0, "pi_E_N": 0.3, "pi_E_E": 0.2}
    along, across = shifts(offsets(TIME, *PLACE, T_0), 0.3, 0.2)
    u2 = ((TIME - T_0) / 60.0 + along) ** 2 + (0.3 + across) ** 2
    ours = curve("1L1S_parallax", value, t_0_par=T_0).magnification_at("F146", TIME)[0]
    np.testing.assert_allclose(ours, (u2 + 2) / np.sqrt(u2 * (u2 + 4)), rtol=1e-9)
    still = curve("1L1S", value).magnification_at("F146", TIME)[0]
    assert np.abs(ours - still).max() > 0.01


def test_what_is_unknown_is_said():
    with pytest.raises(LookupError, match="no kind of model is called '3L1S'"):
        kind_named("3L1S")
    with pytest.raises(LookupError, match="no flux in 'F213', only in F146"):
        curve("1L1S", MODELS["1L1S"]).flux_at("F213", TIME)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("2L1S_orbital_motion", {"ds_dt": 0.8, "dalpha_dt": -150.0, "t_0_kep": T_0 + 3}),
        (
            "1L1S_xallarap",
            {
                "xi_period": 25.0, "xi_semimajor_axis": 0.15, "xi_Omega_node": 70.0, "xi_inclination": 50.0,
                "xi_argument_of_latitude_reference": 200.0, "t_0_xi": T_0 + 3,
            },
        ),
    ],
)  # fmt: skip
def test_what_moves_is_that_of_mulens_model(name, more):
    value = MODELS["2L1S" if "ds_dt" in more else "1L1S"] | more
    still = {"pi_E_N": 0.0, "pi_E_E": 0.0}
    ours = curve(f"{name}_parallax", value | still, t_0_par=T_0 + 3).magnification_at("F146", TIME)[0]
    # Contours near caustics are good to 1e-3, as of lenses that stand still.
    np.testing.assert_allclose(ours, magnification(value, "F146", TIME)[0], rtol=1.5e-3)
    assert np.median(np.abs(ours / magnification(value, "F146", TIME)[0] - 1)) < 1e-4
