"""Truths of simulated events in the frames of models."""

from types import SimpleNamespace

import numpy as np
import pytest

from bench.season_coverage import truth_of
from loaders.lens import parallax

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
