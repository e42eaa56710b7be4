"""Parallax against MulensModel, the simulator's own, and what must hold of any."""

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord, get_body_barycentric
from astropy.time import Time

from loaders.lens import binary_lens, parallax
from loaders.simulation.lensing import sun_displacement
from tests.loaders.lens.peer import mulens_model

RA, DEC, T_0_PAR = 267.9, -29.6, 2461600.5
TIME = T_0_PAR + np.linspace(-1800.0, 400.0, 301)


@pytest.mark.parametrize("alpha", [None, 33.0])
def test_paths_are_those_of_mulens_model_with_a_satellite(alpha):
    peer = mulens_model()
    lens = {} if alpha is None else {"s": 1.1, "q": 0.1, "alpha": alpha}
    event = {"t_0": T_0_PAR + 3, "u_0": 0.2, "t_E": 60.0, "pi_E_N": 0.3, "pi_E_E": -0.2, "t_0_par": T_0_PAR}
    earth = parallax.barycentric(TIME, 0.0)[0]
    satellite = SkyCoord(
        *(parallax.observer_position(TIME) - earth).T, unit="au", representation_type="cartesian"
    )
    path = peer.Trajectory(
        TIME,
        peer.ModelParameters(event | lens),
        parallax={"earth_orbital": True, "satellite": True},
        coords=SkyCoord(RA, DEC, unit="deg"),
        satellite_skycoord=satellite,
    )
    shift = parallax.shifts(parallax.offsets(TIME, RA, DEC, T_0_PAR), 0.3, -0.2)
    x, y = binary_lens.trajectory(TIME, T_0_PAR + 3, 0.2, 60.0, alpha or 0.0, shift)
    if alpha is None:
        x, y = -x, -y
    np.testing.assert_allclose(x, path.x, atol=3e-7)
    np.testing.assert_allclose(y, path.y, atol=3e-7)


def test_the_observer_is_a_hundredth_beyond_the_earth():
    time = Time(TIME, format="jd", scale="tdb")
    sun, earth = (get_body_barycentric(body, time).xyz.to_value(units.au).T for body in ("sun", "earth"))
    np.testing.assert_allclose(parallax.observer_position(TIME), earth + 0.010078 * (earth - sun), atol=1e-8)


def test_seen_by_the_observer_it_is_that_of_the_simulator():
    ours = parallax.offsets(TIME, RA, DEC, T_0_PAR, "observer")
    mjd, reference = TIME - 2400000.5, np.full(TIME.size, T_0_PAR - 2400000.5)
    np.testing.assert_allclose(ours, sun_displacement(mjd, reference, RA, DEC), rtol=1e-4)


def test_both_frames_differ_by_a_straight_line():
    earth, observer = (np.array(parallax.offsets(TIME, RA, DEC, T_0_PAR, r)) for r in ("earth", "observer"))
    line = np.polynomial.polynomial.polyfit(TIME - T_0_PAR, (earth - observer).T, 1)
    rest = (earth - observer).T - np.polynomial.polynomial.polyval(TIME - T_0_PAR, line).T
    assert np.abs(rest).max() < 1e-10
    # The Earth is at most 0.0103 au from L2; of that, what lies across the line of sight is seen.
    assert 0 < np.hypot(*line[0]) < 0.0103


def test_near_the_reference_the_path_is_straight():
    near = T_0_PAR + np.array([-1e-3, 0.0, 1e-3])
    assert np.abs(parallax.offsets(near, RA, DEC, T_0_PAR, "observer")).max() < 1e-9


def test_acceleration_is_that_of_gravity():
    """At t_0_par the Sun seems accelerated by GM / r² towards us, projected (Gould 2004, eq. 2)."""
    h = 2.0
    north, east = parallax.offsets(T_0_PAR + np.array([-h, 0, h]), RA, DEC, T_0_PAR, "observer")
    ours = np.array([north[0] - 2 * north[1] + north[2], east[0] - 2 * east[1] + east[2]]) / h**2
    time = Time(T_0_PAR, format="jd", scale="tdb")
    from_sun = (get_body_barycentric("earth", time) - get_body_barycentric("sun", time)).xyz.to_value(
        units.au
    )
    pull = (2 * np.pi / 365.2568983) ** 2 * from_sun / np.linalg.norm(from_sun) ** 3
    ra, dec = np.radians([RA, DEC])
    east_axis = np.array([-np.sin(ra), np.cos(ra), 0])
    north_axis = np.array([-np.cos(ra) * np.sin(dec), -np.sin(ra) * np.sin(dec), np.cos(dec)])
    np.testing.assert_allclose(ours, [pull @ north_axis, pull @ east_axis], rtol=0.03, atol=4e-6)


@pytest.mark.parametrize(("time", "reference"), [([np.nan], "earth"), ([T_0_PAR], "moon")])
def test_what_makes_no_sense_is_refused(time, reference):
    with pytest.raises(ValueError, match="must be"):
        parallax.offsets(time, RA, DEC, T_0_PAR, reference)


def test_no_times_no_offsets():
    north, east = parallax.offsets([], RA, DEC, T_0_PAR)
    assert north.size == east.size == 0
