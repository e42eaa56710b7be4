"""Fits of a single lens against truth and against scipy."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from loaders.event_models.point_lens import fit_point_lens, magnification
from loaders.stored_curve.band import Band
from tests.loaders.microlensing.curves import event, lensed


def test_magnification_has_its_limits():
    assert magnification(np.array([1.0])) == pytest.approx(3 / np.sqrt(5))
    assert magnification(np.array([1e-4])) == pytest.approx(1e4, rel=1e-7)
    assert magnification(np.array([50.0])) - 1 == pytest.approx(2 / 50**4, rel=2e-3)


@pytest.mark.parametrize(("u_0", "t_e"), [(0.01, 30.0), (0.3, 8.0), (1.2, 25.0)])
def test_a_curve_without_noise_gives_its_parameters_back(u_0, t_e):
    fit = fit_point_lens(event(205.0, u_0, t_e), 205.5, 1.5 * u_0 * t_e, 0.3)
    assert fit.converged
    assert (fit.t_0, fit.u_0, fit.t_E) == pytest.approx((205.0, u_0, t_e), rel=1e-4)
    assert fit.source_flux == pytest.approx([100, 30, 50], rel=1e-3)
    assert fit.blend_flux == pytest.approx([20, 0, 10], abs=0.1)
    assert fit.chi2 < 1e-2


def test_scipy_finds_the_same_minimum_and_the_same_errors():
    bands = event(40.0, 0.4, 10.0, error=3.0, rng=np.random.default_rng(7), seasons=(0.0,), interval=0.1)
    fit = fit_point_lens(bands, 40.5, 3.0, 0.3)

    def residuals(p):
        parts = []
        for k, band in enumerate(bands):
            model = p[3 + 2 * k] * lensed(band.time, *p[:3]) + p[4 + 2 * k]
            parts.append((band.flux - model) / band.error)
        return np.concatenate(parts)

    theirs = least_squares(residuals, [40.1, 0.35, 11, 100, 20, 30, 0, 50, 10], x_scale="jac", xtol=1e-12)
    assert fit.chi2 == pytest.approx(2 * theirs.cost, abs=1e-3)
    error = np.sqrt(np.diag(np.linalg.inv(theirs.jac.T @ theirs.jac))[:3])
    assert np.abs(np.array([fit.t_0, fit.u_0, fit.t_E]) - theirs.x[:3]) == pytest.approx(
        0, abs=0.02 * error.min()
    )
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(error, rel=0.01)


def test_pulls_of_many_events_have_unit_width():
    rng = np.random.default_rng(11)
    pulls = []
    for _ in range(60):
        t_0, u_0, t_e = rng.uniform(20, 50), rng.uniform(0.05, 0.6), rng.uniform(3, 12)
        bands = event(t_0, u_0, t_e, error=1.0, rng=rng, seasons=(0.0,), interval=0.1)
        fit = fit_point_lens(bands, t_0, u_0 * t_e, 0.3)
        off = np.array([fit.t_0, fit.u_0, fit.t_E]) - (t_0, u_0, t_e)
        pulls.append(off / np.sqrt(np.diag(fit.covariance)))
    assert np.std(pulls, axis=0) == pytest.approx(1.0, abs=0.3)


def test_elements_with_too_few_points_are_left_out_and_nothing_at_all_is_refused():
    bands = event(40.0, 0.4, 10.0, seasons=(0.0,))
    lonely = Band("F129", np.array([1.0]), np.array([1.0]), np.array([1.0]))
    assert fit_point_lens([*bands, lonely], 40, 4, 0.4).source_flux.size == 3
    with pytest.raises(ValueError, match="three points"):
        fit_point_lens([lonely], 0, 1, 0.3)
