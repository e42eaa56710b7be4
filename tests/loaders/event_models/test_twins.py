"""Twins of two lenses: their light curves by VBMicrolensing are nearly those of the lenses they are of."""

import numpy as np
import pytest
import VBMicrolensing

from loaders.event_models.twins import swapped, twins

TIME = np.linspace(-15, 15, 201)


def magnified(parameter):
    engine = VBMicrolensing.VBMicrolensing()
    t_0, u_0, ln_t_e, ln_s, ln_q, alpha, ln_rho = parameter[:7]
    tau = (TIME - t_0) / np.exp(ln_t_e)
    x, y = -tau * np.cos(alpha) + u_0 * np.sin(alpha), -tau * np.sin(alpha) - u_0 * np.cos(alpha)
    lens = np.exp(ln_s), np.exp(ln_q)
    return np.array([engine.BinaryMag2(*lens, a, b, np.exp(ln_rho)) for a, b in zip(x, y, strict=True)])


def off(one, other):
    """What the other's light curve leaves of the one's with the best fluxes, over the scatter of the one."""
    a, b = magnified(one), magnified(other)
    design = np.column_stack([b, np.ones(b.size)])
    return float(np.std(a - design @ np.linalg.lstsq(design, a, rcond=None)[0]) / np.std(a))


def lenses(s, q, alpha, u_0, rho=0.01):
    return np.array([0.0, u_0, np.log(20.0), np.log(s), np.log(q), alpha, np.log(rho)])


@pytest.mark.parametrize(("s", "q", "alpha", "u_0"), [(0.3, 0.3, 0.7, 0.05), (0.35, 0.15, 4.0, 0.08)])
def test_a_close_pair_has_a_wide_twin_of_another_mass_ratio(s, q, alpha, u_0):
    close = lenses(s, q, alpha, u_0)
    plain, *others = twins(close)
    assert off(close, plain) > 0.5
    first = others[0]
    assert off(close, first) < 0.08
    assert np.exp(first[4]) == pytest.approx(q / (1 - q) ** 2)
    # The first lens has its share of the mass, and t_E is that of all of it.
    assert np.exp(first[2]) == pytest.approx(20.0 * np.sqrt(1 + np.exp(first[4])))


@pytest.mark.parametrize(("alpha", "u_0"), [(0.7, 0.05), (2.5, -0.1)])
def test_a_wide_pair_has_the_close_twin_that_it_is_of(alpha, u_0):
    close = lenses(0.3, 0.3, alpha, u_0)
    wide = twins(close)[1]
    for named in (wide, swapped(wide)):
        best = min(twins(named), key=lambda twin: float(np.abs(twin[:5] - close[:5]).sum()))
        np.testing.assert_allclose(best[:5], close[:5], atol=1e-9)
        assert (best[5] - alpha) % (2 * np.pi) == pytest.approx(0, abs=1e-9)


def test_equal_masses_that_are_close_have_twins_all_the_same():
    close = lenses(0.25, 1.0, 1.0, 0.1)
    found = twins(close)
    assert all(np.isfinite(twin).all() for twin in found)
    assert min(off(close, twin) for twin in found) < 0.15


@pytest.mark.parametrize(
    ("s", "q", "alpha", "u_0"), [(1.25, 1e-3, 1.2, 0.3), (0.85, 3e-3, 0.9, 0.2), (1.1, 5e-4, 2.2, 0.25)]
)
def test_a_planet_has_a_twin_about_where_the_source_crosses_the_axis(s, q, alpha, u_0):
    planet = lenses(s, q, alpha, u_0, 0.003)
    plain, *_, offset = twins(planet)
    assert off(planet, offset) < 0.25 * off(planet, plain)
    # Zhang, Gaudi & Bloom (2022): the caustics s - 1/s of both lie symmetric about the crossing.
    other = np.exp(offset[3])
    # Here the mass of the planet moves the centre of mass by some q.
    assert (s - 1 / s + other - 1 / other) / 2 == pytest.approx(u_0 / np.sin(alpha), abs=5 * q)


def test_parallax_turns_over_with_the_path_and_grows_with_the_einstein_radius():
    close = np.concatenate([lenses(0.3, 0.3, 0.7, 0.05), [0.2, -0.1]])
    found = twins(close)
    assert all(twin.size == 9 for twin in found)
    np.testing.assert_allclose(found[-1][[1, 5, 7, 8]], [-0.05, -0.7, -0.2, -0.1])
    # pi_E is in units of the Einstein radius: pi_E t_E does not change.
    wide = found[1]
    np.testing.assert_allclose(wide[7:] * np.exp(wide[2]), close[7:] * 20.0)
