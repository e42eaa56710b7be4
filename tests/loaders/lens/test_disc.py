"""Discs behind a single lens against VBMicrolensing, closed forms, and quadrature of points."""

import numpy as np
import pytest
import VBMicrolensing
from scipy.integrate import quad

from loaders.lens.disc import magnification


@pytest.mark.parametrize("rho", [1e-3, 0.03, 0.5, 2.0])
def test_uniform_discs_are_those_of_vbmicrolensing(rho):
    engine = VBMicrolensing.VBMicrolensing()
    engine.Tol = engine.RelTol = 1e-6
    u = rho * np.array([0.3, 0.7, 0.9, 1.1, 1.5, 3.0, 7.9, 8.1, 20.0])
    peer = [engine.ESPLMag2(float(one), rho) for one in u]
    np.testing.assert_allclose(magnification(u, rho), peer, rtol=3e-4)


@pytest.mark.parametrize("share", [0.2, 0.55, 1.66, 2.5, 7.9])
@pytest.mark.parametrize("rho", [1e-3, 0.4, 3.0])
def test_few_places_suffice_away_from_the_edge(rho, share):
    """Against adaptive quadrature: of the edge, and of the rings that make a dark limb."""

    def uniform(radius, u):
        def edge(angle):
            square = u**2 + radius**2 + 2 * u * radius * np.cos(angle)
            return np.sqrt(1 + 4 / square) * (radius + u * np.cos(angle))

        return quad(edge, 0, np.pi, epsabs=0, epsrel=1e-10, limit=200)[0] / (np.pi * radius)

    u, limb = share * rho, 0.5
    assert magnification(u, rho) == pytest.approx(uniform(rho, u), rel=1e-8)
    if share > 1:
        rings = quad(lambda one: np.sin(one) ** 3 * uniform(rho * np.sin(one), u), 0, np.pi / 2, epsrel=1e-9)
        dark = ((1 - limb) * uniform(rho, u) + limb * rings[0]) / (1 - limb / 3)
        assert magnification(u, rho, limb) == pytest.approx(dark, rel=1e-8)


@pytest.mark.parametrize("limb", [0.0, 0.3, 1.0])
def test_a_small_disc_in_front_of_the_lens_is_known_in_closed_form(limb):
    # With A = 1 / u the integral over the disc is elementary: 2 / ρ (1 - u + π u / 4) / (1 - u / 3).
    rho = 1e-4
    truth = 2 / rho * (1 - limb + np.pi * limb / 4) / (1 - limb / 3)
    assert magnification(0.0, rho, limb) == pytest.approx(truth, rel=1e-4)


@pytest.mark.parametrize("u", [0.0, 0.1, 0.17, 0.25, 2.0])
def test_dark_limbs_are_a_mean_over_points(u):
    rho, limb = 0.2, 0.6
    r, angle = np.meshgrid((np.arange(1600) + 0.5) / 1600, 2 * np.pi * (np.arange(1600) + 0.5) / 1600)
    distance = np.hypot(u + rho * r * np.cos(angle), rho * r * np.sin(angle))
    weight = r * (1 - limb * (1 - np.sqrt(1 - r**2)))
    mean = np.average(magnification(distance, 0.0), weights=weight)
    assert magnification(u, rho, limb) == pytest.approx(mean, rel=1e-3)


def test_a_disc_of_no_size_is_a_point_and_nan_stays():
    u = np.array([[0.1, 1.0], [5.0, np.nan]])
    out = magnification(u, 0.0)
    np.testing.assert_allclose(out[0], (u[0] ** 2 + 2) / (u[0] * np.sqrt(u[0] ** 2 + 4)))
    assert out.shape == u.shape
    assert np.isnan(out[1, 1])


@pytest.mark.parametrize("wrong", [(-0.1, 0.0), (np.nan, 0.0), (0.1, 1.2)])
def test_impossible_discs_are_refused(wrong):
    with pytest.raises(ValueError, match="need rho >= 0"):
        magnification(0.1, *wrong)
