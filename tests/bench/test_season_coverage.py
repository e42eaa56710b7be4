"""Truths of simulated events in the frames of models."""

from types import SimpleNamespace

import numpy as np
import pytest

from bench.season_coverage import truth_of
from loaders.event_models.kinds import BINARY, curves_of
from loaders.event_models.setting import Setting
from loaders.lens import parallax
from loaders.light_curve_simulation.magnify import magnification
from loaders.stored_curve.band import Band

PLACE = (268.0, -29.0)
TRUTH = {
    "t_0": 2_461_470.0, "t_0_par": 2_461_470.0, "u_0": -0.3, "t_E": 40.0, "pi_E_N": 0.2, "pi_E_E": -0.1,
}  # fmt: skip
CURVE = SimpleNamespace(truth=TRUTH, ra=PLACE[0], dec=PLACE[1])


def separation(truth, time, t_0_par, reference):
    """From the lens, Einstein radii, by the formulas of `loaders.lens.parallax`."""
    seen = parallax.offsets(time, *PLACE, t_0_par, reference)
    along, across = parallax.shifts(seen, truth["pi_E_N"], truth["pi_E_E"])
    return np.hypot((time - truth["t_0"]) / truth["t_E"] + along, truth["u_0"] + across)


@pytest.mark.parametrize("later", [0.0, 17.0, -60.0])
def test_the_source_passes_the_lens_in_the_same_way_in_both_frames(later):
    moment = TRUTH["t_0"] + later
    moved = truth_of(CURVE, moment)
    time = TRUTH["t_0"] + np.linspace(-300, 300, 101)
    seen = separation(TRUTH, time, TRUTH["t_0_par"], "observer")
    np.testing.assert_allclose(separation(moved, time, moment, "earth"), seen, atol=1e-9)
    assert np.hypot(moved["pi_E_N"], moved["pi_E_E"]) == pytest.approx(np.hypot(0.2, 0.1))
    assert moved["u_0"] < 0


def test_without_a_frame_the_truth_is_that_of_the_observer():
    assert truth_of(CURVE, None) == TRUTH


@pytest.mark.parametrize("later", [0.0, 8.0, -25.0])
def test_two_lenses_of_a_truth_in_a_models_frame_give_the_simulated_light_curve(later):
    """Origin, signs, angles and times are those of models: one code draws the curve, the other fits it."""
    truth = TRUTH | {"s": 1.2, "q": 0.02, "alpha": 77.0, "rho": 2e-3}
    curve = SimpleNamespace(truth=truth, ra=PLACE[0], dec=PLACE[1])
    time, moment = truth["t_0"] + np.linspace(-60, 60, 400), truth["t_0"] + later
    band = Band("F146", time, np.ones(time.size), np.ones(time.size))
    view = Setting([band], *PLACE, moment, True, np.zeros(1)).view([band], 1e-4, dark=True)
    moved = truth_of(curve, moment)
    logs = {f"ln {name}": np.log(moved[name]) for name in ("t_E", "s", "q", "rho")}
    known = moved | logs | {"alpha": np.radians(moved["alpha"])}
    at = np.array([known[name] for name in BINARY.names(True)])
    seen = curves_of(BINARY, view)(at, time)[0]
    expected = magnification(truth, time, *PLACE)
    assert np.ptp(expected) > 2
    np.testing.assert_allclose(seen, expected, rtol=2e-3)
