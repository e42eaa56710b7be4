from __future__ import annotations

import numpy as np
import pytest
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from loaders.simulation.ephemeris import observatory_state
from loaders.simulation.lensing import (
    Events,
    magnification,
    point_source_magnification,
    sun_displacement,
    uniform_disc_magnification,
)


def _event(**changes: float) -> Events:
    values = {"t0": 61500.0, "u0": 0.1, "t_einstein": 5.0, "rho": 0.0, "source_fraction": 1.0} | changes
    row = [np.array([values[k]]) for k in ("t0", "u0", "t_einstein", "rho", "source_fraction")]
    parallax = [np.array([changes.get(k, 0.0)]) for k in ("pi_e_north", "pi_e_east")]
    return Events(np.array([0]), np.array(["single_lens"]), *row, *parallax)


def test_point_source_has_its_known_values() -> None:
    assert point_source_magnification(1.0) == pytest.approx(3 / np.sqrt(5))
    assert point_source_magnification(2.0) == pytest.approx(6 / (2 * np.sqrt(8)))
    assert point_source_magnification(1e-3) == pytest.approx(1000.0, rel=1e-5)


def test_light_curve_is_paczynskis() -> None:
    time = 61500.0 + np.linspace(-10, 10, 41)
    u = np.sqrt(0.1**2 + ((time - 61500.0) / 5.0) ** 2)
    expected = (u**2 + 2) / (u * np.sqrt(u**2 + 4))
    np.testing.assert_allclose(magnification(_event(), time, 268.0, -29.2)[:, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("rho", [0.01, 0.3, 2.0])
def test_centred_disc_has_its_closed_form(rho: float) -> None:
    # Witt & Mao (1994, ApJ 430, 505), u = 0.
    assert uniform_disc_magnification(0.0, rho) == pytest.approx(np.sqrt(1 + 4 / rho**2), rel=1e-10)


@pytest.mark.parametrize(
    ("u", "rho"),
    [(0.05, 0.1), (0.099, 0.1), (0.1, 0.1), (0.101, 0.1), (0.3, 0.1), (0.5, 1.0), (2.0, 0.4), (0.2, 0.008)],
)
def test_disc_is_the_mean_of_point_sources(u: float, rho: float) -> None:
    # Rings about the lens: the part of each ring that lies on the disc, times the ring's magnification.
    def ring(r: float) -> float:
        cosine = (r**2 + u**2 - rho**2) / (2 * r * u)
        return 2 * np.arccos(np.clip(cosine, -1, 1)) * r * float(point_source_magnification(r))

    inner, outer = max(0.0, u - rho), u + rho
    points = [abs(rho - u)] if u < rho else None
    expected = quad(ring, inner, outer, points=points, limit=400, epsabs=1e-12)[0] / (np.pi * rho**2)
    assert uniform_disc_magnification(u, rho) == pytest.approx(expected, rel=2e-5)


@settings(deadline=None)
@given(u=st.floats(0.02, 3), rho=st.floats(1e-5, 1e-3))
def test_small_discs_are_points(u: float, rho: float) -> None:
    assert uniform_disc_magnification(u, rho) == pytest.approx(point_source_magnification(u), rel=2e-3)


def test_joint_between_disc_and_point_is_smooth() -> None:
    rho = 0.02
    edge = 30.0 * rho
    below, above = uniform_disc_magnification(np.array([edge - 1e-9, edge + 1e-9]), rho)
    assert below == pytest.approx(above, rel=2e-4)


def test_blended_light_is_not_magnified() -> None:
    time = np.array([61500.0])
    full = magnification(_event(), time, 268.0, -29.2)[0, 0]
    blended = magnification(_event(source_fraction=0.3), time, 268.0, -29.2)[0, 0]
    assert blended == pytest.approx(0.7 + 0.3 * full)


def test_sun_does_not_leave_its_line_at_the_time_of_reference() -> None:
    north, east = sun_displacement(np.array([61500.0, 61500.5, 61501.0]), np.array(61500.0), 268.0, -29.2)
    assert north[0] == east[0] == 0
    assert np.hypot(north[2], east[2]) == pytest.approx(4 * np.hypot(north[1], east[1]), rel=0.02)


def test_parallax_is_that_of_a_lens_and_a_source_in_space() -> None:
    """Build lens and source in three dimensions and look at them from the orbit."""
    ra, dec, t0, u0, t_einstein = 268.0, -29.2, 61500.0, 0.3, 40.0
    theta, kpc = 0.5 / 206264806.0, 206264806.2  # Einstein radius of 0.5 mas; au per kpc
    lens_distance, source_distance = 2.0 * kpc, 8.0 * kpc
    pi_e = (1 / lens_distance - 1 / source_distance) / theta
    a, d = np.radians(ra), np.radians(dec)
    toward = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    east = np.array([-np.sin(a), np.cos(a), 0.0])
    north = np.cross(toward, east)
    angle = 0.7
    along, across = (
        np.cos(angle) * north + np.sin(angle) * east,
        -np.sin(angle) * north + np.cos(angle) * east,
    )
    start = observatory_state(Time(t0, format="mjd", scale="tdb"))
    time = t0 + np.linspace(-60, 60, 9)
    expected = []
    for t in time:
        line = start.position + start.velocity * (t - t0)
        offset = theta * ((t - t0) / t_einstein * along + u0 * across)
        source = line + source_distance * toward
        lens = line + lens_distance * (toward + offset)
        observer = observatory_state(Time(t, format="mjd", scale="tdb")).position
        sight = [(body - observer) / ((body - observer) @ toward) for body in (lens, source)]
        expected.append(np.linalg.norm(sight[0] - sight[1]) / theta)
    event = _event(
        u0=u0, t_einstein=t_einstein, t0=t0, pi_e_north=pi_e * np.cos(angle), pi_e_east=pi_e * np.sin(angle)
    )
    found = magnification(event, time, ra, dec)[:, 0]
    np.testing.assert_allclose(found, point_source_magnification(np.array(expected)), rtol=1e-5)
    assert (
        abs(found - magnification(_event(u0=u0, t_einstein=t_einstein, t0=t0), time, ra, dec)[:, 0]).max()
        > 0.01
    )
