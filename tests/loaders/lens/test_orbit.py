"""Lenses and sources that move, against MulensModel and in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.lens import binary_lens, orbit
from tests.loaders.lens.peer import mulens_model

T_0, T_KEP = 2_461_470.0, 2_461_480.0
TIME = T_0 + np.linspace(-60.0, 60.0, 500)
LENSES = [(1.2, 0.3, 0.9, 70.0), (0.8, 1.0, -1.5, -200.0), (1.0, 0.02, 0.3, 40.0)]


@pytest.mark.parametrize(("s", "q", "ds_dt", "dalpha_dt"), LENSES)
def test_turning_lenses_are_those_of_mulens_model(s, q, ds_dt, dalpha_dt):
    path = {"t_0": T_0, "u_0": 0.3, "t_E": 40.0}
    lens = {"s": s, "q": q, "alpha": 70.0, "ds_dt": ds_dt, "dalpha_dt": dalpha_dt, "t_0_kep": T_KEP}
    theirs = mulens_model().Model(path | lens).get_magnification(TIME)
    rate = (ds_dt, np.radians(dalpha_dt))
    apart, alpha = orbit.turning_lenses(TIME, T_KEP, (s, np.radians(70.0)), rate)
    place = binary_lens.trajectory(TIME, T_0, 0.3, 40.0, np.degrees(alpha))
    np.testing.assert_allclose(binary_lens.magnification(*place, apart, q), theirs, rtol=1e-4)


def test_lenses_do_not_pass_through_each_other():
    apart, _ = orbit.turning_lenses(TIME, T_0, (0.3, 0.0), (-5.0, 0.0))
    assert apart.min() == orbit.LEAST_SEPARATION
    assert apart[TIME < T_0].min() > 0.3


ANGLE = st.floats(0.0, 2 * np.pi)


@settings(deadline=None, max_examples=25)
@given(st.floats(5.0, 500.0), st.floats(1e-3, 1.0), ANGLE, st.floats(0.0, np.pi), ANGLE)
def test_a_source_on_a_circle_is_that_of_mulens_model(period, axis, node, inclination, first):
    angles = np.degrees([node, inclination, first])
    given = {"t_0": T_0, "u_0": 0.3, "t_E": 40.0, "t_0_xi": T_KEP, "xi_period": period}
    given |= {"xi_semimajor_axis": axis, "xi_Omega_node": angles[0], "xi_inclination": angles[1]}
    given |= {"xi_argument_of_latitude_reference": angles[2]}
    theirs = mulens_model().Model(given).get_trajectory(TIME)
    along, across = orbit.Circle(period, axis, node, inclination, first).shifts(TIME, T_KEP)
    np.testing.assert_allclose((TIME - T_0) / 40.0 + along, theirs.x, atol=1e-6)
    np.testing.assert_allclose(0.3 + across, theirs.y, atol=1e-6)


@given(*[st.floats(-1.0, 1.0)] * 4)
def test_the_circle_of_four_constants_makes_their_shift(a, b, f, g):
    circle = orbit.circle_of(30.0, (a, b), (f, g))
    phase = 2 * np.pi * (TIME - T_KEP) / 30.0
    along, across = circle.shifts(TIME, T_KEP)
    np.testing.assert_allclose(along, a * (np.cos(phase) - 1) + f * np.sin(phase), atol=1e-7)
    np.testing.assert_allclose(across, b * (np.cos(phase) - 1) + g * np.sin(phase), atol=1e-7)
    assert 0 <= circle.inclination <= np.pi
